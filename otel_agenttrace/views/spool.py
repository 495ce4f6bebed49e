"""What waits in a spool, for whom and for how long, what was lost, and what can be done about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from otel_agenttrace.model.times import to_rfc3339
from otel_agenttrace.spool.refusal import REASONS
from otel_agenttrace.views.lines import UNICODE, Glyphs, Line, Segment, cut_line
from otel_agenttrace.views.spool_advice import age_text, drain_command, spool_advice
from otel_agenttrace.views.store import format_bytes
from otel_agenttrace.views.table import Cell, Column, format_table
from otel_agenttrace.views.text import one_line, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_agenttrace.spool.session_status import SessionTarget
    from otel_agenttrace.spool.status import SpoolStatus, TargetStatus
    from otel_agenttrace.views.lines import Style

_MAX_LINES = 3
_UNKNOWN = "?"
_COUNTS = ("unsampled", "redacted", "truncated", "abandoned")


@dataclass(frozen=True, slots=True)
class TargetCounts:
    """One target: what is not known is None. See TargetStatus for the fields."""

    name: str
    recorded: int | None
    sent: int | None
    waiting: int
    rejected: int | None
    dropped: int | None
    passed_over: int | None
    retried: int | None
    oldest_waiting_s: float | None
    left_behind: int
    is_waiting_exact: bool
    open_waiting: int
    only_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SpoolReport:
    """A spool, or what it has of one session.

    Attributes:
        directory: where it is.
        targets: in order of their names.
        status: of the whole spool; None where a session's share of it is not known.
        session_id: whose spans are counted; None for those of all.
        since_unix_nano: processes that started before are left out.
        is_complete: whether every log could be read.
        store_argument: what a command needs besides to look into the same store.
    """

    directory: str
    targets: tuple[TargetCounts, ...]
    status: SpoolStatus | None = None
    session_id: str | None = None
    since_unix_nano: int | None = None
    is_complete: bool = True
    store_argument: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever recorded there."""
        status = self.status
        if status is None:
            return not any(target.recorded or target.waiting for target in self.targets)
        return not (self.targets or status.living or status.dead or status.unreadable or status.removed)


def report_spool(directory: str, status: SpoolStatus, since_unix_nano: int | None = None) -> SpoolReport:
    """Report on a whole spool."""
    targets = tuple(map(_counts, status.targets))
    return SpoolReport(directory, targets, status, since_unix_nano=since_unix_nano, is_complete=not status.unreadable)


def report_session(
    directory: str, session_id: str, targets: Sequence[SessionTarget], *, is_complete: bool
) -> SpoolReport:
    """Report on the spans of one session."""
    return SpoolReport(directory, tuple(map(_session_counts, targets)), session_id=session_id, is_complete=is_complete)


def spool_shape(report: SpoolReport) -> dict[str, Any]:
    """`spool status`; what is not known is null."""
    status, since = report.status, report.since_unix_nano
    ledger = None if status is None else status.ledger
    processes = None
    if status is not None:
        processes = {
            "living": status.processes.living,
            "dead": status.processes.dead,
            "gone": status.processes.done,
            "unreadable": list(status.unreadable),
        }
    return {
        "directory": report.directory,
        "session_id": report.session_id,
        "since_at": None if since is None else to_rfc3339(since),
        "complete": report.is_complete,
        "targets": [asdict(target) for target in report.targets],
        "processes": processes,
        "bytes": None if status is None else status.bytes,
        "refused": None if ledger is None else {reason: ledger.get(f"refused_{reason}", 0) for reason in REASONS},
        **{name: None if ledger is None else ledger.get(name, 0) for name in ("unsampled", "redacted", "truncated")},
        "unsynced": None if ledger is None else ledger.get("unsynced", 0),
        "abandoned": None if status is None else status.abandoned,
        "lost_in_queue": None if status is None else status.lost_in_queue,
    }


