"""The registry and the code agree, both ways.

Whatever the package emits is registered. Whatever is registered is emitted, or marked `planned`: a mark that is out of
date fails too. "Emitted" is seen, not guessed: real code runs against a real provider and store, and the names on the
spans that come out are collected, without those that the test itself put on the span in question. Names of others'
conventions are mostly read, so of those it is asked that the package's source uses them.
"""

from __future__ import annotations

import ast
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
from opentelemetry import context as context_api
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import otel_agenttrace
from otel_agenttrace.cli.main import run
from otel_agenttrace.contract import attributes as constants
from otel_agenttrace.contract.attributes import Attribute, EventName
from otel_agenttrace.contract.validate import Contract
from otel_agenttrace.grounding import ground
from otel_agenttrace.instrument.context import TraceContext
from otel_agenttrace.instrument.detection import run_with_failure_detection
from otel_agenttrace.instrument.events import agent_event
from otel_agenttrace.instrument.gates import Override, gate
from otel_agenttrace.instrument.handoffs import emit_handoff, receive_handoff
from otel_agenttrace.instrument.sessions import end_session, start_session
from otel_agenttrace.instrument.spans import with_provider
from otel_agenttrace.instrument.traced import traced_span
from otel_agenttrace.instrument.watchdog import Watchdog
from otel_agenttrace.model.entry import TraceEntry
from otel_agenttrace.model.event import AgentEvent
from otel_agenttrace.model.failure import FailureEvent
from otel_agenttrace.model.gate import Evidence
from otel_agenttrace.model.handoff import ExpectedOutput, HandoffContract
from otel_agenttrace.model.kinds import AgentEventType
from otel_agenttrace.model.trace_record import TraceRecord, TraceStep
from otel_agenttrace.pipeline.failures import failure_stage
from otel_agenttrace.pipeline.flag import Flag
from otel_agenttrace.pipeline.grounded import Judgement
from otel_agenttrace.pipeline.limit import ValueLimiter
from otel_agenttrace.pipeline.redact import Redactor
from otel_agenttrace.pipeline.verdict import make_verdict
from otel_agenttrace.processors.intake import Intake
from otel_agenttrace.processors.recording import RecordingSpanProcessor
from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.stores.memory import MemorySpanStore
from otel_agenttrace.stores.open import open_store
from otel_agenttrace.stores.trace_store import TraceStore
from otel_agenttrace.testing.spans import make_span
from otel_agenttrace.workflow.outcome import failed, skipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from otel_agenttrace.contract.registry import Registry
    from otel_agenttrace.model.record import SpanRecord

PACKAGE = Path(otel_agenttrace.__file__).parent
OWN_NAMESPACES = ("agenttrace", "task", "project", "gate", "handoff", "failure", "quality", "routing", "agent")
EVENT_TYPES: tuple[AgentEventType, ...] = get_args(AgentEventType)


class Emitted:
    """Names on spans that the package produced."""

    def __init__(self) -> None:
        self.attributes: set[str] = set()
        self.events: set[str] = set()

    def add(self, span: SpanRecord, given: Mapping[str, Mapping[str, Any]]) -> None:
        """Collect the names on a span, without those of `given` (by span name)."""
        self.attributes |= set(span.attributes) - set(given.get(span.name, ()))
        for event in span.events:
            self.events.add(event.name)
            self.attributes |= set(event.attributes)


CHECKSUM = "sha256:" + "9f" * 32

# What the test itself puts on spans, by span name: that proves nothing about the package.
GIVEN: dict[str, dict[str, Any]] = {
    "agent": {"task.id": "T-1", "task.phase": "OTHER", "task.status": "done", "big": "x" * 50_000},
    "slow": {"task.timeout_ms": 1},
}


@pytest.fixture(scope="module")
def emitted(tmp_path_factory: pytest.TempPathFactory) -> Emitted:
    """What came out when everything that emits was run once."""
    emitted = Emitted()
    for span in [*_recorded_spans(), *_stored_spans(), *_driven_spans(tmp_path_factory.mktemp("tasks"))]:
        emitted.add(failure_stage(span), GIVEN)
    emitted.add(_verdict(), GIVEN)
    return emitted


def _recorded_spans() -> Iterator[SpanRecord]:
    """Spans of all helpers, through the processor that `configure_tracing` installs."""
    exporter = InMemorySpanExporter()
    intake = Intake(Redactor(), ValueLimiter(16_384), Contract.load(), project="conformance")
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(RecordingSpanProcessor(SimpleSpanProcessor(exporter), intake=intake))
    token = context_api.attach(with_provider(provider))
    try:
        _run_helpers(provider)
    finally:
        context_api.detach(token)
        provider.shutdown()
    yield from (span.record for span in exporter.get_finished_spans())  # type: ignore[attr-defined]


