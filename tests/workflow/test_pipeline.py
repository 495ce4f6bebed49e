"""Pipelines on a real provider: what runs, what blocks, and what the spans tell of it."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from otel_agenttrace import configure_tracing, open_store
from otel_agenttrace.errors import GateBlockedError, TaskBlockedError, TaskStateError
from otel_agenttrace.instrument.gates import Gate, Override, gate
from otel_agenttrace.instrument.tasks import task_span
from otel_agenttrace.model.gate_events import gate_results
from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.pipeline.phase_order import early_starts
from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.workflow.outcome import failed, passed
from otel_agenttrace.workflow.pipeline import Phase, Pipeline, Step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Span

    from otel_agenttrace.workflow.phases import PipelineResult

PASS = Gate("fine", lambda: True)
STALE = Gate("checksum-chain", lambda: failed("source checksum is stale", "run the export again"))


class Exported:
    """The spans that ended so far, by name."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    def __getitem__(self, name: str) -> ReadableSpan:
        (span,) = (span for span in self._exporter.get_finished_spans() if span.name == name)
        return span

    def attributes(self, name: str) -> dict[str, Any]:
        """Those of the only span of that name."""
        return dict(self[name].attributes or {})

    @property
    def names(self) -> list[str]:
        """In the order in which they ended."""
        return [span.name for span in self._exporter.get_finished_spans()]


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exported]:
    """What the global provider of this test exported."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield Exported(exporter)
    provider.shutdown()


def _pipeline(*phases: Phase) -> Pipeline:
    return Pipeline("PI-1", "From plan to artifacts", phases, project_id="plan")


def _statuses(phases: Sequence[Any]) -> list[str]:
    return [f"{phase.id} {phase.status}" for phase in phases]


def test_phases_run_in_order_each_in_its_span(exported: Exported) -> None:
    """Entry gates, steps, the phase's own work, exit gates; each phase depends on the one before it."""
    order: list[str] = []

    def note(text: str) -> Gate:
        def check() -> bool:
            order.append(text)
            return True

        return Gate(text, check)

    def work(span: Span) -> None:
        order.append("work")
        span.set_attribute("quality.gap_count", 2)

    step = Step("S1-C1", run=lambda _: order.append("step"), title="parse", gates=[note("step gate")])
    result = _pipeline(
        Phase("S1", "INIT_BASELINE", run=work, entry=[note("entry")], exit=[note("exit")], steps=[step], title="begin"),
        Phase("S2", "EXPORT_CONTRACT", acceptance="all of it"),
    ).run()

    assert result.is_completed
    assert order == ["entry", "step", "step gate", "work", "exit"]
    assert exported.names == ["PI-1-S1-C1", "PI-1-S1", "PI-1-S2", "PI-1"]
    assert (
        exported.attributes("PI-1-S1").items()
        >= {
            "task.id": "PI-1-S1",
            "task.parent_id": "PI-1",
            "task.phase": "INIT_BASELINE",
            "task.status": "completed",
            "task.title": "begin",
            "project.id": "plan",
            "quality.gap_count": 2,
        }.items()
    )
    assert exported.attributes("PI-1-S1-C1")["task.type"] == "subtask"
    assert exported.attributes("PI-1-S2")["task.depends_on"] == ("PI-1-S1",)
    assert exported["PI-1-S2"].links[0].context.span_id == exported["PI-1-S1"].context.span_id
    assert exported.attributes("PI-1")["task.status"] == "completed"
    assert [each.gate_id for each in result.phases[0].gates] == ["entry", "step gate", "exit"]


