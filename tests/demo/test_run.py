"""The demo as a whole: recorded, stored, found again, carried elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from otel_agenttrace.contract.attributes import EVENT_EVALUATION_RESULT
from otel_agenttrace.model.verdicts import is_verdict
from otel_agenttrace.otlp.jsonl import write_jsonl
from otel_agenttrace.stores.open import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from otel_agenttrace.model.record import SpanRecord

TYPES = {
    "booking": "validation_error",
    "search": "timeout",
    "summary": "hallucination_flag",
    "retry": "none",
    "weather": "none",
}


class Demo(NamedTuple):
    """A finished `agenttrace demo --json`."""

    url: str
    runs: list[dict[str, Any]]
    stderr: str


def agenttrace(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "import sys; from otel_agenttrace.cli.main import main; sys.exit(main())", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={"HOME": str(home), "PATH": "", "COLUMNS": "80", **environment},
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo, run once for all tests that only read it."""
    folder = tmp_path_factory.mktemp("demo")
    url = f"sqlite:///{folder}/demo.db"
    finished = agenttrace("demo", "--store", url, "--json", home=folder)
    assert finished.returncode == 0, finished.stderr
    return Demo(url, [json.loads(line) for line in finished.stdout.splitlines()], finished.stderr)


def test_each_run_is_summed_up_on_a_line(demo: Demo) -> None:
    """Five JSON lines say id, agent, type and steps."""
    assert {run["subject"]: run["failure_type"] for run in demo.runs} == TYPES
    assert [set(run) for run in demo.runs] == [{"failure_id", "subject", "failure_type", "steps_count", "trace_id"}] * 5
    # Two model calls and a tool call where all goes well; the HTTP span where the failure began counts too.
    assert {run["subject"]: run["steps_count"] for run in demo.runs} == {
        "booking": 2,
        "search": 3,
        "summary": 3,
        "retry": 6,
        "weather": 3,
    }
    assert all(run["failure_id"].startswith(run["trace_id"] + "-") for run in demo.runs)


def test_the_recorder_says_what_it_does(demo: Demo) -> None:
    """The demo is a program like any other: one line at start, one at exit."""
    first, last = demo.stderr.splitlines()

    assert first.startswith("agenttrace: agenttrace-demo -> ")
    assert last.startswith("agenttrace: 2 of 5 traces failed, 1 hallucinated -> agenttrace failure show")


def test_the_flag_names_the_claim(demo: Demo) -> None:
    """Neither figure of the summary stands in the report; the runs that pass are not flagged."""
    (run,) = [run for run in demo.runs if run["failure_type"] == "hallucination_flag"]
    with open_store(demo.url, read_only=True) as store:
        event, _ = store.get_trace(run["failure_id"])
        (listed,) = store.list_failures(failure_type="hallucination_flag")

    assert event == listed
    assert event.error is not None
    assert "In 2025 Example Ltd earned 5.3 million euros with 412 employees." in event.error
    assert "5.3 million" in event.error


FIND = """
import sys
from otel_agenttrace.stores.open import open_store
with open_store(sys.argv[1], read_only=True) as store:
    event, record = store.get_trace(sys.argv[2])
    print(event.model_dump_json())
"""


def test_each_run_is_found_by_its_id_in_a_new_process(demo: Demo) -> None:
    """Failures, and passes too."""
    for run in demo.runs:
        command = [sys.executable, "-c", FIND, demo.url, run["failure_id"]]
        event = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)

        assert event["failure_id"] == run["failure_id"]
        assert (event["subject"], event["failure_type"]) == (run["subject"], run["failure_type"])


def stripped(span: SpanRecord) -> SpanRecord:
    """A span as another service would have recorded it, without anything that this package found out."""
    return replace(
        span,
        name=f"renamed {span.span_id[:4]}",
        attributes={key: value for key, value in span.attributes.items() if not key.startswith("failure.")},
        events=tuple(event for event in span.events if event.name != EVENT_EVALUATION_RESULT),
        resource=replace(span.resource, attributes={"service.name": "another-service"}),
    )


def test_the_same_runs_elsewhere_have_the_same_types(demo: Demo, tmp_path: Path) -> None:
    """Exported, stripped of what was found, renamed and imported: types come from what happened, not from names."""
    path = tmp_path / "exported.jsonl"
    with open_store(demo.url, read_only=True) as store, path.open("wb") as stream:
        for run in demo.runs:
            spans = store.spans.get_trace(run["trace_id"]).spans
            write_jsonl((stripped(span) for span in spans if not is_verdict(span)), stream)

    url = f"sqlite:///{tmp_path}/elsewhere.db"
    imported = agenttrace("import", str(path), "--store", url, home=tmp_path)
    assert imported.returncode == 0, imported.stderr
    with open_store(url, read_only=True) as elsewhere:
        found = [elsewhere.get_trace(run["failure_id"]).failure_event.failure_type for run in demo.runs]

    assert found == [run["failure_type"] for run in demo.runs]


def test_the_table_is_for_people(tmp_path: Path) -> None:
    """A row for each run, and the next commands, within 80 columns."""
    url = f"sqlite:///{tmp_path}/demo.db"
    lines = agenttrace("demo", "--store", url, home=tmp_path).stdout.splitlines()

    assert lines[0].split() == ["AGENT", "FAILURE", "TYPE", "STEPS", "FAILURE", "ID"]
    assert [line.split()[:2] for line in lines[1:6]] == [[name, kind] for name, kind in TYPES.items()]
    assert max(map(len, lines[:6])) <= 80
    assert lines[7] == f"next: agenttrace failure show --store {url}"


def test_a_demo_in_memory_says_that_it_is_gone(tmp_path: Path) -> None:
    """Nothing to look at later, and no commands that would find nothing."""
    output = agenttrace("demo", "--store", "memory", home=tmp_path).stdout

    assert output.splitlines()[-1] == "These runs were in memory only; without --store they are kept."
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("variable", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_SAMPLER": "always_off"}])
def test_an_environment_without_tracing_is_named(tmp_path: Path, variable: dict[str, str]) -> None:
    """Who turned tracing off is told so, not shown an empty table."""
    finished = agenttrace("demo", "--store", f"sqlite:///{tmp_path}/demo.db", home=tmp_path, **variable)

    assert finished.returncode == 1
    assert finished.stderr.splitlines()[-1].startswith("agenttrace: a run of the demo was not recorded; ")
    assert "Traceback" not in finished.stderr


def test_one_demo_is_one_session(demo: Demo) -> None:
    """All runs can be asked for together."""
    with open_store(demo.url, read_only=True) as store:
        (session_id,) = {
            span.attributes["session.id"] for run in demo.runs for span in store.spans.get_trace(run["trace_id"]).spans
        }

        assert store.spans.find_session_trace_ids(str(session_id)) == [run["trace_id"] for run in demo.runs]
