"""The verdict of a trace."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.grounding import Claim, GroundingReport
from otel_agenttrace.model.codec import deserialize, serialize_readable, serialize_record
from otel_agenttrace.model.merge import greater
from otel_agenttrace.model.readable import to_readable_span
from otel_agenttrace.model.record import EventRecord, LinkRecord, ResourceRecord, ScopeRecord, SpanRecord
from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.model.verdicts import is_verdict
from otel_agenttrace.pipeline.failures import failure_stage
from otel_agenttrace.pipeline.flag import Flag
from otel_agenttrace.pipeline.grounded import Judgement
from otel_agenttrace.pipeline.root_cause import find_failures
from otel_agenttrace.pipeline.sessions import trace_session
from otel_agenttrace.pipeline.summary import summarize
from otel_agenttrace.pipeline.verdict import make_verdict
from otel_agenttrace.stores.api import StoredTrace
from otel_agenttrace.testing.spans import SECOND, SPAN_ID, START, TRACE_ID, make_span
from otel_agenttrace.testing.strategies import span_records

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from otel_agenttrace.model.record import Attributes
    from otel_agenttrace.pipeline.flag import FlagKind


_AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "booking", "session.id": "s1"}
_ROOT = make_span(attributes=_AGENT)
_CHAT = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 2}
_SUPPORTED = GroundingReport.of([Claim("Oslo is in Norway", 0, 17, "statement", 1.0)])
_INVENTED = Claim("412 employees", 18, 31, "number", 0.0, reason="unsupported_number")
_UNSUPPORTED = GroundingReport.of([*_SUPPORTED.claims, _INVENTED])


def _child(number: int, **fields: Any) -> SpanRecord:
    ids = {"span_id": f"{number:016x}", "parent_span_id": SPAN_ID, "name": f"child {number}"}
    times = {"start_time_unix_nano": START + number, "end_time_unix_nano": START + SECOND // 2}
    return make_span(**ids | times | fields)


def _error(kind: str = "ValueError", message: str = "no such day") -> dict[str, Any]:
    said: Any = {"exception.type": kind, "exception.message": message}
    return {"status_code": "ERROR", "events": (EventRecord("exception", START, said),)}


def _made(*spans: SpanRecord, **options: Any) -> SpanRecord:
    verdict = make_verdict(spans, **options)
    assert verdict is not None
    return verdict


def _flag(kind: FlagKind, evidence: Attributes | None = None) -> Flag:
    return Flag(kind, SPAN_ID, "again and again", evidence or {})


def _judge(report: GroundingReport, origin: SpanRecord) -> dict[str, Any]:
    return {"judge": lambda _tree: Judgement(report, origin)}


def test_a_verdict_is_a_span_of_its_trace() -> None:
    """Below the root, at its end, with an id that depends on the trace alone."""
    root = replace(_ROOT, trace_state="a=b", flags=0x103)
    verdict = _made(root, _child(1, attributes=_CHAT))

    assert (verdict.name, verdict.scope) == ("agenttrace.verdict", ScopeRecord("otel_agenttrace"))
    assert (verdict.trace_id, verdict.parent_span_id, verdict.kind) == (TRACE_ID, SPAN_ID, "INTERNAL")
    assert (verdict.start_time_unix_nano, verdict.end_time_unix_nano) == (START + SECOND, START + SECOND)
    assert (verdict.resource, verdict.trace_state, verdict.flags) == (root.resource, "a=b", 0x103)
    assert verdict.span_id == _made(_child(7, status_code="ERROR")).span_id
    assert verdict.span_id != _made(replace(_ROOT, trace_id="f" * 32)).span_id
    assert is_verdict(verdict)


def test_a_pass_has_totals_and_no_failure() -> None:
    """Status and what the trace used; its span status stays unset."""
    verdict = _made(_ROOT, _child(1, attributes=_CHAT), _child(2, attributes=_CHAT | {"gen_ai.usage.cost": 0.25}))

    assert (verdict.status_code, verdict.status_message, verdict.links, verdict.events) == ("UNSET", "", (), ())
    assert verdict.attributes == {
        "agenttrace.revision": 3 * 2001,
        "agenttrace.verdict.status": "passed",
        "session.id": "s1",
        "agenttrace.verdict.span_count": 3,
        "agenttrace.verdict.error_count": 0,
        "agenttrace.verdict.duration_ms": 1000.0,
        "agenttrace.verdict.failure_count": 0,
        "agenttrace.verdict.recovered_count": 0,
        "agenttrace.verdict.input_tokens": 10,
        "agenttrace.verdict.output_tokens": 4,
        "agenttrace.verdict.cost_usd": 0.25,
        "agenttrace.verdict.cost_complete": False,
    }
    assert {type(name) for name in verdict.attributes} == {str}


def test_a_failed_trace_says_in_one_sentence_why() -> None:
    """The failure's attributes are the usual ones, and a link leads to where it began."""
    tool = _child(2, name="execute_tool search", attributes={"gen_ai.tool.name": "search"}, **_error())
    verdict = _made(replace(_ROOT, **_error()), tool)
    failure_id = f"{TRACE_ID}-{tool.span_id}"

    assert (verdict.status_code, verdict.attributes["agenttrace.verdict.status"]) == ("ERROR", "failed")
    assert verdict.status_message == (
        "`search` raised ValueError: no such day after 0.5 s, called by agent booking; the trace failed by it."
    )
    told = {name: value for name, value in verdict.attributes.items() if name.startswith("failure.")}
    assert told == {
        "failure.id": failure_id,
        "failure.type": "exception",
        "failure.subject": "booking",
        "failure.origin_span_id": tool.span_id,
        "failure.recovered": False,
    }
    assert verdict.attributes["agenttrace.verdict.failure_ids"] == [failure_id]
    said: Any = {"failure.id": failure_id, "failure.type": "exception", "failure.recovered": False}
    assert verdict.links == (LinkRecord(TRACE_ID, tool.span_id, said, flags=0x100),)