@pytest.mark.parametrize("place", ["entry", "exit"])
def test_a_gate_that_blocks_stops_what_is_downstream(exported: Exported, place: str) -> None:
    """Its phase and the pipeline are blocked, with reason and next action; later phases are never begun."""
    begun: list[str] = []
    phases = [
        Phase("S1", "INIT_BASELINE", run=lambda _: begun.append("S1")),
        Phase("S2", "EXPORT_CONTRACT", run=lambda _: begun.append("S2"), **{place: [PASS, STALE, PASS]}),  # type: ignore[arg-type]
        Phase("S3", "CONTRACT_INTEGRITY", run=lambda _: begun.append("S3"), title="check"),
        Phase("S4", "INGEST_PARSE_ASSESS"),
    ]
    result = _pipeline(*phases).run()

    assert begun == ["S1"] if place == "entry" else ["S1", "S2"]
    assert _statuses(result.phases) == ["S1 completed", "S2 blocked", "S3 not_started", "S4 not_started"]
    assert (result.status, result.reason, result.next_action) == (
        "blocked",
        "source checksum is stale",
        "run the export again",
    )
    assert result.blocked_at is result.phases[1]
    assert [each.result for each in result.gates] == ["pass", "fail"]
    blocked = {
        "task.status": "blocked",
        "task.blocked_reason": "source checksum is stale",
        "task.next_action": "run the export again",
    }
    assert exported.attributes("PI-1-S2").items() >= blocked.items()
    assert (
        exported.attributes("PI-1").items()
        >= {
            **blocked,
            "task.blocked_on_span_id": result.phases[1].span_id,
        }.items()
    )
    assert {exported[name].status.status_code for name in ("PI-1-S2", "PI-1")} == {StatusCode.ERROR}
    with pytest.raises(GateBlockedError, match="source checksum is stale; next action: run the export again"):
        result.raise_unless_completed()


def test_a_gate_blocks_a_task_by_itself_as_it_blocks_a_phase(exported: Exported) -> None:
    """With and without a pipeline: the same status, description and exception, so that the same failure is found."""

    def told(name: str) -> tuple[Any, ...]:
        span, attributes = exported[name], exported.attributes(name)
        names = ("task.status", "task.blocked_reason", "task.next_action", "error.type")
        exceptions = [event.attributes["exception.type"] for event in span.events if event.name == "exception"]  # type: ignore[index]
        return span.status.status_code, span.status.description, *(attributes[each] for each in names), exceptions

    _pipeline(Phase("S1", "INIT_BASELINE", exit=[STALE])).run()
    with pytest.raises(GateBlockedError), task_span("alone", phase="INIT_BASELINE"):
        gate(STALE.id, STALE.check)

    assert told("alone") == told("PI-1-S1")
    assert told("alone")[0] is StatusCode.ERROR


def test_a_pipeline_that_is_running_is_not_run_again(exported: Exported) -> None:
    """The second run raises at once, whichever way it begins, and leaves the first one as it is."""
    again: list[str] = []
    pipelines: list[Pipeline] = []

    def run_again() -> None:
        for begin in (pipelines[0].run, pipelines[0].start().__enter__, _pipeline(Phase("S1")).run):
            with pytest.raises(TaskStateError, match="PI-1 cannot run twice at once in one process") as raised:
                begin()
            again.append(str(raised.value))

    def work(_: Span) -> None:
        thread = threading.Thread(target=run_again)
        thread.start()
        thread.join()

    pipelines.append(_pipeline(Phase("S1", run=work), Phase("S2")))
    result = pipelines[0].run()

    assert result.is_completed
    assert len(again) == 3
    assert exported.names == ["PI-1-S1", "PI-1-S2", "PI-1"]
    assert _pipeline(Phase("S1")).run().is_completed, "once it has ended, it may run again"


def test_of_many_runs_at_once_one_runs(exported: Exported) -> None:
    """Threads that begin together: one gets a result, the others an error."""
    together = threading.Barrier(8)
    ended: list[str] = []

    def work(_: Span) -> None:
        while len(ended) < 7:
            told.acquire()

    def run() -> None:
        together.wait()
        try:
            ended.append(pipeline.run().status)
        except TaskStateError as error:
            ended.append(type(error).__name__)
            told.release()

    told = threading.Semaphore(0)
    pipeline = _pipeline(Phase("S1", run=work))
    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ended == ["TaskStateError"] * 7 + ["completed"]
    assert exported.names == ["PI-1-S1", "PI-1"]


def test_a_run_is_entered_once(exported: Exported) -> None:
    """It holds what became of its phases."""
    run = _pipeline(Phase("S1")).start()
    with run:
        pass

    with pytest.raises(TaskStateError, match="this run of pipeline PI-1 has begun already"), run:
        pytest.fail("it began")
    assert exported.names == ["PI-1-S1", "PI-1"]


