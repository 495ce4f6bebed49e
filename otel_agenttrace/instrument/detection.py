"""`run_with_failure_detection`: run an agent once, with a deadline, and hear what a store would say of it."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from opentelemetry import context as context_api
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import format_span_id, format_trace_id

from otel_agenttrace.contract.attributes import (
    AGENTTRACE_OUTPUT,
    EVENT_EXCEPTION,
    GEN_AI_AGENT_NAME,
    GEN_AI_OPERATION_NAME,
)
from otel_agenttrace.instrument.capture import capture, keeps_content
from otel_agenttrace.instrument.collect import collector_of
from otel_agenttrace.instrument.faults import contained
from otel_agenttrace.instrument.ids import TimeOrderedIdGenerator
from otel_agenttrace.instrument.running import BackgroundRun
from otel_agenttrace.instrument.spans import current_provider, exception_attributes, start_span, with_provider
from otel_agenttrace.model.record import EventRecord, SpanRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.instrument.spans import OpenSpan
    from otel_agenttrace.model.failure import FailureEvent
    from otel_agenttrace.model.record import Attributes
    from otel_agenttrace.model.trace_record import TraceRecord
    from otel_agenttrace.pipeline.root_cause import Failure


def run_with_failure_detection(
    subject_name: str, fn: Callable[[], Any], *, timeout_s: float
) -> tuple[FailureEvent, TraceRecord]:
    """Run `fn` as the agent `subject_name`, and return how it went: a failure, or an event of type none for a pass.

    `fn` is called without arguments on a thread of its own, with a copy of this context, inside of a span
    `invoke_agent <subject_name>`: the root of a new trace, or below the current span. What it returns is awaited if
    it can be. The result is worked out from the spans that it ended, as every store does it; what `fn` raised is
    reported, not raised. From a coroutine, call it by `asyncio.to_thread`, lest the event loop waits.

    It needs no `configure_tracing`: without a TracerProvider that records, the spans are kept for the result alone.

    Args:
        subject_name: the agent's name, the `subject` of both results.
        fn: a function or coroutine function without arguments.
        timeout_s: seconds after which the run counts as a timeout and this returns, whether `fn` stops or not. A
            coroutine is then cancelled; a plain function runs on.

    Raises:
        ValueError: `timeout_s` is not a positive number.
        TypeError: `fn` cannot be called, or another argument is not of its type.
        KeyboardInterrupt, SystemExit: raised by `fn`, or while waiting for it; the span is ended before.
        ContractError: the span that was started here breaks the contract, in the contract's `enforce` mode.
    """
    if not callable(fn):
        raise TypeError(f"run_with_failure_detection: fn has to be callable, not {fn!r}")
    if not isinstance(subject_name, str):
        raise TypeError(f"run_with_failure_detection: subject_name takes text, not {subject_name!r}")
    if isinstance(timeout_s, bool) or not isinstance(timeout_s, (int, float)):
        raise TypeError(f"run_with_failure_detection: timeout_s takes a number of seconds, not {timeout_s!r}")
    if not timeout_s > 0:
        raise ValueError(f"run_with_failure_detection: timeout_s has to be a positive number, not {timeout_s!r}")
    started_unix_nano = time.time_ns()
    opened, provider = _open(subject_name)
    top = opened.span.get_span_context()
    collector = collector_of(provider)
    collection = collector.begin(top.trace_id, top.span_id)
    run = BackgroundRun(fn, opened)
    try:
        error = _outcome(run, opened, timeout_s)
    finally:
        collector.end(collection)
        run.cancel()  # only now, so that what is cancelled by it is no part of the result
    spans = _spans_below(collection.records(), format_span_id(top.span_id))
    return _result(subject_name, spans or [_bare_record(subject_name, opened, started_unix_nano, error)])


def _open(subject_name: str) -> tuple[OpenSpan, Any]:
    """The run's span, and the provider that records it: one for this purpose alone where there is none else."""
    provider: Any = current_provider()
    if not hasattr(provider, "add_span_processor"):
        provider = _own_provider()
    outer = context_api.attach(with_provider(provider))
    opened = start_span(_span_name(subject_name), attributes=_attributes(subject_name))
    context_api.detach(outer)
    return opened, provider