def test_what_a_trace_recovered_from_is_told_where_nothing_else_is() -> None:
    """A final failure comes first, an error before a hallucination; the trace that recovered has passed."""
    recovered = _child(1, **_error("KeyError"))
    passed = _made(_ROOT, recovered)
    failed = _made(replace(_ROOT, **_error("OSError")), _child(2), replace(recovered, parent_span_id=f"{2:016x}"))

    assert (passed.status_code, passed.attributes["failure.recovered"]) == ("UNSET", True)
    assert passed.attributes["agenttrace.verdict.recovered_count"] == 1
    assert "agenttrace.verdict.failure_ids" not in passed.attributes
    assert failed.attributes["failure.origin_span_id"] == SPAN_ID
    assert [link.attributes["failure.recovered"] for link in failed.links] == [False, True]


def test_of_many_failures_those_that_tell_most_are_linked_and_the_rest_is_counted() -> None:
    """As many links as OTel's SDKs keep of a span."""
    spans = [_child(number, **_error(f"Error{number}")) for number in range(1, 151)]
    verdict = _made(replace(_ROOT, **_error("Error7")), *spans)

    assert (len(verdict.links), verdict.dropped_links_count) == (128, 22)
    assert verdict.attributes["agenttrace.verdict.failure_count"] == 150
    assert len(verdict.attributes["agenttrace.verdict.failure_ids"]) == 128  # type: ignore[arg-type]
    # The root failed by the one with the same error.
    assert verdict.attributes["failure.origin_span_id"] == f"{7:016x}"


@pytest.mark.parametrize("attributes", [{}, {"http.request.method": "GET", "task.id": "inherited"}])
def test_a_trace_that_tells_of_no_agent_has_no_verdict(attributes: dict[str, Any]) -> None:
    """Neither an operation nor a task nor a failure; nor is there one of nothing, or of a verdict."""
    assert make_verdict([make_span(attributes=attributes)]) is None
    assert make_verdict([]) is None
    assert make_verdict([_made(_ROOT)]) is None


@pytest.mark.parametrize(
    "fields", [{"attributes": {"task.status": "completed"}}, {"attributes": _CHAT}, {"status_code": "ERROR"}]
)
def test_an_operation_a_task_or_a_failure_is_enough(fields: dict[str, Any]) -> None:
    """Whichever span tells of it."""
    assert make_verdict([make_span(), _child(1, **fields)]) is not None


def test_without_a_root_the_verdict_stands_where_the_trace_ends() -> None:
    """At the last time that is known, below the first span without its parent."""
    orphan = _child(1, parent_span_id="f" * 16, attributes=_CHAT)
    late = _child(2, parent_span_id=orphan.span_id, end_time_unix_nano=START + 9 * SECOND)
    verdict = _made(orphan, late)

    assert (verdict.parent_span_id, verdict.start_time_unix_nano) == (orphan.span_id, START + 9 * SECOND)
    assert _made(_ROOT, late).start_time_unix_nano == START + SECOND
    opened = replace(_ROOT, end_time_unix_nano=None)
    assert _made(opened).attributes["agenttrace.verdict.status"] == "running"