def test_phases_that_did_not_begin_are_spans_of_no_work(exported: Exported) -> None:
    """Every store and every forward sees what is still to be done, and after what."""
    result = _pipeline(Phase("S1", exit=[STALE]), Phase("S2", "EXPORT_CONTRACT", title="export"), Phase("S3")).run()

    assert exported.attributes("PI-1-S2") == {
        "project.id": "plan",
        "task.id": "PI-1-S2",
        "task.parent_id": "PI-1",
        "task.phase": "EXPORT_CONTRACT",
        "task.status": "not_started",
        "task.title": "export",
        "task.type": "task",
        "task.depends_on": ("PI-1-S1",),
    }
    assert exported["PI-1-S2"].status.status_code is StatusCode.UNSET
    assert format(exported["PI-1-S2"].context.span_id, "016x") == result.phases[1].span_id
    assert [link.context.span_id for link in exported["PI-1-S2"].links] == [exported["PI-1-S1"].context.span_id]
    assert [link.context.span_id for link in exported["PI-1-S3"].links] == [exported["PI-1-S2"].context.span_id]


def test_a_step_that_a_gate_blocks_is_what_its_phase_is_blocked_on(exported: Exported) -> None:
    """The spans lead from the pipeline to the phase, and from there to the step."""
    result = _pipeline(Phase("S1", steps=[Step("S1-C1", gates=[STALE]), Step("S1-C2")])).run()

    (step,) = result.phases[0].steps
    assert (step.id, step.status) == ("S1-C1", "blocked")
    assert exported.attributes("PI-1-S1")["task.blocked_on_span_id"] == step.span_id
    assert exported.attributes("PI-1")["task.blocked_on_span_id"] == result.phases[0].span_id
    assert "task.blocked_on_span_id" not in exported.attributes("PI-1-S1-C1")


def test_work_that_raises_fails_its_phase(exported: Exported) -> None:
    """The error is in the result, with the phases before it as they are, and after it not begun."""

    def work(_: Span) -> None:
        raise ValueError("no features")

    result = _pipeline(Phase("S1"), Phase("S2", run=work), Phase("S3")).run()

    assert _statuses(result.phases) == ["S1 completed", "S2 failed", "S3 not_started"]
    assert (result.status, result.reason) == ("failed", "ValueError: no features")
    assert exported.attributes("PI-1-S2")["task.ended_reason"] == "ValueError: no features"
    with pytest.raises(ValueError, match="no features"):
        result.raise_unless_completed()


def test_an_interrupt_goes_on_its_way(exported: Exported) -> None:
    """Ctrl-C stops the pipeline, and every span of it has ended."""

    def work(_: Span) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _pipeline(Phase("S1", run=work), Phase("S2")).run()

    assert sorted(exported.names) == ["PI-1", "PI-1-S1", "PI-1-S2"]
    assert exported.attributes("PI-1-S2")["task.status"] == "not_started"


def test_an_override_lets_a_pipeline_go_on(exported: Exported) -> None:
    """Under the name and for the reason that are given, for that gate alone."""
    overrides = {"checksum-chain": Override("ada", "known")}
    result = _pipeline(Phase("S1", exit=[STALE]), Phase("S2")).run(overrides=overrides)

    assert result.is_completed
    assert result.gates[0].overridden_by == "ada"
    assert "gate.check.overridden" in [event.name for event in exported["PI-1-S1"].events]


def test_gates_within_the_work_count_too(exported: Exported) -> None:
    """`gate` in a phase's own work blocks the phase, and is in its result."""

    def work(_: Span) -> None:
        gate("first", lambda: True)
        gate("second", lambda: failed("too many gaps", "close them"))

    result = _pipeline(Phase("S1", "INIT_BASELINE", run=work)).run()

    assert [(each.gate_id, each.phase, each.result) for each in result.gates] == [
        ("first", "INIT_BASELINE", "pass"),
        ("second", "INIT_BASELINE", "fail"),
    ]
    assert exported.attributes("PI-1-S1")["task.blocked_reason"] == "too many gaps"


