"""The failures of a trace: one per root cause."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.model.record import EventRecord, ResourceRecord, SpanRecord
from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.pipeline.failures import classify, failure_stage
from otel_agenttrace.pipeline.root_cause import find_failures
from otel_agenttrace.testing.spans import SECOND, START, TRACE_ID, make_span

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from otel_agenttrace.pipeline.root_cause import Failure


def _id(number: int) -> str:
    return f"{number:016x}"


def _span(number: int, parent: int | None = None, **fields: Any) -> SpanRecord:
    """Span `number`, which starts after those of lower numbers and ends before them."""
    times = {"start_time_unix_nano": START + number, "end_time_unix_nano": START + SECOND - number}
    ids = {"span_id": _id(number), "parent_span_id": None if parent is None else _id(parent)}
    return make_span(**{"name": f"span {number}"} | times | ids | fields)


def _failing(number: int, parent: int | None = None, error: str = "ValueError", **fields: Any) -> SpanRecord:
    said: Any = {"exception.type": error, "exception.message": f"{error} said"}
    return _span(
        number, parent, **{"status_code": "ERROR", "events": (EventRecord("exception", START, said),)} | fields
    )


def _found(spans: Sequence[SpanRecord], **options: Any) -> list[tuple[int, str, bool]]:
    """Origin, type and recovered of each failure."""
    return [(_origin(each), each.type, each.recovered) for each in find_failures(spans, **options)]


def _origin(failure: Failure) -> int:
    return int(failure.origin.span_id, 16)


def test_an_exception_on_every_level_is_one_failure() -> None:
    """The deepest failing span is the origin; path and members tell the rest of the branch."""
    (failure,) = find_failures(
        [_failing(1), _failing(2, 1), _span(9, 1), _failing(3, 2), _failing(4, 3), _failing(5, 4)]
    )

    assert failure.failure_id == f"{TRACE_ID}-{_id(5)}"
    assert failure.path == tuple(_id(number) for number in (1, 2, 3, 4, 5))
    assert failure.members == tuple(_id(number) for number in (5, 4, 3, 2, 1))
    assert (failure.recovered, failure.is_pending, failure.is_final) == (False, False, True)
    assert (failure.error.message, failure.error.exception_type) == ("ValueError said", "ValueError")


def test_siblings_that_fail_are_failures_of_their_own() -> None:
    """What is above them belongs to the one that brought the same error, else to the last."""
    same = find_failures([_failing(1, error="KeyError"), _failing(2, 1, "KeyError"), _failing(3, 1)])
    other = find_failures([_failing(1, error="OSError"), _failing(2, 1, "KeyError"), _failing(3, 1)])

    assert [(_origin(each), each.members) for each in same] == [(2, (_id(2), _id(1))), (3, (_id(3),))]
    # A lower number ends later here.
    assert [(_origin(each), each.members) for each in other] == [(2, (_id(2), _id(1))), (3, (_id(3),))]


def test_an_error_below_a_good_end_is_recovered() -> None:
    """However far above: the first attempt failed, the run did not."""
    assert _found([_span(1), _failing(2, 1), _span(3, 1)]) == [(2, "exception", True)]
    assert _found([_span(1, status_code="OK"), _failing(2, 1), _failing(3, 2)]) == [(3, "exception", True)]


def test_an_error_recovered_below_a_failing_root_is_not_its_cause() -> None:
    """What was recovered stays so, and the root has a failure of its own."""
    assert _found([_failing(1), _span(2, 1), _failing(3, 2)]) == [(1, "exception", False), (3, "exception", True)]


def test_while_a_span_above_is_open_nothing_is_decided() -> None:
    """The root may yet end well."""
    spans = [_span(1, end_time_unix_nano=None), _failing(2, 1)]
    (failure,) = find_failures(spans)

    assert (failure.recovered, failure.is_pending, failure.is_final) == (False, True, False)
    (below_a_good_end,) = find_failures([spans[0], _span(2, 1), _failing(3, 2)])
    assert (below_a_good_end.recovered, below_a_good_end.is_pending) == (True, False)


def test_an_open_span_past_its_timeout_is_a_failure_now() -> None:
    """It need not have ended, and it can no longer end in time."""
    spans = [_span(1, end_time_unix_nano=None, attributes={"task.timeout_ms": 1000})]
    (failure,) = find_failures(spans, now_unix_nano=START + 2 * SECOND)

    assert find_failures(spans) == ()
    assert (failure.type, failure.is_final) == ("timeout", True)


def test_a_span_that_only_took_too_long_recovers_from_errors_but_not_from_timeouts() -> None:
    """A slow span without an error of its own handled those below it; a timeout below is why it was slow."""
    slow = _span(1, attributes={"task.timeout_ms": 1})

    assert _found([slow, _failing(2, 1)]) == [(1, "timeout", False), (2, "exception", True)]
    assert _found([slow, _failing(2, 1, "httpx.ReadTimeout")]) == [(2, "timeout", False)]


def test_an_orphans_error_is_not_recovered() -> None:
    """Nobody knows how its parent ended."""
    assert _found([_span(1), _failing(3, 2)]) == [(3, "exception", False)]


def test_a_hallucination_is_never_recovered_and_never_a_cause() -> None:
    """A good end above it means that nobody noticed."""
    said: Any = {"gen_ai.evaluation.name": "hallucination", "gen_ai.evaluation.score.label": "yes"}
    judged = _span(2, 1, events=(EventRecord("gen_ai.evaluation.result", START, said),))

    assert _found([_span(1), judged]) == [(2, "hallucination_flag", False)]
    assert _found([_failing(1), judged]) == [(1, "exception", False), (2, "hallucination_flag", False)]
    assert find_failures([_span(1, end_time_unix_nano=None), judged])[0].is_final
    assert _found([_span(1), judged, _failing(3, 2)]) == [(2, "hallucination_flag", False), (3, "exception", True)]


def test_a_call_that_was_cancelled_is_not_why_it_was_cancelled() -> None:
    """Of a timeout around it, or of a sibling's error, the cancelled span is a consequence."""
    timeout, cancelled = _failing(1, error="TimeoutError"), "asyncio.exceptions.CancelledError"
    (failure,) = find_failures([timeout, _failing(2, 1, cancelled), _failing(3, 2, cancelled)])
    group = [_failing(1, error="ExceptionGroup"), _failing(2, 1, "KeyError"), _failing(3, 1, cancelled)]

    assert (_origin(failure), failure.type) == (1, "timeout")
    assert failure.members == (_id(1), _id(3), _id(2))
    assert _found(group) == [(2, "exception", False)]
    assert _found([_span(1), _failing(2, 1, cancelled)]) == [(2, "exception", True)]


