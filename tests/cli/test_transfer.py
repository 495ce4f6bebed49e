"""Importing and exporting OTLP JSON lines."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.instrument.faults import fault_counts
from otel_agenttrace.model.verdicts import is_verdict
from otel_agenttrace.otlp.encode import encode_json
from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.stores.open import open_store
from otel_agenttrace.testing.spans import make_span
from tests.cli.recording import BOOKING, SESSION, recorded_spans

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.stores.api import StoredTrace

_name, _trace_id = attrgetter("name"), attrgetter("trace_id")
ODD, BAD = (Path(__file__).parents[1] / "data" / "otlp" / name for name in ("odd.jsonl", "bad.jsonl"))


def test_what_is_exported_can_be_imported_elsewhere(run: Callable[..., Any], store_url: str, tmp_path: Path) -> None:
    """An export holds everything: imported into another store, it gives the same traces, and the verdict besides."""
    there = f"sqlite:///{tmp_path / 'there.db'}"

    exported = run("export", "--store", store_url, "-o", tmp_path / "runs.jsonl")
    imported = run("import", tmp_path / "runs.jsonl", "--store", there)

    assert (exported.code, imported.code) == (0, 0)
    with open_store(store_url) as one, open_store(there) as other:
        for trace_id in {span.trace_id for span in recorded_spans()}:
            kept = [span for span in other.spans.get_trace(trace_id).spans if not is_verdict(span)]
            assert one.spans.get_trace(trace_id).spans == tuple(kept)


def test_export_prints_one_trace_a_line(run: Callable[..., Any], store_url: str) -> None:
    """Without a file, export prints OTLP JSON lines, oldest stored trace first."""
    lines = run("export", "--store", store_url).out.splitlines()

    assert len(lines) == 5
    spans = json.loads(lines[0])["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert {span["traceId"] for span in spans} == {BOOKING}


def test_export_of_a_session(run: Callable[..., Any], store_url: str) -> None:
    """--session exports the traces of that session only."""
    assert len(run("export", "--store", store_url, "--session", SESSION).out.splitlines()) == 2


def test_export_of_chosen_traces(run: Callable[..., Any], store_url: str) -> None:
    """Trace ids, also shortened ones, choose what is exported."""
    assert len(run("export", BOOKING[:9], "--store", store_url).out.splitlines()) == 1


def test_a_trace_that_is_chosen_twice_is_exported_once(run: Callable[..., Any], store_url: str) -> None:
    """Two short forms of one id are one trace."""
    assert len(run("export", BOOKING[:9], BOOKING, "--store", store_url).out.splitlines()) == 1


def _all_traces(store_url: str | Path) -> list[StoredTrace]:
    with open_store(str(store_url)) as store:
        return [store.spans.get_trace(trace_id) for trace_id in store.spans.find_trace_ids(SpanQuery())]


def test_importing_twice_changes_nothing(run: Callable[..., Any], store_url: str, tmp_path: Path) -> None:
    """A file may be imported again; every span is kept once, and every verdict."""
    run("export", "--store", store_url, "-o", tmp_path / "runs.jsonl")
    assert run("import", tmp_path / "runs.jsonl", "--store", store_url).code == 0
    before = _all_traces(store_url)

    assert run("import", tmp_path / "runs.jsonl", "--store", store_url).code == 0
    assert _all_traces(store_url) == before
    assert {span for trace in before for span in map(_name, trace.spans)} > {"agenttrace.verdict"}


def test_an_export_with_verdicts_is_imported_as_it_is(run: Callable[..., Any], store_url: str, tmp_path: Path) -> None:
    """Our own export holds the verdicts; wherever it is imported, they are what they were."""
    run("export", "--store", store_url, "-o", tmp_path / "spans.jsonl")
    run("import", tmp_path / "spans.jsonl", "--store", store_url)
    run("export", "--store", store_url, "-o", tmp_path / "all.jsonl")

    assert run("import", tmp_path / "all.jsonl", "--store", tmp_path / "there.db").code == 0
    assert sorted(_all_traces(tmp_path / "there.db"), key=_trace_id) == sorted(_all_traces(store_url), key=_trace_id)


@pytest.mark.parametrize("one_by_one", [False, True])
def test_a_trace_over_several_files_gets_one_verdict(
    run: Callable[..., Any], tmp_path: Path, *, one_by_one: bool
) -> None:
    """Its verdict is made by all of its spans, whether the files are imported together or one after the other."""
    root = make_span(attributes={"gen_ai.operation.name": "invoke_agent"}, status_code="ERROR")
    child = make_span(span_id="b" * 16, parent_span_id=root.span_id, name="GET")
    paths = [tmp_path / "root.jsonl", tmp_path / "child.jsonl"]
    for path, span in zip(paths, (root, child), strict=True):
        path.write_bytes(encode_json([span]) + b"\n")

    for files in [[path] for path in paths] if one_by_one else [paths]:
        assert run("import", *files, "--store", tmp_path / "runs.db").code == 0
    (trace,) = _all_traces(tmp_path / "runs.db")
    (verdict,) = filter(is_verdict, trace.spans)

    assert len(trace.spans) == 3
    assert (verdict.parent_span_id, verdict.status_code) == (root.span_id, "ERROR")
    assert verdict.attributes["agenttrace.verdict.span_count"] == 2
    assert trace.conflicts == frozenset()


def test_plain_spans_get_no_verdict(run: Callable[..., Any], tmp_path: Path) -> None:
    """A trace that tells of no agent is kept as it is, and so is one whose top is still open."""
    path = tmp_path / "runs.jsonl"
    plain, failed = make_span(name="GET"), make_span(trace_id="f" * 32, end_time_unix_nano=None)
    path.write_bytes(encode_json([plain, replace(failed, attributes={"gen_ai.operation.name": "chat"})]) + b"\n")

    assert run("import", path, "--store", tmp_path / "runs.db").code == 0
    assert [len(trace.spans) for trace in _all_traces(tmp_path / "runs.db")] == [1, 1]


def test_a_judge_that_raises_does_not_stop_an_import(
    run: Callable[..., Any], store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The spans are in; the verdict that could not be made is counted and logged."""

    def broken(_tree: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("otel_agenttrace.stores.judging.judged", broken)
    before = fault_counts["make the verdict of a trace"]
    run("export", "--store", store_url, "-o", tmp_path / "runs.jsonl")

    assert run("import", tmp_path / "runs.jsonl", "--store", tmp_path / "there.db").code == 0
    assert sum(len(trace.spans) for trace in _all_traces(tmp_path / "there.db")) == len(recorded_spans())
    assert fault_counts["make the verdict of a trace"] > before


def test_a_bad_line_is_named_and_the_good_ones_are_kept(run: Callable[..., Any], tmp_path: Path) -> None:
    """Lines that cannot be read are reported with file and number, the others stored; the exit code is 1."""
    path = tmp_path / "runs.jsonl"
    path.write_bytes(encode_json([make_span()]) + b"\n{broken\n\n" + encode_json([make_span(span_id="b" * 16)]) + b"\n")

    result = run("import", path, "--store", tmp_path / "runs.db")

    assert result.code == 1
    assert f"{path}:2: " in result.err
    assert "imported 1 trace with 2 spans" in result.out


def test_every_bad_line_of_the_collection_is_refused(run: Callable[..., Any], tmp_path: Path) -> None:
    """Each bad line of the collection has its error, and the three good spans among them are stored."""
    result = run("import", BAD, "--store", tmp_path / "runs.db", "--json")

    assert result.code == 1
    (taken,) = result.json()
    assert taken["spans"] == 3
    assert [int(error.split(":")[1]) for error in taken["errors"]] == list(range(2, 18))


def test_odd_input_is_kept(run: Callable[..., Any], tmp_path: Path, check_shape: Callable[[str, Any], None]) -> None:
    """What is odd but harmless is stored, and every view shows it."""
    store = tmp_path / "runs.db"
    result = run("import", ODD, "--store", store, "--json")
    check_shape("import", result.json())

    traces = run("trace", "list", "--store", store, "--json", "--limit", "1000").json()

    assert traces
    for trace in traces:
        for option in ([], ["--timeline"], ["--html", tmp_path / "page.html"], ["--json"]):
            assert run("trace", "show", trace["trace_id"], "--store", store, *option).code == 0


def test_secrets_are_hidden_on_the_way_in(run: Callable[..., Any], tmp_path: Path) -> None:
    """An imported span passes redaction like a recorded one."""
    secret = "sk-proj-" + "a1B2c3D4" * 6
    path = tmp_path / "runs.jsonl"
    path.write_bytes(encode_json([make_span(attributes={"note": f"my key is {secret}"})]))

    run("import", path, "--store", tmp_path / "runs.db")

    assert secret.encode() not in (tmp_path / "runs.db").read_bytes()
    assert secret not in run("span", "list", "--store", tmp_path / "runs.db", "--json").out


def test_traces_that_will_expire_are_announced(run: Callable[..., Any], tmp_path: Path) -> None:
    """Importing what is older than the store's retention warns, unless the store keeps everything."""
    path, store = tmp_path / "runs.jsonl", tmp_path / "runs.db"
    path.write_bytes(encode_json([make_span(start_time_unix_nano=0, end_time_unix_nano=1)]))

    warned = run("import", path, "--store", store)
    run("retention", "set", "forever", "--store", store)

    assert "retention set forever" in warned.err
    assert "retention" not in run("import", path, "--store", store).err


def test_a_packed_file_is_read(run: Callable[..., Any], tmp_path: Path) -> None:
    """A file that is packed with gzip is read as it is."""
    path = tmp_path / "runs.jsonl.gz"
    path.write_bytes(gzip.compress(encode_json([make_span()])))

    assert "1 span " in run("import", path, "--store", tmp_path / "runs.db").out


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_read_is_named(name: str, run: Callable[..., Any], tmp_path: Path) -> None:
    """A missing file or a folder is an error that names it."""
    result = run("import", tmp_path / name, "--store", tmp_path / "runs.db")

    assert result.code == 1
    assert str(tmp_path / name) in result.err


def test_an_empty_file_is_no_success(run: Callable[..., Any], tmp_path: Path) -> None:
    """A file with nothing in it is reported: nothing was imported."""
    (tmp_path / "empty.jsonl").touch()

    result = run("import", tmp_path / "empty.jsonl", "--store", tmp_path / "runs.db")

    assert result.code == 1
    assert "nothing to import" in result.err


def test_export_to_a_file_says_how_much(
    run: Callable[..., Any], store_url: str, tmp_path: Path, check_shape: Callable[[str, Any], None]
) -> None:
    """With --output, --json prints how much was written."""
    result = run("export", "--store", store_url, "-o", tmp_path / "runs.jsonl", "--json")

    check_shape("export", result.json())
    assert result.json()["traces"] == 5


def test_a_file_that_cannot_be_written_is_named(run: Callable[..., Any], store_url: str, tmp_path: Path) -> None:
    """An output path in a folder that is not there is a usage error."""
    result = run("export", "--store", store_url, "-o", tmp_path / "no" / "runs.jsonl")

    assert result.code == 2
    assert "runs.jsonl" in result.err