def test_phases_may_be_run_by_hand(exported: Exported) -> None:
    """Each in a block, with its gates; the pipeline knows what is current."""
    pipeline = _pipeline(Phase("S1", exit=[PASS]), Phase("S2", entry=[PASS]))
    with pipeline.start() as run:
        with run.phase("S1"):
            pass
        with pipeline.phase("S2") as span:
            span.set_attribute("quality.feature_count", 3)

    assert run.result().is_completed
    assert exported.attributes("PI-1-S2")["quality.feature_count"] == 3
    assert [len(phase.gates) for phase in run.result().phases] == [1, 1]


def test_a_phase_cannot_begin_before_those_it_depends_on(exported: Exported) -> None:
    """The error says how that one stands, and what to do; the block is not run."""
    pipeline = _pipeline(Phase("S1", exit=[STALE]), Phase("S2"), Phase("S3", depends_on=()))
    with pipeline.start() as run:
        with pytest.raises(TaskStateError, match="S2 cannot begin: S1 is not_started"), run.phase("S2"):
            pytest.fail("it began")
        with pytest.raises(GateBlockedError), run.phase("S1"):
            pass
        with (
            pytest.raises(TaskStateError, match=r"S2 cannot begin: S1 is blocked; source .* stale; run the export"),
            run.phase("S2"),
        ):
            pytest.fail("it began")
        with pytest.raises(TaskStateError, match="S1 has begun already"), run.phase("S1"):
            pytest.fail("it began")
        with run.phase("S3"):
            pass

    assert _statuses(run.result().phases) == ["S1 blocked", "S2 not_started", "S3 completed"]
    assert exported.attributes("PI-1")["task.blocked_reason"] == "PI-1-S1 is blocked: source checksum is stale"
    assert run.result().status == "blocked"


def test_a_pipeline_of_which_not_all_was_run_is_not_completed(exported: Exported) -> None:
    """By hand: it is cancelled, says what is left, and so does the error of who asks for more."""
    pipeline = _pipeline(Phase("S1"), Phase("S2"), Phase("S3"))
    with pipeline.start() as run, run.phase("S1"):
        pass

    assert (run.result().status, run.result().reason) == ("cancelled", "S2 and 1 more not run")
    assert exported.attributes("PI-1")["task.ended_reason"] == "S2 and 1 more not run"
    with pytest.raises(TaskStateError, match="pipeline PI-1 is cancelled: S2 and 1 more not run"):
        run.result().raise_unless_completed()


def test_a_phase_that_failed_by_hand_is_no_completed_pipeline(exported: Exported) -> None:
    """Also if its error was caught."""
    with _pipeline(Phase("S1")).start() as run, suppress(ValueError), run.phase("S1"):
        raise ValueError("no features")

    assert (run.result().status, run.result().reason) == ("cancelled", "S1 is failed")
    assert exported.attributes("PI-1-S1")["task.status"] == "failed"


def _leave_blocked(_: Span) -> None:
    with task_span("SUB") as task:
        task.block("no export", "export it")


def _leave_pipeline_blocked(_: Span) -> None:
    Pipeline("SUB", "within", [Phase("S1", exit=[Gate("inner", lambda: failed("no export", "export it"))])]).run()


@pytest.mark.parametrize("work", [_leave_blocked, _leave_pipeline_blocked])
@pytest.mark.parametrize("place", ["phase", "step"])
def test_work_that_leaves_a_task_blocked_blocks_its_phase(
    exported: Exported, work: Callable[[Span], None], place: str
) -> None:
    """As a gate does: nothing after it runs, and the error names reason and next action."""
    begun: list[str] = []
    steps = [Step("S1-C1", run=work), Step("S1-C2", run=lambda _: begun.append("S1-C2"))]
    first = Phase("S1", steps=steps) if place == "step" else Phase("S1", run=work, exit=[PASS])

    result = _pipeline(first, Phase("S2", run=lambda _: begun.append("S2"))).run()

    assert begun == []
    assert _statuses(result.phases) == ["S1 blocked", "S2 not_started"]
    assert (result.status, result.next_action) == ("blocked", "export it")
    assert result.reason == result.phases[0].reason == "SUB is blocked: no export"
    assert exported.attributes("PI-1-S1-C1" if place == "step" else "PI-1-S1")["task.blocked_on_span_id"] == "SUB"
    assert exported["PI-1-S1"].status.status_code is StatusCode.ERROR
    with pytest.raises(TaskBlockedError, match="SUB is blocked: no export; next action: export it"):
        result.raise_unless_completed()