def test_a_run_that_was_cancelled_from_outside_is_one_failure() -> None:
    """Where nothing above tells the reason, being cancelled is the failure."""
    cancelled = "asyncio.exceptions.CancelledError"
    (failure,) = find_failures([_failing(1, error=cancelled), _failing(2, 1, cancelled)])

    assert (_origin(failure), failure.type, failure.error.is_cancellation) == (2, "exception", True)


def test_a_span_called_off_without_an_error_status_neither_fails_nor_recovers() -> None:
    """Errors below it are judged by what stands above it."""
    off = (EventRecord("exception", START, {"exception.type": "asyncio.exceptions.CancelledError"}),)
    spans = [_failing(1, error="TimeoutError"), _span(2, 1, events=off), _failing(3, 2, "asyncio.CancelledError")]

    assert _found(spans) == [(1, "timeout", False)]
    assert _found([*spans[:2], _failing(3, 2, "TimeoutError")]) == [(3, "timeout", False)]


def test_what_ended_after_a_failing_span_was_not_its_cause() -> None:
    """By one clock; a call that runs on after the deadline fails on its own. The same error is the same failure."""
    deadline = _failing(1, error="TimeoutError", end_time_unix_nano=START + 10)
    late = _failing(2, 1, "ConnectionError", end_time_unix_nano=START + 20)
    elsewhere = replace(late, resource=ResourceRecord({"service.name": "tools"}))

    assert _found([deadline, late]) == [(1, "timeout", False), (2, "exception", False)]
    assert _found([deadline, elsewhere]) == [(2, "exception", False)]
    assert _found([deadline, replace(late, events=deadline.events)]) == [(2, "timeout", False)]


