"""Where the numbers of a view do not add up: what is recorded and not stored, what was refused, what never came."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from otel_agenttrace.model.codec import HAS_IS_REMOTE, IS_REMOTE
from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.views.lines import Line, Segment
from otel_agenttrace.views.text import one_line, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from otel_agenttrace.spool.refusals import Refused
    from otel_agenttrace.stores.api import StoredTrace

WarningKind: TypeAlias = Literal["waiting", "refused", "no_parent", "unreadable"]

_MAX_LINES = 3
_OF_A_REMOTE_PARENT = HAS_IS_REMOTE | IS_REMOTE


@dataclass(frozen=True, slots=True)
class ViewWarning:
    """Something that a view cannot show, and would if nothing were wrong.

    Attributes:
        kind: `waiting`: spans that are in the spool and not in the store. `refused`: records that the spool did not
            take while the trace ran, of the same service. `no_parent`: spans whose parent, of the same process, was
            never stored. `unreadable`: the spool could not be looked through.
        message: the same in words.
        count: of spans or records; None if nobody knows.
    """

    kind: WarningKind
    message: str
    count: int | None = None


def waiting_warnings(count: int, what: str, *, is_complete: bool = True) -> Iterator[ViewWarning]:
    """Warn of spans that wait to be stored; `what` is `trace` or `session`."""
    if count:
        least = "" if is_complete else "at least "
        verb = "waits" if count == 1 else "wait"
        message = f"{least}{_spans(count)} of this {what} {verb} to be stored: see `agenttrace spool status`"
        yield ViewWarning("waiting", message, count)
    elif not is_complete:
        yield unreadable_warning(what, "not all of it was read")


def unreadable_warning(what: str, reason: str) -> ViewWarning:
    """Warn that nobody knows what waits."""
    return ViewWarning("unreadable", f"more of this {what} may wait in the spool: {reason}")


def refusal_warnings(refused: Iterable[Refused], what: str) -> Iterator[ViewWarning]:
    """Warn of what was refused while a trace or session ran."""
    for each in refused:
        records = f"{each.records:,} record{'' if each.records == 1 else 's'}"
        service = one_line(each.service_name) or "an unnamed service"
        reasons = ", ".join(each.reasons)
        message = f"{records} of {service} refused while this {what} ran ({reasons}): spans may be missing"
        yield ViewWarning("refused", message, each.records)


def parent_warnings(traces: Iterable[StoredTrace]) -> Iterator[ViewWarning]:
    """Warn of spans whose parent was never stored; a parent in another process may be nobody's to record."""
    tops = [top.record for trace in traces for top in SpanTree(trace.spans).tops if top.is_orphan]
    count = sum(record.flags & _OF_A_REMOTE_PARENT != _OF_A_REMOTE_PARENT for record in tops)
    if count:
        verb = "has a parent that was" if count == 1 else "have parents that were"
        yield ViewWarning("no_parent", f"{_spans(count)} {verb} never stored", count)


def format_warnings(warnings: Sequence[ViewWarning], *, width: int = 80) -> list[Line]:
    """Return warnings as indented lines; none if there are none."""
    return [
        (Segment("  "), Segment(line, "recovered"))
        for warning in warnings
        for line in wrap(warning.message, width - 2, most=_MAX_LINES)
    ]


def warning_shapes(warnings: Iterable[ViewWarning]) -> list[dict[str, Any]]:
    """The field `warnings` of JSON shapes."""
    return [asdict(warning) for warning in warnings]


def _spans(count: int) -> str:
    return f"{count:,} span{'' if count == 1 else 's'}"