def _catch(_: Span) -> None:
    with suppress(GateBlockedError):
        gate(STALE.id, STALE.check)


def _catch_in_thread(span: Span) -> None:
    thread = threading.Thread(target=copy_context().run, args=(_catch, span))
    thread.start()
    thread.join()


def _catch_in_task(span: Span) -> None:
    with suppress(GateBlockedError), task_span("SUB"):
        _catch(span)
        gate(STALE.id, STALE.check)


@pytest.mark.parametrize("work", [_catch, _catch_in_thread, _catch_in_task])
@pytest.mark.parametrize("place", ["phase", "step"])
def test_a_gate_blocks_though_the_work_catches_its_error(
    exported: Exported, work: Callable[[Span], None], place: str
) -> None:
    """Agents catch everything; what lets work go on is an override, which has a name and a reason."""
    first = Phase("S1", steps=[Step("S1-C1", run=work)]) if place == "step" else Phase("S1", run=work)

    result = _pipeline(first, Phase("S2")).run()

    assert _statuses(result.phases) == ["S1 blocked", "S2 not_started"]
    assert (result.status, result.reason) == ("blocked", "source checksum is stale")
    assert exported.attributes("PI-1-S1")["task.next_action"] == "run the export again"


def test_a_gate_that_passes_in_the_end_lets_the_work_go_on(exported: Exported) -> None:
    """Of several tries at one gate the last one counts, and so does an override."""
    tries = iter([False, False, True])

    def work(_: Span) -> None:
        for _attempt in range(3):
            with suppress(GateBlockedError):
                gate("retried", lambda: next(tries))
        gate("overridden", lambda: False, override=Override("ada", "known"))
        gate("not blocking", lambda: False, blocking=False)

    assert _pipeline(Phase("S1", run=work), Phase("S2")).run().is_completed
    assert exported.attributes("PI-1")["task.status"] == "completed"


@pytest.mark.parametrize("place", ["phase", "step"])
@pytest.mark.parametrize("in_loop", [False, True])
def test_work_is_awaited(exported: Exported, place: str, in_loop: bool) -> None:
    """A coroutine is run, within the span of its phase or step, also below an event loop."""
    current: list[Span] = []

    async def work(_: Span) -> None:
        await asyncio.sleep(0)
        current.append(trace.get_current_span())

    async def run() -> PipelineResult:
        return pipeline.run()

    phase = Phase("S1", steps=[Step("S1-C1", run=work)]) if place == "step" else Phase("S1", run=work)
    pipeline = _pipeline(phase)
    result = asyncio.run(run()) if in_loop else pipeline.run()

    assert result.is_completed
    (span,) = current
    assert span.get_span_context() == exported["PI-1-S1-C1" if place == "step" else "PI-1-S1"].context


def test_awaited_work_that_raises_fails_its_phase(exported: Exported) -> None:
    """As any other does."""

    async def work(_: Span) -> None:
        raise ValueError("no features")

    result = _pipeline(Phase("S1", run=work)).run()

    assert (result.status, result.reason) == ("failed", "ValueError: no features")
    assert exported["PI-1-S1"].status.status_code is StatusCode.ERROR


def test_work_that_is_a_generator_is_not_taken_for_done(exported: Exported) -> None:
    """Nothing of it has run."""

    def work(_: Span) -> Iterator[int]:
        yield 1

    async def async_work(_: Span) -> AsyncIterator[int]:
        yield 1

    for each in (work, async_work):
        result = _pipeline(Phase("S1", run=each)).run()
        assert result.status == "failed"
        assert "is a generator, and nobody runs it" in result.reason
    assert "PI-1-S1" in exported.names


def test_an_override_of_no_gate_is_refused(exported: Exported) -> None:
    """Before anything runs: a gate that is misspelt would block as before."""
    pipeline = _pipeline(Phase("S1", exit=[STALE], steps=[Step("S1-C1", gates=[PASS])]))
    for begin in (pipeline.run, pipeline.start):
        with pytest.raises(KeyError, match="pipeline PI-1 has no gate checksum-chian to override"):
            begin(overrides={"checksum-chian": Override("ada", "known"), "fine": Override("ada", "known")})

    assert exported.names == []


