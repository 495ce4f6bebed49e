"""SpanQuery -> SQL over the columns of `spans`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.stores.limits import INT64
from otel_agenttrace.stores.sql.rows import STATUS_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_agenttrace.stores.api import Order

DURATION = "(end_ns - start_ns)"
RARE_STATUS = "ERROR"
_HUGE = 2**70


class Condition(NamedTuple):
    """A part of a WHERE clause, with its parameters."""

    sql: str
    parameters: tuple[Any, ...] = ()


class Position(NamedTuple):
    """Where a span stands: all that any order looks at."""

    id: int
    start_ns: int
    duration: int | None


def all_of(conditions: list[Condition]) -> Condition:
    """The conjunction."""
    sql = " AND ".join(condition.sql for condition in conditions) or "1"
    return Condition(sql, tuple(value for condition in conditions for value in condition.parameters))


def column_conditions(query: SpanQuery) -> list[Condition]:
    """What the columns say exactly about a query: all of it but attributes, text and service, name and kind."""
    return [*_identity(query), *_flags(query), *started(query), *_durations(query)]


def is_exact(query: SpanQuery) -> bool:
    """Whether the columns say everything, so that no body need be read."""
    return not query.attributes and not query.text


def has_conditions(query: SpanQuery) -> bool:
    """Whether any span may not meet the query."""
    return replace(query, order="stored_desc", limit=0, after=None) != SpanQuery(limit=0)


def wants_index(query: SpanQuery) -> bool:
    """Whether the deferred index helps: the query asks for what may be rare, and no index of the store finds it."""
    if query.trace_id or query.session_id:
        return False
    if query.attributes or query.text:
        return True
    has_bounds = query.min_duration_nano is not None or query.max_duration_nano is not None
    has_names = query.service_name or query.name or query.kind
    return not query.failing and bool(has_bounds or has_names or query.open or query.status_code == RARE_STATUS)


def order_by(order: Order) -> str:
    """The ORDER BY of an order."""
    return {
        "stored_desc": "id DESC",
        "stored_asc": "id",
        "start_desc": "start_ns DESC, id DESC",
        "start_asc": "start_ns, id",
        "duration_desc": f"{DURATION} IS NULL, {DURATION} DESC, id DESC",
    }[order]


def behind(order: Order, last: Position) -> Condition:
    """The condition for what comes behind a position."""
    if order.startswith("stored"):
        return Condition(f"id {_beyond(order)} ?", (last.id,))
    if order.startswith("start"):
        return Condition(f"(start_ns, id) {_beyond(order)} (?, ?)", (last.start_ns, last.id))
    if last.duration is None:
        return Condition(f"{DURATION} IS NULL AND id < ?", (last.id,))
    return Condition(f"({DURATION} IS NULL OR ({DURATION}, id) < (?, ?))", (last.duration, last.id))


def trace_order_by(order: Order) -> str:
    """The ORDER BY that puts the span first by which a trace has its place in an order."""
    if order.startswith("duration"):
        return order_by(order)
    return order_by("start_asc" if order.startswith("start") else "stored_asc")


def at_least(column: str, bound: int | None) -> list[Condition]:
    """The condition for numbers that are not below a bound, if there is one."""
    return [] if bound is None else [Condition(f"{column} >= ?", (_number(bound),))]


def at_most(column: str, bound: int | None) -> list[Condition]:
    """The condition for numbers that are not above a bound, if there is one."""
    return [] if bound is None else [Condition(f"{column} <= ?", (_number(bound),))]


def _beyond(order: Order) -> str:
    return "<" if order.endswith("_desc") else ">"


def _identity(query: SpanQuery) -> Iterator[Condition]:
    if query.trace_id:
        yield Condition("trace_id = ?", (query.trace_id,))
    if query.span_id:
        # Without its trace, a span is found in the index of the keys, which is small, if not at once.
        found = "" if query.trace_id else " AND id IN (SELECT id FROM spans WHERE span_id = ?)"
        yield Condition("span_id = ?" + found, (query.span_id,) * (1 + bool(found)))
    if query.session_id:
        yield Condition(
            "trace_id IN (SELECT trace_id FROM session_traces WHERE session_id = ?"
            " UNION ALL SELECT trace_id FROM traces WHERE trace_id = ? AND names_session = 0)",
            (query.session_id, query.session_id),
        )


def _flags(query: SpanQuery) -> Iterator[Condition]:
    if query.status_code:
        yield Condition("status = ?", (STATUS_NUMBERS.get(query.status_code, -1),))
    if query.failing is not None:
        # A literal, so that SQLite sees that the partial index will do.
        yield Condition(f"failing = {query.failing:d}")
    if query.open is not None:
        yield Condition(f"end_ns IS {'' if query.open else 'NOT '}NULL")


def started(query: SpanQuery, first: str = "start_ns", last: str = "start_ns") -> list[Condition]:
    """The conditions for what started, from `first` to `last`, within the times of a query."""
    to = None if query.started_to is None else query.started_to - 1
    return [*at_least(last, query.started_from), *at_most(first, to)]


def _durations(query: SpanQuery) -> list[Condition]:
    return [*at_least(DURATION, query.min_duration_nano), *at_most(DURATION, query.max_duration_nano)]


def _number(bound: int) -> float:
    """A number that SQLite takes; it compares integers with floats exactly."""
    return bound if bound in INT64 else float(max(-_HUGE, min(bound, _HUGE)))
