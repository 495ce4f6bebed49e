"""SerializedSpan <-> the columns of a row.

The body is the serialised record itself, so nothing is lost and nothing is encoded twice; columns repeat what queries
and keys need of it. No SQL here: other databases share this.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import orjson

from otel_agenttrace.contract.attributes import FAILURE_TYPE, GEN_AI_CONVERSATION_ID, SESSION_ID
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

# Plain strings: a dict finds a subclass of str more slowly.
_FAILURE_TYPE, _SESSION_ID, _CONVERSATION_ID = map(str, (FAILURE_TYPE, SESSION_ID, GEN_AI_CONVERSATION_ID))

STATUS_NUMBERS = {name: number for number, name in enumerate(STATUS_CODES)}


Columns: TypeAlias = "tuple[str, str, int, int | None, Operation, Origin, int, bool, str | None, str]"
"""What a SpanRow holds, as a plain tuple: making a million of those takes half a second less."""


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


def span_columns(spans: Sequence[SerializedSpan]) -> list[Columns]:
    """Turn serialised spans into what SpanRows hold.

    Raises:
        StoreRejectedError: one of them is no serialised span, or has times that are not 64-bit integers.
    """
    try:
        return [_columns(*span) for span in spans]
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


def _columns(text: bytes, resource: bytes, scope: bytes) -> Columns:
    # Half of what writing costs in Python is this parse; tags (see `model.codec`) are read only where they matter.
    fields = orjson.loads(text)
    get = fields.get
    attributes = get("attributes") or {}
    session_id = attributes.get(_SESSION_ID) or attributes.get(_CONVERSATION_ID)
    start, end = fields["start_time_unix_nano"], get("end_time_unix_nano")
    if not (
        type(start) is int
        and start in INT64
        and (end is None or (type(end) is int and end in INT64))
        and (session_id is None or type(session_id) is str)
    ):
        start, end, session_id = _untagged(text)
    return (
        fields["trace_id"],
        fields["span_id"],
        start,
        end,
        (service_name_of(resource), fields["name"], get("kind", "INTERNAL")),
        (resource, scope),
        STATUS_NUMBERS[get("status_code", "UNSET")],
        _FAILURE_TYPE in attributes,
        session_id or None,
        text.decode(),
    )


def _untagged(text: bytes) -> tuple[int, int | None, str | None]:
    """Start, end and session of a span whose times may not fit, and whose session may be no string."""
    fields = load_fields(text)
    start, end = fields["start_time_unix_nano"], fields.get("end_time_unix_nano")
    check_times(fields["trace_id"], fields["span_id"], start, end)
    return start, end, session_id_of(fields.get("attributes") or {})