def format_spool(report: SpoolReport, *, width: int = 80, glyphs: Glyphs = UNICODE) -> list[Line]:
    """Return a spool as lines: where it is, a row for each target, and what can be done."""
    heading = cut_line((Segment(report.directory, "heading"),), width, glyphs)
    lines: list[Line] = [heading]
    if report.is_empty:
        return [*lines, *_told([(_nothing(report), "")], width)]
    lines += _told([(text, "") for text in _facts(report, glyphs)], width)
    if report.targets:
        lines += [(), *_table(report.targets, width, glyphs)]
    advice = list(spool_advice(report))
    lines += [(), *_told(advice or [("nothing waits, and nothing was lost", "ok")], width, indent="")]
    lines = [cut_line(line, width, glyphs) for line in lines]
    if command := drain_command(report):
        lines.append((Segment(f"next: {command}"),))  # not cut: it is there to be copied
    return lines


def _nothing(report: SpoolReport) -> str:
    if report.session_id is not None:
        return f"no span of session {one_line(report.session_id)} is known here"
    if report.since_unix_nano is not None:
        return "nothing was recorded by processes that started since then"
    return "nothing was recorded here: nothing waits"


def _facts(report: SpoolReport, glyphs: Glyphs) -> Iterator[str]:
    status = report.status
    if status is None:
        yield f"session {one_line(report.session_id)}"
        return
    dot = f" {glyphs.dot} "
    counted = zip(("running", "dead", "done"), status.processes, strict=True)
    processes = ", ".join(f"{count:,} {state}" for state, count in counted if count)
    yield dot.join(filter(None, [format_bytes(status.bytes), f"processes: {processes}" if processes else ""]))
    counts = {**(status.ledger or {}), "abandoned": status.abandoned}
    told = [f"{counts[name]:,} {name}" for name in _COUNTS if counts.get(name)]
    if told:
        yield dot.join(told)


def _table(targets: Sequence[TargetCounts], width: int, glyphs: Glyphs) -> list[Line]:
    columns = (
        Column("TARGET", share=True),
        *(Column(title, right=True) for title, _ in _COLUMNS),
        Column("OLDEST", right=True),
    )
    used = {field for _, field in _COLUMNS if any(getattr(target, field) for target in targets)} | _ALWAYS
    used |= {field for field in ("rejected", "dropped") if any(getattr(target, field) is None for target in targets)}
    rows = [
        (
            Cell(one_line(target.name), "name"),
            *(_cell(target, field, used) for _, field in _COLUMNS),
            Cell("" if target.oldest_waiting_s is None else age_text(target.oldest_waiting_s)),
        )
        for target in targets
    ]
    return format_table(columns, rows, width=width, glyphs=glyphs)


_COLUMNS = (
    ("RECORDED", "recorded"),
    ("SENT", "sent"),
    ("WAITING", "waiting"),
    ("REJECTED", "rejected"),
    ("DROPPED", "dropped"),
    ("RETRIED", "retried"),
)
_ALWAYS = {"recorded", "sent", "waiting"}
_SIGNS = {"waiting": "<=", "sent": ">="}
_BAD: dict[str, Style] = {"rejected": "error", "dropped": "error", "waiting": "recovered"}


def _cell(target: TargetCounts, field: str, used: set[str]) -> Cell:
    if field not in used:
        return Cell("")
    count = getattr(target, field)
    sign = "" if target.is_waiting_exact else _SIGNS.get(field, "")
    return Cell(_UNKNOWN if count is None else f"{sign}{count:,}", _BAD.get(field, "") if count else "")


def _told(texts: Sequence[tuple[str, Style]], width: int, indent: str = "  ") -> Iterator[Line]:
    for text, style in texts:
        for line in wrap(text, width - len(indent), most=_MAX_LINES):
            yield Segment(indent), Segment(line, style)


def _counts(target: TargetStatus) -> TargetCounts:
    return TargetCounts(**asdict(target))


def _session_counts(target: SessionTarget) -> TargetCounts:
    return TargetCounts(passed_over=None, retried=None, is_waiting_exact=True, **asdict(target))