def test_what_the_origin_does_not_say_is_said_by_those_it_made_fail() -> None:
    """Message, class and stack come from the nearest failing span above that has them."""
    told: Any = {"exception.type": "ToolError", "exception.message": "no such day", "exception.stacktrace": "Traceback"}
    tool = _span(2, 1, status_code="ERROR", events=(EventRecord("exception", START, told),))
    (failure,) = find_failures([_failing(1), tool, _span(3, 2, status_code="ERROR"), _span(4, 3, status_code="ERROR")])

    assert _origin(failure) == 4
    assert (failure.error.message, failure.error.exception_type, failure.error.stacktrace) == (
        "no such day", "ToolError", "Traceback",
    )  # fmt: skip
    (silent,) = find_failures([_span(1, status_code="ERROR")])
    assert (silent.error.message, silent.error.text) == ("", "the span ended with status ERROR")


@pytest.mark.parametrize(
    ("attributes", "above", "expected"),
    [
        ({}, "jsonschema.ValidationError", "validation_error"),
        ({"error.type": "tool_error"}, "jsonschema.ValidationError", "validation_error"),
        ({"http.response.status_code": 400}, "jsonschema.ValidationError", "validation_error"),
        ({}, "TimeoutError", "timeout"),
        ({"http.response.status_code": 500}, "jsonschema.ValidationError", "exception"),
        ({"http.response.status_code": 422}, "ToolError", "validation_error"),
        ({"http.response.status_code": 504}, "jsonschema.ValidationError", "timeout"),
        ({"error.type": "KeyError"}, "jsonschema.ValidationError", "exception"),
    ],
)
def test_an_origin_that_says_nothing_takes_the_type_of_what_it_made_fail(
    attributes: dict[str, Any], above: str, expected: str
) -> None:
    """A request that was only refused has the type that its caller found; one that says why keeps its own."""
    request = _span(2, 1, status_code="ERROR", kind="CLIENT", attributes=attributes)

    assert _found([_failing(1, error=above), request]) == [(2, expected, False)]


def test_the_subject_is_the_nearest_agent() -> None:
    """From the origin up; without an agent it is the root."""
    agent = {"gen_ai.agent.name": "booking"}
    inner = {"gen_ai.agent.name": "planner"}

    def subject(*spans: SpanRecord) -> str:
        return find_failures(spans)[0].subject

    assert subject(_span(1, attributes=agent), _span(2, 1), _failing(3, 2)) == "booking"
    assert subject(_span(1, attributes=agent), _failing(2, 1, attributes=inner)) == "planner"
    assert subject(_span(1), _failing(2, 1)) == "span 1"
    assert subject(_span(1), _failing(3, 2)) == "span 1"
    assert subject(_failing(3, 2)) == "span 3"


def test_spans_that_share_an_id_are_told_apart() -> None:
    """Some emitters repeat a span id with another start time; each of them may fail."""
    spans = [_span(1), _failing(2, 1), _failing(2, 1, "OSError", start_time_unix_nano=START + 9)]

    assert [failure.error.exception_type for failure in find_failures(spans)] == ["ValueError", "OSError"]


def test_a_circle_of_parents_has_failures_like_any_other_trace() -> None:
    """The circle is broken above its first span."""
    assert _found([_failing(1, 3), _failing(2, 1), _failing(3, 2)]) == [(3, "exception", False)]


def test_a_trace_of_many_levels_and_many_failures_is_done_in_one_go() -> None:
    """Neither depth nor width is bounded by recursion, and the path of each failure costs only who asks for it."""
    levels = 10_000
    chain = [_span(number, number - 1 or None, status_code="ERROR") for number in range(1, levels + 1)]
    leaves = [_failing(levels + number, levels, f"Error{number}") for number in range(1, levels + 1)]
    failures = find_failures([*chain, *leaves])

    assert len(failures) == levels
    assert sum(len(failure.members) for failure in failures) == 2 * levels
    assert len(failures[0].path) == levels + 1


_kinds = st.sampled_from(["fine", "ok", "open", "ValueError", "TimeoutError", "CancelledError", "bare", "judged"])
_shapes = st.lists(st.tuples(st.none() | st.integers(1, 8), _kinds, st.integers(0, 3)), min_size=1, max_size=8)


def _random_span(number: int, parent: int | None, kind: str, start: int) -> SpanRecord:
    times = {"start_time_unix_nano": START + start, "end_time_unix_nano": START + 100 - number % 3}
    if kind == "judged":
        said: Any = {"gen_ai.evaluation.score.label": "hallucinated"}
        return _span(number, parent, **times, events=(EventRecord("gen_ai.evaluation.result", START, said),))
    if kind in ("fine", "ok", "open", "bare"):
        status = {"ok": "OK", "bare": "ERROR"}.get(kind, "UNSET")
        return _span(
            number, parent, status_code=status, **times | ({"end_time_unix_nano": None} if kind == "open" else {})
        )
    return _failing(number, parent, kind, **times)


