"""What a query means, in Python: the memory store asks nothing else, the others what their queries cannot express."""

from __future__ import annotations

import base64
import math
import operator
from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import FAILURE_TYPE
from otel_agenttrace.model.codec import serialize_value
from otel_agenttrace.stores.text import span_words, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.model.record import AnyValue, SpanRecord
    from otel_agenttrace.stores.api import AttributeFilter, SpanQuery

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ABSENT = object()


def matches(span: SpanRecord, query: SpanQuery) -> bool:
    """Whether a span meets all conditions of a query but `session_id`, for which its trace must be known."""
    return (
        _matches_fields(span, query)
        and _matches_times(span, query)
        and all(matches_attribute(span, condition) for condition in query.attributes)
        and (not query.text or matches_text(span, query.text))
    )


def matches_text(span: SpanRecord, text: str) -> bool:
    """Whether every word of a text stands in a span; a text without words is found nowhere."""
    wanted = words(text)
    return bool(wanted) and wanted <= span_words(span)


def matches_attribute(span: SpanRecord, condition: AttributeFilter) -> bool:
    """Whether the span, or else its resource, has an attribute that meets the condition."""
    value = span.attributes.get(condition.key, _ABSENT)
    if value is _ABSENT:
        value = span.resource.attributes.get(condition.key, _ABSENT)
    return value is not _ABSENT and matches_value(value, condition)  # type: ignore[arg-type]


def matches_value(value: AnyValue, condition: AttributeFilter) -> bool:
    """Whether the value of an attribute meets the condition."""
    if condition.operator == "exists":
        return True
    if condition.operator in ("=", "!="):
        return (text_of(value) == text_of(condition.value)) is (condition.operator == "=")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    bound = number_of(condition.value)
    return bound is not None and _COMPARISONS[condition.operator](value, bound)


def text_of(value: AnyValue) -> str:
    """The text of an attribute value that `=` compares: what it would be as JSON, without the quotes."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return repr(value)
    return serialize_value(value)


def number_of(value: str | float) -> int | float | None:
    """A number, or one written as text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value
    try:
        return int(value)
    except ValueError:
        return _float_of(value)


def _float_of(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _matches_fields(span: SpanRecord, query: SpanQuery) -> bool:
    return (
        query.trace_id in (None, "", span.trace_id)
        and query.span_id in (None, "", span.span_id)
        and query.service_name in (None, "", span.resource.service_name)
        and query.name in (None, "", span.name)
        and query.kind in (None, "", span.kind)
        and query.status_code in (None, "", span.status_code)
        and query.failing in (None, FAILURE_TYPE in span.attributes)
        and query.open in (None, span.end_time_unix_nano is None)
    )


def _matches_times(span: SpanRecord, query: SpanQuery) -> bool:
    start, duration = span.start_time_unix_nano, span.duration_nano
    return (
        (query.started_from is None or start >= query.started_from)
        and (query.started_to is None or start < query.started_to)
        and (query.min_duration_nano is None or (duration is not None and duration >= query.min_duration_nano))
        and (query.max_duration_nano is None or (duration is not None and duration <= query.max_duration_nano))
    )