def _run_helpers(provider: TracerProvider) -> None:
    @traced_span
    def work(password: str) -> str:
        return password

    @traced_span
    def fail() -> None:
        raise ValueError("no")

    start_session("conformance")
    with TraceContext("agent", session_id="s", user_id="u", attributes=GIVEN["agent"]):
        work("sk-" + "a1b2c3d4" * 6)
        with pytest.raises(ValueError, match="no"):
            fail()
        for type_ in EVENT_TYPES:
            agent_event(
                type_, {"k": "v"}, session_id="s", duration_ms=1.5, input_tokens=1, output_tokens=1, model_used="m",
                provider_used="p", estimated_cost_usd=0.1, raw_input="i", raw_output="o",
            )  # fmt: skip
        _hand_over()
        _pass_gates()
    end_session()
    run_with_failure_detection("subject", lambda: 1 / 0, timeout_s=30)
    _overrun(provider)


def _hand_over() -> None:
    """A handoff that is completed, and one that fails."""
    deadline = (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()
    contract = HandoffContract(
        from_agent="a", to_agent="b", capability_id="c", inputs={"k": "v"}, deadline=deadline,
        expected_output=ExpectedOutput(type="text", schema_ref="text.json"),
    )  # fmt: skip
    for end in ("complete", "fail"):
        with receive_handoff(emit_handoff(contract)) as handoff:
            getattr(handoff, end)("done")


def _pass_gates() -> None:
    """A gate that passes, one that had nothing to check, and one that is overridden."""
    found = failed("r", "n", [Evidence(type="file", ref="f")])
    gate("passes", lambda: True)
    gate("skipped", lambda: skipped("r"), required=False)
    gate("overridden", lambda: found, override=Override("a", "r"))


def _overrun(provider: TracerProvider) -> None:
    """A span past its limit, by a clock of our own."""
    now = 0.0
    watchdog = Watchdog(lambda _span: None, clock=lambda: now)
    span: Any = provider.get_tracer("tests").start_span("slow", attributes=GIVEN["slow"])
    watchdog.start(span)
    now = 10.0
    watchdog.check()
    watchdog.shutdown()
    span.end()


def _stored_spans() -> Iterator[SpanRecord]:
    """Spans that the store makes of what is handed to it."""
    spans = MemorySpanStore()
    store = TraceStore(spans)
    for number, failure_type in enumerate(("hallucination_flag", "abandoned"), start=7):
        _store_failure(store, f"{number:032x}-{number:016x}", failure_type)
    session = store.start_session("conformance")
    event = AgentEvent.model_selected("m", "p", "cheap", session.id)
    store.save_trace(TraceEntry.from_agent_event(event).model_copy(update={"cost_usd": 0.1}))
    store.end_session(session.id)
    for trace in store.find_traces(SpanQuery()):
        yield from trace.spans


def _driven_spans(folder: Path) -> Iterator[SpanRecord]:
    """Spans of tasks that commands drive, with all that their options say."""
    said = {
        "title": "t", "type": "task", "acceptance": "a", "phase": "FINALIZE_VERIFY", "depends-on": "D",
        "source-checksum": CHECKSUM, "artifact-manifest-checksum": CHECKSUM, "project-context-checksum": CHECKSUM,
        "coverage-percent": "80", "gap-count": "1", "feature-count": "2", "complexity-score": "3",
        "selected-path": "prime", "path-count": "4", "artifact-count": "5", "finalize-status": "partial",
        "artifact-checksum": CHECKSUM,
    }  # fmt: skip
    commands = [
        ["start", "D"],
        ["start", "T", *(each for name, value in said.items() for each in (f"--{name}", value))],
        ["start", "U", "--parent", "D"],
        ["block", "U", "--reason", "r", "--next-action", "n", "--on", "D"],
        ["comment", "T", "--text", "c", "--author", "a"],
        ["fail", "T", "--reason", "r"],
    ]
    store = folder / "tasks.db"
    for command in commands:
        assert run(["task", *command, "--store", str(store)]) == 0
    with open_store(str(store)) as opened:
        yield from opened.spans.find_spans(SpanQuery())


def _verdict() -> SpanRecord:
    """The verdict of a trace that failed, with a judgement and a flag."""
    cost = {"gen_ai.operation.name": "chat", "gen_ai.usage.cost": 0.1}
    root = make_span(status_code="ERROR", attributes=cost)
    flag = Flag("tool_loop", root.span_id, "again and again", {"count": 5})
    report = ground("It has 412 employees.", ["It has 400 employees."])
    verdict = make_verdict([root], judge=lambda _: Judgement(report, root), find_flags=lambda _: [flag])
    assert verdict is not None
    return verdict


def _store_failure(store: TraceStore, failure_id: str, failure_type: Any) -> None:
    steps = [
        TraceStep(name="search", kind="tool_call", input={"q": 1}, output={"a": 2}, error="no"),
        TraceStep(name="model", kind="model_output", input="hi", output="hello"),
    ]
    started, ended = "2026-09-21T14:13:20Z", "2026-09-21T14:13:21Z"
    event = FailureEvent(
        failure_id=failure_id, subject="booking", failure_type=failure_type, timestamp=ended, error="no"
    )
    status: Any = "hallucinated" if failure_type == "hallucination_flag" else "failed"
    record = TraceRecord(
        failure_id=failure_id, subject="booking", status=status, started_at=started, ended_at=ended, steps=steps
    )
    store.store_trace(event, record)


def test_whatever_is_emitted_is_registered(emitted: Emitted, registry: Registry) -> None:
    """A name of ours that no definition explains would be a private format."""
    unregistered = {name for name in emitted.attributes if _is_own(name)} - set(registry.attributes)

    assert unregistered == set()
    assert emitted.events - set(registry.events) == set()


def test_whatever_of_ours_is_registered_is_emitted(emitted: Emitted, registry: Registry) -> None:
    """A definition that nothing emits, and that is not planned, is a promise that nobody keeps."""
    due = {item.name for item in registry.attributes.values() if not item.origin and not item.planned}
    events_due = {item.name for item in registry.events.values() if not item.origin and not item.planned}

    assert due - emitted.attributes == set()
    assert events_due - emitted.events == set()


def test_planned_marks_go_once_the_name_is_emitted(emitted: Emitted, registry: Registry) -> None:
    """A mark that is out of date hides a regression later."""
    planned = {item.name for item in registry.attributes.values() if item.planned}
    planned_events = {item.name for item in registry.events.values() if item.planned}

    assert planned & emitted.attributes == set()
    assert planned_events & emitted.events == set()


def test_names_of_others_are_used(registry: Registry) -> None:
    """Of a convention that is not ours, only what the package reads or writes is listed."""
    used = _used_constants() | {text for _, text in _literals()}
    others = {item.name for item in registry.attributes.values() if item.origin and not item.planned}
    planned = {item.name for item in registry.attributes.values() if item.origin and item.planned}
    events = {item.name for item in registry.events.values() if item.origin}

    assert others - used == set()
    assert planned & used == set()
    assert events - used == set()


def test_names_stand_in_the_source_as_constants(registry: Registry) -> None:
    """A literal beside the constants escapes whoever renames or searches; one registered nowhere escapes all."""
    names = {*registry.attributes, *registry.events}
    found = {(path, text) for path, text in _literals() if "." in text and (text in names or OWN_NAME.fullmatch(text))}

    in_tests = {(path, text) for path, text in found if path.startswith("testing/")}  # where names are spelled out

    assert found - in_tests - ALLOWED_LITERALS == set()


OWN_NAME = re.compile(r"agenttrace(\.[a-z_]+)+")

ALLOWED_LITERALS = {
    # Read on the way into every process; the constants' module would be the only import.
    ("model/record.py", "agenttrace.ended_by"),
    ("model/record.py", "agenttrace.outlives_process"),
    ("model/record.py", "agenttrace.revision"),
    ("model/record.py", "gen_ai.conversation.id"),
    ("model/record.py", "service.name"),
    ("model/record.py", "session.id"),
    ("stores/sql/rows.py", "service.name"),
    # The name of a file.
    ("exporters/jsonl.py", "agenttrace.jsonl"),
}


def _is_own(name: str) -> bool:
    return name.partition(".")[0] in OWN_NAMESPACES


def _used_constants() -> set[str]:
    """The names whose constants the package's source uses outside of their own module."""
    values = {key: value for key, value in vars(constants).items() if isinstance(value, (Attribute, EventName))}
    used: set[str] = set()
    for _, tree in _modules():
        loaded = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        used |= {values[key] for key in loaded & set(values)}
    return used


def _literals() -> Iterator[tuple[str, str]]:
    """Every text in the package's source that is no docstring, with its module."""
    for path, tree in _modules():
        docstrings = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                yield path, node.value


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.parent != PACKAGE / "contract":
            yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text(encoding="utf-8"))