def _span_name(subject_name: str) -> str:
    """See https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-agent-spans/#invoke-agent-span."""
    return f"invoke_agent {subject_name}"


def _attributes(subject_name: str) -> Attributes:
    return {GEN_AI_OPERATION_NAME: "invoke_agent", GEN_AI_AGENT_NAME: subject_name}


@lru_cache(maxsize=1)
def _own_provider() -> TracerProvider:
    return TracerProvider(sampler=ALWAYS_ON, id_generator=TimeOrderedIdGenerator(), shutdown_on_exit=False)


def _outcome(run: BackgroundRun, opened: OpenSpan, timeout_s: float) -> BaseException | None:
    """Run to the end or to the deadline, end the span, and return what went wrong."""
    try:
        run.start()
        error = run.error_within(timeout_s)
    except BaseException as passing:
        opened.end(passing)
        raise
    if run.result is not None and error is None and keeps_content():
        with contained("record an output"):
            opened.span.set_attribute(AGENTTRACE_OUTPUT, capture(run.result))
    opened.end(error)
    return error


def _spans_below(records: list[SpanRecord], top_span_id: str) -> list[SpanRecord]:
    """The run's own span as a root, and what belongs to it; nothing if that span was not recorded."""
    top = next((record for record in records if record.span_id == top_span_id), None)
    if top is None:
        return []
    rest = [record for record in records if record is not top]
    if top.parent_span_id is not None:
        rest = _descendants(rest, top_span_id)
    return [replace(top, parent_span_id=None), *rest]


def _descendants(records: list[SpanRecord], top_span_id: str) -> list[SpanRecord]:
    below: dict[str | None, list[SpanRecord]] = {}
    for record in records:
        below.setdefault(record.parent_span_id, []).append(record)
    found: list[SpanRecord] = below.pop(top_span_id, [])
    for record in found:  # grows while we go through it
        found += below.pop(record.span_id, [])
    return found


def _bare_record(
    subject_name: str, opened: OpenSpan, started_unix_nano: int, error: BaseException | None
) -> SpanRecord:
    """What is known of a run whose span a sampler dropped, or that runs with the SDK disabled."""
    context, ids, ended_unix_nano = opened.span.get_span_context(), TimeOrderedIdGenerator(), time.time_ns()
    return SpanRecord(
        trace_id=format_trace_id(context.trace_id or ids.generate_trace_id()),
        span_id=format_span_id(context.span_id or ids.generate_span_id()),
        name=_span_name(subject_name),
        attributes=_attributes(subject_name),
        start_time_unix_nano=started_unix_nano,
        end_time_unix_nano=ended_unix_nano,
        status_code="UNSET" if error is None else "ERROR",
        events=() if error is None else (EventRecord(EVENT_EXCEPTION, ended_unix_nano, exception_attributes(error)),),
    )


def _result(subject_name: str, spans: list[SpanRecord]) -> tuple[FailureEvent, TraceRecord]:
    # These import pydantic, which an agent that is only being recorded never needs.
    from otel_agenttrace.pipeline.project import failure_event, passed_event, trace_record  # noqa: PLC0415

    failure = _failure_of(spans)
    event = passed_event(spans) if failure is None else failure_event(failure)
    record = trace_record(spans, failure)
    return event.model_copy(update={"subject": subject_name}), record.model_copy(update={"subject": subject_name})


def _failure_of(spans: list[SpanRecord]) -> Failure | None:
    """The failure that the run's own span, the first, ended with; else a hallucination, which nobody noticed."""
    from otel_agenttrace.pipeline.root_cause import find_failures  # noqa: PLC0415

    failures = find_failures(spans)
    own = [failure for failure in failures if spans[0].span_id in failure.members]
    unnoticed = [failure for failure in failures if failure.type == "hallucination_flag"]
    return next(iter(own + unnoticed), None)