def _facts(spans: Sequence[SpanRecord]) -> list[Any]:
    return [(failure, failure.path) for failure in find_failures(spans)]


@given(_shapes, st.randoms(use_true_random=False))
def test_the_order_of_the_spans_does_not_matter(shapes: list[tuple[int | None, str, int]], random: Random) -> None:
    """Whatever the shape of the trace, the same spans give the same failures."""
    spans = [_random_span(number, *shape) for number, shape in enumerate(shapes, 1)]
    shuffled = list(spans)
    random.shuffle(shuffled)

    assert _facts(shuffled) == _facts(spans)


@given(_shapes)
def test_every_failing_span_is_part_of_one_failure(shapes: list[tuple[int | None, str, int]]) -> None:
    """The id of any failing span leads to exactly one root cause, which is itself a failing span."""
    spans = [_random_span(number, *shape) for number, shape in enumerate(shapes, 1)]
    members = [member for failure in find_failures(spans) for member in failure.members]

    assert sorted(members) == sorted(span.span_id for span in spans if classify(span) is not None)
    assert all(failure.origin.span_id == failure.members[0] for failure in find_failures(spans))


@given(_shapes)
def test_names_and_stamps_do_not_matter(shapes: list[tuple[int | None, str, int]]) -> None:
    """Exported, renamed and stripped of `failure.*`, or stamped twice, the same run has the same failures."""
    spans = [_random_span(number, *shape) for number, shape in enumerate(shapes, 1)]
    stamped = [failure_stage(failure_stage(span)) for span in spans]
    renamed = [replace(span, name="x", resource=ResourceRecord({"service.name": "y"})) for span in spans]

    assert _found(stamped) == _found(spans)
    assert _found(renamed) == _found(spans)


_levels = st.lists(st.sampled_from(["fine", "ValueError", "TimeoutError", "bare"]), min_size=1, max_size=8)


@given(_levels, st.integers(1, 8))
def test_spans_that_come_late_only_move_the_root_cause_deeper(levels: list[str], known: int) -> None:
    """On one branch, known from its root on: what a failure began with before is on the way to where it begins now."""
    spans = [_random_span(number, number - 1 or None, kind, number) for number, kind in enumerate(levels, 1)]
    spans = [replace(span, end_time_unix_nano=START + SECOND) for span in spans]
    after = {member: failure for failure in find_failures(spans) for member in failure.members}
    for failure in find_failures(spans[:known]):
        for member in failure.members:
            assert failure.origin.span_id in after[member].path
            assert after[member].recovered == failure.recovered


@given(_shapes, st.lists(st.integers(0, 8), max_size=3), st.randoms(use_true_random=False))
def test_an_id_that_was_noted_down_finds_its_failure_later(
    shapes: list[tuple[int | None, str, int]], cuts: list[int], random: Random
) -> None:
    """Whatever the batches and their order, the id of every failing span that was seen still leads to a failure."""
    spans = [_random_span(number, *shape) for number, shape in enumerate(shapes, 1)]
    random.shuffle(spans)
    seen: set[str] = set()
    for cut in [*sorted(cuts), len(spans)]:
        resolved = {member for failure in find_failures(spans[:cut]) for member in failure.members}
        assert seen <= resolved
        seen |= resolved


def test_who_asks_a_person_has_dealt_with_the_error_below() -> None:
    """An interrupt is no failure of the spans that it passes, and what was raised before it is recovered."""
    interrupt = "langgraph.errors.GraphInterrupt"
    spans = [_failing(1, error=interrupt), _failing(2, 1, interrupt), _failing(3, 2)]

    assert find_failures(spans[:2]) == ()
    assert _found(spans) == [(3, "exception", True)]


def test_the_result_of_a_tool_that_is_an_error_is_recovered_by_who_goes_on() -> None:
    """A model that was told of the error went on, and so the trace passed."""
    said: Any = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.result": {"isError": True}}

    assert _found([_span(1), _span(2, 1, attributes=said)]) == [(2, "exception", True)]


def test_a_tree_at_hand_is_used() -> None:
    """Who has the spans as a tree need not have them sorted again."""
    spans = [_span(1), _failing(2, 1)]

    assert find_failures(SpanTree(spans)) == find_failures(spans)