def test_verdicts_among_the_spans_are_passed_over() -> None:
    """A verdict does not count itself, and does not repeat what another judged."""
    first = _made(_ROOT, **_judge(_UNSUPPORTED, _ROOT))
    again = _made(_ROOT, first)

    assert again == _made(_ROOT)
    assert again.attributes["agenttrace.verdict.status"] == "passed"


def test_a_judgement_is_an_evaluation_that_names_the_claims() -> None:
    """The trace is hallucinated by it, and its origin is the span that was judged."""
    answer = _child(3, name="chat m", attributes=_CHAT)
    verdict = _made(_ROOT, answer, **_judge(_UNSUPPORTED, answer))

    explanation = '1 of 2 claims unsupported: "412 employees" (unsupported_number)'
    said: Any = {
        "gen_ai.evaluation.name": "grounding",
        "gen_ai.evaluation.score.value": 0.25,
        "gen_ai.evaluation.score.label": "unsupported",
        "gen_ai.evaluation.explanation": explanation,
        "agenttrace.verdict.judged_span_id": answer.span_id,
    }
    assert verdict.events == (EventRecord("gen_ai.evaluation.result", START + SECOND, said),)
    assert (verdict.status_code, verdict.attributes["agenttrace.verdict.status"]) == ("ERROR", "hallucinated")
    assert verdict.attributes["failure.type"] == "hallucination_flag"
    assert verdict.attributes["failure.origin_span_id"] == answer.span_id
    assert explanation in verdict.status_message
    assert [link.span_id for link in verdict.links] == [answer.span_id]


def test_a_judgement_is_read_back_from_the_verdict() -> None:
    """Not judged again, and still used when more spans have come; nothing else of the verdict is believed."""
    answer = _child(3, attributes=_CHAT)
    verdict = _made(_ROOT, answer, **_judge(_UNSUPPORTED, answer))
    (failure,) = find_failures([verdict, _ROOT, answer, _child(4)])
    (of_the_root,) = find_failures([verdict, _ROOT])
    supported = _made(_ROOT, answer, **_judge(_SUPPORTED, answer))

    assert (failure.type, failure.origin, failure.is_final) == ("hallucination_flag", answer, True)
    assert failure.error.message == '1 of 2 claims unsupported: "412 employees" (unsupported_number)'
    assert of_the_root.origin == _ROOT
    assert find_failures([supported, _ROOT, answer]) == ()
    assert supported.events[0].attributes["gen_ai.evaluation.explanation"] == "1 of 1 claims supported"
    assert summarize(StoredTrace(TRACE_ID, (_ROOT, answer, verdict))).status == "hallucinated"


def test_a_judgement_does_not_hide_an_error() -> None:
    """A span that failed by itself has one failure, and other spans have theirs."""
    failed = _child(3, attributes=_CHAT, **_error())
    verdict = _made(_ROOT, failed, **_judge(_UNSUPPORTED, failed))
    root = replace(_ROOT, **_error())
    both = _made(root, _child(3), **_judge(_UNSUPPORTED, _child(3)))

    assert [failure.type for failure in find_failures([_ROOT, failed, verdict])] == ["exception"]
    assert both.attributes["failure.type"] == "exception"
    assert sorted(str(link.attributes["failure.type"]) for link in both.links) == ["exception", "hallucination_flag"]


@pytest.mark.parametrize("report", [GroundingReport.of([]), GroundingReport(None, _SUPPORTED.claims)])
def test_what_was_not_checked_is_neither_good_nor_bad(report: GroundingReport) -> None:
    """No event says that an output is grounded of which nothing was checked."""
    assert _made(_ROOT, **_judge(report, _ROOT)) == _made(_ROOT)
    assert _made(_ROOT, judge=lambda _tree: None) == _made(_ROOT)


def test_the_emitters_own_evaluation_keeps_working() -> None:
    """Where a span says it of itself, the verdict says it too."""
    said: Any = {"gen_ai.evaluation.name": "faithfulness", "gen_ai.evaluation.score.label": "fail"}
    judged = _child(1, events=(EventRecord("gen_ai.evaluation.result", START, said),))

    assert _made(_ROOT, judged).attributes["failure.origin_span_id"] == judged.span_id


