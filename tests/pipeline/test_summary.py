"""A trace in one line."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.model.record import EventRecord, SpanRecord
from otel_agenttrace.pipeline.summary import TraceSummary, summarize
from otel_agenttrace.stores.api import StoredTrace
from otel_agenttrace.testing.spans import SECOND, SPAN_ID, START, TRACE_ID, make_span

if TYPE_CHECKING:
    from collections.abc import Sequence


def _summary(*spans: SpanRecord, **options: Any) -> TraceSummary:
    return summarize(StoredTrace(TRACE_ID, spans), **options)


def _child(number: int, **fields: Any) -> SpanRecord:
    start = START + number
    return make_span(
        **{"span_id": f"{number:016x}", "parent_span_id": SPAN_ID, "start_time_unix_nano": start, "name": "child"}
        | fields
    )


def test_a_trace_is_summed_up_under_the_names_of_trace_list() -> None:
    """The fields are those of `trace list --json`, in its order."""
    root = make_span(attributes={"gen_ai.operation.name": "invoke_agent", "project.id": "P", "session.id": "s1"})
    chat = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m1", "gen_ai.usage.input_tokens": 5}
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search", "task.id": "T-1"}
    error = {"status_code": "ERROR", "status_message": "no"}
    spans = [
        root,
        _child(3, attributes=tool, **error),
        _child(1, attributes=chat),
        _child(2, attributes=chat | {"gen_ai.request.model": "m2"}, end_time_unix_nano=START + 2 * SECOND),
    ]

    assert asdict(_summary(*spans)) == {
        "trace_id": TRACE_ID,
        "session_id": "s1",
        "project_id": "P",
        "service_name": "booking-agent",
        "root_name": "invoke_agent booking",
        "status": "passed",
        "started_at": "2026-09-21T14:13:20.000000Z",
        "duration_ms": 2000.0,
        "span_count": 4,
        "error_count": 1,
        "models": ("m1", "m2"),
        "tools": ("search",),
        "task_ids": ("T-1",),
        "input_tokens": 10,
        "output_tokens": 0,
        "cost_usd": None,
        "cost_complete": False,
        "failure_ids": (),
        "cache_read_tokens": 0,
        "cache_write_tokens": 0,
        "reasoning_tokens": 0,
        "reported_cost_usd": None,
        "unpriced_models": ("m1", "m2"),
        "dialects": ("otel_genai",),
        "flag_kinds": (),
    }


def test_each_kind_of_flag_is_named_once() -> None:
    """What is remarkable in a trace shows in lists; the flags themselves are with the trace."""
    cut = {"gen_ai.operation.name": "chat", "gen_ai.response.finish_reasons": ["length"]}

    assert _summary(make_span(), _child(1, attributes=cut), _child(2, attributes=cut)).flag_kinds == ("truncated",)


def test_a_trace_without_a_session_is_one_of_its_own() -> None:
    """Under its trace id; a conversation counts as a session."""
    assert _summary(make_span()).session_id == TRACE_ID
    assert _summary(make_span(), _child(1, attributes={"gen_ai.conversation.id": "c"})).session_id == "c"


_FAILED = {"status_code": "ERROR"}
_OPEN = {"end_time_unix_nano": None}
_JUDGED = {"events": (EventRecord("gen_ai.evaluation.result", 1, {"gen_ai.evaluation.score.label": "hallucinated"}),)}


@pytest.mark.parametrize(
    ("spans", "status"),
    [
        ([make_span()], "passed"),
        ([make_span(**_FAILED)], "failed"),
        ([make_span(), _child(1, **_FAILED)], "passed"),
        ([make_span(**_FAILED), _child(1, **_JUDGED)], "failed"),
        ([make_span(), _child(1, **_JUDGED)], "hallucinated"),
        ([make_span(**_OPEN)], "running"),
        ([make_span(**_OPEN), _child(1, **_FAILED)], "running"),
        ([make_span(**_OPEN), _child(1, **_JUDGED)], "running"),
        ([make_span(), _child(1, **_OPEN)], "passed"),
        ([_child(1, **_FAILED)], "failed"),
    ],
)
def test_the_status_is_that_of_the_root_and_of_what_was_not_recovered(spans: Sequence[SpanRecord], status: str) -> None:
    """Running until the root has ended; then failed, hallucinated or passed."""
    assert _summary(*spans).status == status


def test_a_running_trace_past_its_timeout_has_failed() -> None:
    """Nothing can undo that."""
    root = make_span(end_time_unix_nano=None, attributes={"task.timeout_ms": 1000})

    assert _summary(root).status == "running"
    late = _summary(root, now_unix_nano=START + 2 * SECOND)
    assert (late.status, late.failure_ids) == ("failed", (f"{TRACE_ID}-{SPAN_ID}",))


def test_a_running_trace_lasts_as_long_as_is_known() -> None:
    """Up to its last event; a clock that jumped back gives no negative time."""
    root = make_span(end_time_unix_nano=None, events=(EventRecord("e", START + 5_000_000),))

    assert _summary(root).duration_ms == 5.0
    assert _summary(make_span(end_time_unix_nano=START - SECOND)).duration_ms == 0.0


def test_only_failures_that_count_are_listed() -> None:
    """`error_count` has the recovered ones too."""
    summary = _summary(make_span(), _child(1, **_FAILED), _child(2, **_JUDGED))

    assert (summary.error_count, summary.failure_ids) == (2, (f"{TRACE_ID}-{2:016x}",))


def test_a_span_of_no_service_is_summed_up_too() -> None:
    """Nothing is made up for a resource that is empty."""
    root = make_span()

    assert _summary(replace(root, resource=type(root.resource)())).service_name == ""
