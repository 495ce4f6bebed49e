"""SerializedSpan <-> the columns of a row.

The body is the serialised record itself, so nothing is lost and nothing is encoded twice; columns repeat what queries
and keys need of it. No SQL here: other databases share this.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import orjson

from otel_agenttrace.contract.attributes import FAILURE_TYPE
from otel_agenttrace.errors import StoreRejectedError
from otel_agenttrace.model.codec import SerializedSpan, deserialize, load_fields
from otel_agenttrace.model.record import STATUS_CODES, session_id_of
from otel_agenttrace.stores.limits import INT64, check_times

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_agenttrace.model.record import SpanRecord

Origin: TypeAlias = "tuple[bytes, bytes]"
"""A resource and a scope, serialised: who emitted a span."""

Operation: TypeAlias = "tuple[str, str, str]"
"""The service, the name and the kind of a span."""

STATUS_NUMBERS = {name: number for number, name in enumerate(STATUS_CODES)}


class SpanRow(NamedTuple):
    """What a span has in columns of its own, and its body."""

    trace_id: str
    span_id: str
    start_ns: int
    end_ns: int | None
    operation: Operation
    origin: Origin
    status: int
    failing: bool
    session_id: str | None
    body: str


def span_rows(spans: Sequence[SerializedSpan]) -> list[SpanRow]:
    """Turn serialised spans into rows.

    Raises:
        StoreRejectedError: one of them is no serialised span, or has times that are not 64-bit integers.
    """
    try:
        return [_span_row(span) for span in spans]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreRejectedError(f"not a serialised span: {error!r}") from error


def to_record(body: str, resource: str, scope: str) -> SpanRecord:
    """The span in a row.

    Raises:
        DecodeError: it is damaged.
    """
    return deserialize(SerializedSpan(body.encode(), resource.encode(), scope.encode()))


@lru_cache(maxsize=1024)
def service_name_of(resource: bytes) -> str:
    """The service that a serialised resource names, or an empty string."""
    return str(load_fields(resource).get("attributes", {}).get("service.name") or "")


def json_array(values: Iterable[object]) -> str:
    """Values for `IN (SELECT value FROM json_each(?))`: any number of them in one parameter."""
    return orjson.dumps(list(values)).decode()


def _span_row(span: SerializedSpan) -> SpanRow:
    fields = load_fields(span.span)
    attributes = fields.get("attributes") or {}
    start, end = fields["start_time_unix_nano"], fields.get("end_time_unix_nano")
    if not _is_time(start) or not (end is None or _is_time(end)):
        check_times(fields["trace_id"], fields["span_id"], start, end)
    return SpanRow(
        fields["trace_id"],
        fields["span_id"],
        start,
        end,
        (service_name_of(span.resource), fields["name"], fields.get("kind", "INTERNAL")),
        span[1:],
        STATUS_NUMBERS[fields.get("status_code", "UNSET")],
        FAILURE_TYPE in attributes,
        session_id_of(attributes),
        span.span.decode(),
    )


def _is_time(value: object) -> bool:
    return type(value) is int and value in INT64
