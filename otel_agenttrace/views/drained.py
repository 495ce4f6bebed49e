"""What became of the logs of dead processes: how much each target got, what is left, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from otel_agenttrace.views.lines import Line, Segment
from otel_agenttrace.views.text import one_line, wrap
from otel_agenttrace.views.units import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from otel_agenttrace.views.lines import Style

_MAX_LINES = 3


@dataclass(frozen=True, slots=True)
class Left:
    """How many spans a target has still to be offered, and why it has not got them."""

    target: str
    records: int
    reason: str


@dataclass(frozen=True, slots=True)
class SpoolDrained:
    """What draining a spool came to.

    Attributes:
        logs: how many logs of dead processes there were.
        sent: spans that arrived, by target; those that had ended, without verdicts.
        rejected: those that a target will never take.
        dropped: those that were given up for it.
        left: what is left of them.
        unreadable: names of logs that could not be read.
    """

    logs: int
    sent: Mapping[str, int]
    rejected: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    left: tuple[Left, ...] = ()
    unreadable: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether everybody has got everything."""
        return not (self.left or self.unreadable or any(self.rejected.values()) or any(self.dropped.values()))


def drained_shape(directory: str, drained: SpoolDrained) -> dict[str, Any]:
    """`spool drain`."""
    return {
        "directory": directory,
        "logs": drained.logs,
        "sent": dict(drained.sent),
        "rejected": dict(drained.rejected),
        "dropped": dict(drained.dropped),
        "left": [asdict(each) for each in drained.left],
        "unreadable": list(drained.unreadable),
    }


def format_drained(directory: str, drained: SpoolDrained, *, width: int = 80) -> list[Line]:
    """Return in lines what was delivered, and what was not."""
    return [(Segment(line, style),) for text, style in _told(directory, drained) for line in _wrap(text, width)]


def _told(directory: str, drained: SpoolDrained) -> Iterator[tuple[str, Style]]:
    if not drained.logs and drained.is_complete:
        yield f"no dead process has left anything in {one_line(directory)}", ""
    yield from _counts(drained.sent, "sent to", "ok")
    yield from _counts(drained.rejected, "rejected for good by", "error")
    yield from _counts(drained.dropped, "given up for", "error")
    for each in drained.left:
        yield f"{_spans(each.records)} left for {one_line(each.target)}: {each.reason}", "error"
    for name in drained.unreadable:
        yield f"{one_line(name)} cannot be read", "error"
    if drained.logs and drained.is_complete:
        yield f"all is delivered: {counted(drained.logs, 'log')} of dead processes", "ok"


def _counts(counts: Mapping[str, int], verb: str, style: Style) -> Iterator[tuple[str, Style]]:
    for name, count in counts.items():
        if count:
            yield f"{_spans(count)} {verb} {one_line(name)}", style


def _spans(count: int) -> str:
    return f"{count:,} span{'' if count == 1 else 's'}"


def _wrap(text: str, width: int) -> list[str]:
    return wrap(text, width, most=_MAX_LINES)