def test_flags_are_events_and_their_kinds_an_attribute() -> None:
    """They make no trace fail. What is too large to show is left out."""
    flags = [
        _flag("tool_loop", {"calls": 5}),
        _flag("truncated", {"x": "y" * 5000}),
        _flag("truncated"),
    ]
    verdict = _made(_ROOT, find_flags=lambda _tree: flags)

    assert verdict.attributes["agenttrace.verdict.flags"] == ["tool_loop", "truncated"]
    assert [event.name for event in verdict.events] == ["agenttrace.flag"] * 3
    assert verdict.events[0].attributes == {
        "agenttrace.flag.kind": "tool_loop",
        "agenttrace.flag.span_id": SPAN_ID,
        "agenttrace.flag.message": "again and again",
        "agenttrace.flag.evidence": {"calls": 5},
    }
    assert "agenttrace.flag.evidence" not in verdict.events[1].attributes
    assert verdict.status_code == "UNSET"


def test_a_verdict_alone_stands_for_its_trace() -> None:
    """Behind tail sampling it may be all that is left; it is shown, with the status that it tells."""
    failed = _made(replace(_ROOT, **_error()))
    summary = summarize(StoredTrace(TRACE_ID, (failed,)))

    assert (summary.status, summary.root_name, summary.span_count) == ("failed", "booking", 1)
    (failure,) = find_failures([failed])
    assert (failure.type, failure.subject, failure.error.message) == ("exception", "booking", failed.status_message)
    assert trace_session("s1", [[failed]]).task == "booking"
    used = _made(_ROOT, _child(1, attributes=_CHAT | {"gen_ai.usage.cost": 0.25}))
    alone = summarize(StoredTrace(TRACE_ID, (used,)))
    assert (alone.root_name, alone.session_id) == ("agenttrace.verdict", "s1")
    assert (alone.input_tokens, alone.output_tokens, alone.cost_usd, alone.cost_complete) == (5, 2, 0.25, True)
    for spans, options, status in (
        ([_ROOT], {}, "passed"),
        ([_ROOT], _judge(_UNSUPPORTED, _ROOT), "hallucinated"),
        ([replace(_ROOT, end_time_unix_nano=None)], {}, "running"),
    ):
        assert summarize(StoredTrace(TRACE_ID, (_made(*spans, **options),))).status == status


def test_a_verdict_is_no_span_of_the_trace() -> None:
    """With or without it, the trace has the same counts, totals, times and failures."""
    spans = (_ROOT, _child(1, attributes=_CHAT), _child(2, **_error()))

    assert summarize(StoredTrace(TRACE_ID, (*spans, _made(*spans)))) == summarize(StoredTrace(TRACE_ID, spans))


def test_a_stale_verdict_makes_no_failure() -> None:
    """What it called failed may have been recovered from, as spans that came later show."""
    lost = _child(2, parent_span_id=f"{1:016x}", **_error())
    stale = _made(lost)

    assert stale.attributes["failure.recovered"] is False
    assert [failure.is_final for failure in find_failures([stale, lost, _child(1), _ROOT])] == [False]


def test_the_stage_leaves_a_verdict_as_it_is() -> None:
    """Its `failure.type` is the trace's, and not that of a span with an error status."""
    for verdict in (_made(_ROOT), _made(_ROOT, **_judge(_UNSUPPORTED, _ROOT)), _made(_ROOT, _child(1, **_error()))):
        assert failure_stage(verdict) is verdict


_Shape: TypeAlias = "tuple[int, int | None, str, bool]"
_kinds = st.sampled_from(["fine", "chat", "open", "error", "timeout", "abandoned", "cancelled", "judged", "revised"])
_shapes = st.lists(
    st.tuples(st.integers(1, 9), st.none() | st.integers(1, 10), _kinds, st.booleans()),
    min_size=1,
    max_size=9,
    unique_by=lambda shape: shape[0],
)


def _random_span(number: int, parent: int | None, kind: str) -> SpanRecord:
    said: Any = {"gen_ai.evaluation.score.label": "hallucinated"}
    fields: dict[str, dict[str, Any]] = {
        "chat": {"attributes": _CHAT | {"gen_ai.usage.cost": 0.1 * number}},
        "open": {"end_time_unix_nano": None},
        "error": _error(),
        "timeout": _error("TimeoutError", "late"),
        "abandoned": {"attributes": {"agenttrace.ended_by": "x"}},
        "cancelled": _error("CancelledError", ""),
        "judged": {"events": (EventRecord("gen_ai.evaluation.result", START, said),)},
        "revised": {"attributes": {"agenttrace.revision": 7, "task.status": "failed"}},
    }
    resource = ResourceRecord({"service.name": f"service {number % 2}"})
    parent_id = None if parent is None else f"{parent:016x}"
    return _child(number, **{"parent_span_id": parent_id, "resource": resource} | fields.get(kind, {}))


