"""Options that choose spans, and the query that they make."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args

import click

from otel_agenttrace.contract.attributes import TASK_ID
from otel_agenttrace.model.record import SPAN_KINDS, STATUS_CODES
from otel_agenttrace.stores.api import AttributeFilter, Order, SpanQuery
from otel_agenttrace.stores.lookup import complete_session_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.stores.api import Operator, SpanStore

    _F = TypeVar("_F", bound=Callable[..., Any])

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)", re.ASCII | re.IGNORECASE)
_NANOS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_CONDITION = re.compile(r"(?P<key>[^=!<>]+)(?:(?P<operator>!=|<=|>=|=|<|>)(?P<value>.*))?", re.DOTALL)


class Duration(click.ParamType[int]):
    """A duration as nanoseconds, read as `150ms`, `2.5s` or `1m`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read one value; a wrong one is a usage error that names the option."""
        if isinstance(value, int):
            return value
        match = _DURATION.fullmatch(value)
        if match is None:
            self.fail(f"{value!r} is not a duration such as 150ms, 2.5s or 1m", param, ctx)
        return round(float(match[1]) * _NANOS[match[2].lower()])


class Condition(click.ParamType[AttributeFilter]):
    """A condition on an attribute: `KEY`, `KEY=VALUE`, `KEY!=VALUE`, `KEY<N`, `KEY<=N`, `KEY>N`, `KEY>=N`."""

    name = "condition"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> AttributeFilter:
        """Read one value; a wrong one is a usage error that names the option."""
        if isinstance(value, AttributeFilter):
            return value
        match = _CONDITION.fullmatch(value)
        if match is None:
            self.fail(f"{value!r} is not KEY, KEY=VALUE, KEY!=VALUE, KEY<N, KEY<=N, KEY>N or KEY>=N", param, ctx)
        operator = cast("Operator", match["operator"] or "exists")
        if operator in ("<", "<=", ">", ">="):
            return AttributeFilter(match["key"], operator, self._number(match["value"], param, ctx))
        return AttributeFilter(match["key"], operator, match["value"] or "")

    def _number(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if not _NUMBER.fullmatch(text):
            self.fail(f"{text!r} is not a number to compare with", param, ctx)
        return float(text)


@dataclass(frozen=True)
class Chosen:
    """What the options of `query_options` and `list_options` said."""

    service: str | None
    name: str | None
    kind: str | None
    span_status: str | None
    session: str | None
    task: str | None
    attributes: tuple[AttributeFilter, ...]
    min_duration: int | None
    max_duration: int | None
    order: Order
    since: int | None
    until: int | None
    limit: int
    after: str | None

    def query(self, spans: SpanStore) -> SpanQuery:
        """The query that the options make.

        Raises:
            TraceNotFoundError: there is no session of the id, or more than one.
        """
        task = (AttributeFilter(TASK_ID, "=", self.task),) if self.task else ()
        return SpanQuery(
            service_name=self.service,
            name=self.name,
            kind=self.kind,
            status_code=self.span_status,
            session_id=complete_session_id(spans, self.session) if self.session else None,
            attributes=(*self.attributes, *task),
            min_duration_nano=self.min_duration,
            max_duration_nano=self.max_duration,
            order=self.order,
            started_from=self.since,
            started_to=self.until,
            limit=self.limit,
            after=self.after,
        )


def query_options(function: _F) -> _F:
    """Add the options that choose spans."""
    for option in (
        click.option("--service", metavar="NAME", help="Only of this service.name."),
        click.option("--name", metavar="NAME", help="Only spans of this name."),
        click.option("--kind", type=click.Choice(SPAN_KINDS[1:], case_sensitive=False), help="Only of this kind."),
        click.option(
            "--span-status", type=click.Choice(STATUS_CODES, case_sensitive=False), help="Only of this status."
        ),
        click.option("--session", metavar="ID", help="Only of this session."),
        click.option("--task", metavar="ID", help="Only of this task.id."),
        click.option(
            "--attr", "attributes", type=Condition(), multiple=True, help="Only with it: KEY, KEY=VALUE, KEY>=N, ..."
        ),
        click.option("--min-duration", type=Duration(), help="Only of at least 150ms, 2.5s, ..."),
        click.option("--max-duration", type=Duration(), help="Only of at most this."),
        click.option("--order", type=click.Choice(get_args(Order)), default="stored_desc", help="Sort by."),
    )[::-1]:
        function = option(function)
    return function