def test_a_phase_runs_by_itself_where_no_run_is_current(exported: Exported) -> None:
    """As in another process than that of the phases before it: it is a part of the pipeline all the same."""
    pipeline = Pipeline("PI-2", "elsewhere", [Phase("S1"), Phase("S2", "EXPORT_CONTRACT", exit=[STALE])])
    with pytest.raises(GateBlockedError), pipeline.phase("S2"):
        pass

    assert exported.names == ["PI-2-S2"]
    assert exported.attributes("PI-2-S2").items() >= {"task.parent_id": "PI-2", "task.status": "blocked"}.items()


@pytest.mark.parametrize(
    ("phases", "said"),
    [
        ([Phase("S1"), Phase("S1")], "S1 is there twice"),
        ([Phase("S1", steps=[Step("S1")])], "S1 is there twice"),
        ([Phase("")], "an id has to be"),
        ([Phase("S1", depends_on=["S2"]), Phase("S2")], "S1 depends on S2, which is no phase before it"),
    ],
)
def test_a_pipeline_that_makes_no_sense_is_refused(phases: list[Phase], said: str) -> None:
    """Before anything runs."""
    with pytest.raises(ValueError, match=said):
        _pipeline(*phases)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (("", "x", [Phase("S1")]), ValueError, "the id has to be a text"),
        (("P", "x", []), ValueError, "pipeline P: there is no phase in it"),
        (("P", "x", ["S1"]), TypeError, "phases are Phase objects, not 'S1'"),
        (("P", "x", [Phase("S1", steps=["S1-C1"])]), TypeError, "steps of S1 are Step objects, not 'S1-C1'"),  # type: ignore[list-item]
        (("P", "x", [Phase("S1", exit=[len])]), TypeError, "gates of S1 are Gate objects, not <built-in"),  # type: ignore[list-item]
        (("P", "x", [Phase("S1", run="work")]), TypeError, "run of S1 has to be callable, not 'work'"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_part_of_a_pipeline_is_refused(arguments: Any, error: type[Exception], said: str) -> None:
    """Where it is put together, not when it runs."""
    with pytest.raises(error, match=said):
        Pipeline(*arguments)


def test_an_unknown_phase_is_a_key_error() -> None:
    """It names the pipeline and the phase."""
    with pytest.raises(KeyError, match="PI-1 has no phase S9"):
        _pipeline(Phase("S1")).phase("S9")


def test_a_result_is_json(exported: Exported) -> None:
    """For reports: nothing in it that JSON cannot say."""
    del exported
    told = json.loads(json.dumps(_pipeline(Phase("S1", exit=[STALE]), Phase("S2")).run().to_json()))

    assert told["status"] == "blocked"
    assert [phase["status"] for phase in told["phases"]] == ["blocked", "not_started"]
    assert told["phases"][0]["gates"][0]["gate_id"] == "checksum-chain"


def test_a_blocked_pipeline_is_stored_as_it_ran(tmp_path: Path) -> None:
    """The trace has failed where the gate blocked, its gates can be read back, and nothing is out of order."""
    store = f"sqlite:///{tmp_path / 'traces.db'}"
    checked = Gate("gap-parity", lambda: passed("2 gaps, 2 features"))
    with configure_tracing(store=store, project="plan") as tracing:
        result = _pipeline(Phase("S1", "INIT_BASELINE", exit=[checked]), Phase("S2", exit=[STALE]), Phase("S3")).run()
        tracing.flush(30)
    with open_store(store) as opened:
        (summary,) = opened.find_traces(SpanQuery())
        spans = list(summary.spans)
        failures = list(opened.list_failures())

    tree = SpanTree(spans)
    assert gate_results(spans) == list(result.gates)
    assert early_starts(tree) == ()
    assert tree.verdict is not None
    assert tree.verdict.attributes["agenttrace.verdict.status"] == "failed"
    assert [failure.failure_type for failure in failures] == ["validation_error"]