def _random_trace(shapes: Sequence[_Shape]) -> list[SpanRecord]:
    """Each span, some of them twice: while they were open, and later."""
    spans = [(_random_span(number, parent, kind), was_seen_open) for number, parent, kind, was_seen_open in shapes]
    opened = [replace(span, end_time_unix_nano=None) for span, was_seen_open in spans if was_seen_open]
    return [*opened, *(span for span, _ in spans)]


def _judged_by_itself(tree: SpanTree) -> Judgement:
    """Some pure function of the trace."""
    last = max(tree.nodes, key=lambda node: node.record.span_id).record
    return Judgement(_UNSUPPORTED if len(tree.nodes) % 2 else _SUPPORTED, last)


def _serialized(spans: Sequence[SpanRecord]) -> Any:
    verdict = make_verdict(
        spans, judge=_judged_by_itself, find_flags=lambda tree: [_flag("tool_loop", {"n": len(tree.nodes)})]
    )
    return None if verdict is None else serialize_record(verdict)


@given(_shapes, st.randoms(use_true_random=False))
def test_the_same_spans_give_the_same_bytes_in_any_order(shapes: list[_Shape], random: Random) -> None:
    """Repeated records, several versions of one span and verdicts made on the way change nothing."""
    spans = _random_trace(shapes)
    shuffled = [*spans, *spans[:2], *filter(None, [make_verdict(spans[:2]), make_verdict(spans)])]
    random.shuffle(shuffled)

    assert _serialized(shuffled) == _serialized(spans)


@given(_shapes, st.lists(st.integers(0, 10), max_size=3))
def test_whatever_the_batches_the_last_verdict_is_the_greatest(shapes: list[_Shape], cuts: list[int]) -> None:
    """A verdict after each batch, kept as a store keeps it: what counts in the end is the one made from all."""
    spans = _random_trace(shapes)
    kept: dict[tuple[str, str, int], SpanRecord] = {}
    for cut in [*sorted(cuts), len(spans)]:
        verdict = make_verdict([*kept.values(), *spans[:cut]])
        if verdict is not None:
            known = kept.get(verdict.identity)
            kept[verdict.identity] = verdict if known is None else greater(known, verdict)

    assert SpanTree([*spans, *kept.values()]).verdict == make_verdict(spans)


@given(_shapes, st.integers(0, 10))
def test_more_spans_give_a_greater_revision(shapes: list[_Shape], cut: int) -> None:
    """Never a smaller one, and the same only where nothing is known that was not known before."""
    spans = _random_trace(shapes)
    before, after = make_verdict(spans[:cut]), make_verdict(spans)
    if before is not None:
        assert after is not None
        one, other = before.attributes["agenttrace.revision"], after.attributes["agenttrace.revision"]
        assert one <= other  # type: ignore[operator]
        assert one != other or _known_of(spans[:cut]) == _known_of(spans)


def _known_of(spans: Sequence[SpanRecord]) -> list[SpanRecord]:
    return [node.record for node in SpanTree(spans).nodes]


@given(_shapes)
def test_any_verdict_survives_being_stored(shapes: list[_Shape]) -> None:
    """What is read back is equal."""
    verdict = make_verdict(_random_trace(shapes), judge=_judged_by_itself)
    if verdict is not None:
        assert deserialize(serialize_record(verdict)) == verdict


@given(st.lists(span_records, min_size=1, max_size=4), st.booleans())
def test_no_span_is_too_odd_for_a_verdict(records: list[SpanRecord], is_verdict_like: bool) -> None:
    """Whatever the spans hold, also those that look like verdicts."""
    spans = [replace(record, trace_id=TRACE_ID) for record in records]
    if is_verdict_like:
        spans[0] = replace(spans[0], name="agenttrace.verdict", scope=ScopeRecord("otel_agenttrace"))
    verdict = make_verdict([*spans, _ROOT], judge=_judged_by_itself)

    assert verdict is not None
    serialize_record(verdict)
    summarize(StoredTrace(TRACE_ID, (*spans, verdict)))


def test_a_verdict_comes_back_through_an_sdk_as_it_was() -> None:
    """So a server of ours behind an exporter of ours finds nothing new in it."""
    tool = _child(2, name="execute_tool search", attributes={"gen_ai.tool.name": "search"}, **_error())
    verdict = _made(replace(_ROOT, **_error()), tool)

    assert deserialize(serialize_readable(to_readable_span(verdict))) == verdict
