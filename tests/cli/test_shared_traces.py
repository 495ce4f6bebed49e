"""Recorded runs of real frameworks, which lie beside the repository; skipped where they do not."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

TRACES = sorted((Path(__file__).parents[3] / "shared" / "traces").glob("*.jsonl"))

TRACE_FIELDS = (
    "status", "input_tokens", "output_tokens", "cost_usd", "cost_complete", "reported_cost_usd", "cache_read_tokens",
    "cache_write_tokens", "reasoning_tokens", "models", "tools", "unpriced_models", "dialects", "flag_kinds",
    "failure_ids",
)  # fmt: skip
SPAN_FIELDS = (
    "dialect", "operation", "request_model", "response_model", "provider", "agent_name", "tool_name", "tool_call_id",
    "conversation", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens",
    "finish_reasons", "cost_usd", "reported_cost_usd",
)  # fmt: skip
# How well an answer is supported is the matter of other tests, which measure it.
_SCORE = re.compile(r"grounding [\d.]+: \d+ of \d+")

pytestmark = pytest.mark.skipif(not TRACES, reason="there is no ../shared/traces")


@pytest.fixture
def shared_url(run: Callable[..., Any], tmp_path: Path) -> str:
    """A store with all recorded runs."""
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    assert run("import", *TRACES, "--store", url).code == 0
    return url


def test_every_run_is_drawn(run: Callable[..., Any], shared_url: str, check_golden: Callable[[str, str], None]) -> None:
    """Every recorded run is shown as it was when it was checked by hand."""
    listed = run("trace", "list", "--store", shared_url).out
    drawn = [run("trace", "show", trace_id, "--store", shared_url).out for trace_id in _trace_ids(run, shared_url)]

    check_golden("shared-traces", _SCORE.sub("grounding (score)", "\n".join([listed, *drawn])))


def test_every_run_says_what_it_said(
    run: Callable[..., Any], shared_url: str, check_golden: Callable[[str, str], None]
) -> None:
    """The canonical fields of every recorded span are what they were when they were checked by hand."""
    lines: list[str] = []
    for trace_id in _trace_ids(run, shared_url):
        trace = run("trace", "show", trace_id, "--store", shared_url, "--json").json()
        lines += [trace_id, *_facts(trace, TRACE_FIELDS)]
        for span in trace["spans"]:
            lines += [f"  {span['name']}"[:80], *_facts(span, SPAN_FIELDS)]
            for side in ("input", "output"):
                roles = " ".join(message["role"] for message in span[f"{side}_messages"])
                content = json.dumps(span[side]) if span["operation"] == "execute_tool" else roles
                lines += [f"    {side} {content}"[:80]] if content not in ("", "null") else []

    check_golden("shared-facts", "\n".join([*lines, ""]))


def test_every_command_takes_every_run(
    run: Callable[..., Any], shared_url: str, tmp_path: Path, check_shape: Callable[[str, Any], None]
) -> None:
    """Every command that reads works on every recorded run, and its JSON is valid."""
    for trace_id in _trace_ids(run, shared_url):
        shown = run("trace", "show", trace_id, "--store", shared_url, "--json").json()
        check_shape("trace show", shown)
        root = next(span for span in shown["spans"] if span["parent_span_id"] is None)
        failure_id = f"{trace_id}-{root['span_id']}"
        for command in (
            ["failure", "show", failure_id],
            ["session", "show", shown["session_id"]],
            ["span", "list", "--trace", trace_id],
        ):
            assert run(*command, "--store", shared_url).code == 0
            check_shape(" ".join(command[:2]), run(*command, "--store", shared_url, "--json").json())
        assert run("trace", "show", trace_id, "--timeline", "--store", shared_url).code == 0
        assert run("trace", "show", trace_id, "--html", tmp_path / "page.html", "--store", shared_url).code == 0


def test_all_runs_survive_an_export(run: Callable[..., Any], shared_url: str, tmp_path: Path) -> None:
    """Exported and imported again, every run reads the same."""
    there = f"sqlite:///{tmp_path / 'there.db'}"
    run("export", "--store", shared_url, "-o", tmp_path / "all.jsonl")
    run("import", tmp_path / "all.jsonl", "--store", there)

    for trace_id in _trace_ids(run, shared_url):
        here_shown = run("trace", "show", trace_id, "--store", shared_url, "--json").out
        assert run("trace", "show", trace_id, "--store", there, "--json").out == here_shown


def _facts(shape: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    """The fields that say something, on indented lines."""
    said = [f"{name}={_short(shape[name])}" for name in names if shape[name] not in (None, [], "")]
    return textwrap.wrap(" ".join(said), 80, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return ",".join(value) if isinstance(value, list) else str(value)


def _trace_ids(run: Callable[..., Any], url: str) -> list[str]:
    found = [trace["trace_id"] for trace in run("trace", "list", "--store", url, "--json").json()]
    assert len(found) == len(TRACES)
    return found
