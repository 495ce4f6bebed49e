"""Spans of Logfire that tell of the beginning or the end of another span, put together with it.

A *pending span* says that a span has begun, for traces that are looked at while they run: it has that span's name and
attributes, takes no time, and stands below it, see https://logfire.pydantic.dev/docs/reference/sql/ (`kind`). A
streamed answer of a model comes in a log after the request has ended: a span without duration beside that request.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import (
    AGENTTRACE_COST_USD,
    GEN_AI_OUTPUT_MESSAGES,
    GEN_AI_REQUEST_MODEL,
    GEN_AI_RESPONSE_MODEL,
    GEN_AI_USAGE_OUTPUT_TOKENS,
)
from otel_agenttrace.model.codec import HAS_IS_REMOTE, IS_REMOTE
from otel_agenttrace.model.record import with_attributes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_agenttrace.model.record import SpanRecord

_TYPE = "logfire.span_type"
_PARENT = "logfire.pending_parent_id"
_REQUEST, _RESPONSE = "request_data", "response_data"
_STREAMED = "streaming response from "
_NO_PARENT = "0" * 16
_ANSWERED = (_RESPONSE, *map(str, (GEN_AI_OUTPUT_MESSAGES, GEN_AI_RESPONSE_MODEL, GEN_AI_USAGE_OUTPUT_TOKENS)))
"""A request that has any of these tells its answer itself."""

_OF_ANSWER = (_RESPONSE, "events", "operation.cost", str(AGENTTRACE_COST_USD))
"""What a request takes from the log of its answer, beside all `gen_ai.*`."""


def join_parts(records: Sequence[SpanRecord]) -> list[SpanRecord]:
    """Put spans together with what Logfire tells of their beginning and end in spans of their own.

    A pending span goes where its span is there, and stands for it, open, where it is not. A log of a streamed answer
    goes into the request that it answers: the last one before it that has no other answer.

    Args:
        records: spans, each once.

    Returns:
        The spans in the order in which they were given. Which these are does not depend on that order.
    """
    if not any(_TYPE in record.attributes for record in records):
        return list(records)
    return _with_answers(_begun(records))


def _begun(records: Sequence[SpanRecord]) -> list[SpanRecord]:
    known = {(record.trace_id, record.span_id) for record in records if not _is_pending(record)}
    kept: list[SpanRecord] = []
    for record in records:
        if not _is_pending(record):
            kept.append(record)
        elif (record.trace_id, record.parent_span_id) not in known:
            kept.append(_as_open(record))
    return kept


def _is_pending(record: SpanRecord) -> bool:
    # One that is open stands for its span already.
    is_ended_child = record.parent_span_id is not None and record.end_time_unix_nano is not None
    return is_ended_child and record.attributes.get(_TYPE) == "pending_span"


def _as_open(pending: SpanRecord) -> SpanRecord:
    """The span that has begun, as far as its pending span tells."""
    parent = pending.attributes.get(_PARENT)
    return replace(
        pending,
        span_id=pending.parent_span_id or pending.span_id,
        parent_span_id=parent if isinstance(parent, str) and _is_span_id(parent) else None,
        end_time_unix_nano=None,
        # They tell where the span ran that the pending one stands below.
        flags=pending.flags & ~(HAS_IS_REMOTE | IS_REMOTE),
    )


def _is_span_id(text: str) -> bool:
    return len(text) == len(_NO_PARENT) and text != _NO_PARENT and not text.strip("0123456789abcdef")


def _with_answers(records: Sequence[SpanRecord]) -> list[SpanRecord]:
    logs = [record for record in records if _is_streamed_answer(record)]
    if not logs:
        return list(records)
    waiting: dict[tuple[object, ...], list[SpanRecord]] = {}
    for record in _by_time(filter(_is_unanswered, records)):
        waiting.setdefault(_asked(record), []).append(record)
    answers: dict[tuple[str, str, int], SpanRecord] = {}
    gone: set[tuple[str, str, int]] = set()
    for log in _by_time(logs):
        requests = waiting.get(_asked(log), [])
        earlier = bisect_right(requests, log.start_time_unix_nano, key=lambda record: record.start_time_unix_nano)
        if earlier:
            answers[requests.pop(earlier - 1).identity] = log
            gone.add(log.identity)
    return [
        _answered(record, answers[record.identity]) if record.identity in answers else record
        for record in records
        if record.identity not in gone
    ]


def _is_streamed_answer(record: SpanRecord) -> bool:
    return record.attributes.get(_TYPE) == "log" and record.name.startswith(_STREAMED)


def _is_unanswered(record: SpanRecord) -> bool:
    attributes = record.attributes
    is_request = attributes.get(_TYPE) in ("span", "pending_span") and GEN_AI_REQUEST_MODEL in attributes
    return is_request and record.status_code != "ERROR" and not any(name in attributes for name in _ANSWERED)


def _asked(record: SpanRecord) -> tuple[object, ...]:
    """The same for a request and the log of its answer. Requests of the same content are told apart by time alone."""
    told = (record.attributes.get(name) for name in (_REQUEST, str(GEN_AI_REQUEST_MODEL)))
    texts = [value if isinstance(value, str) else None for value in told]
    return record.trace_id, record.parent_span_id, record.scope.name, *texts


def _by_time(records: Iterable[SpanRecord]) -> list[SpanRecord]:
    return sorted(records, key=lambda record: (record.start_time_unix_nano, record.span_id, record.trace_id))


def _answered(request: SpanRecord, log: SpanRecord) -> SpanRecord:
    """The request with what the log says of its answer; its times stay its own."""
    answer = {name: value for name, value in log.attributes.items() if name in _OF_ANSWER or name.startswith("gen_ai.")}
    return with_attributes(request, {**answer, **request.attributes})
