"""What there is to be done about what waits in a spool, and what was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.spool.refusal import DISK, FAULT, QUEUE_FULL, QUOTA, TOO_LARGE
from otel_agenttrace.views.text import one_line
from otel_agenttrace.views.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_agenttrace.spool.status import SpoolStatus
    from otel_agenttrace.views.lines import Style
    from otel_agenttrace.views.spool import SpoolReport, TargetCounts

_REMEDIES = {
    QUOTA: "the spool was full: see what waits, or raise AGENTTRACE_SPOOL_MAX_BYTES",
    DISK: "the disk was full, or would not take them",
    TOO_LARGE: "they were too large: see AGENTTRACE_MAX_VALUE_BYTES",
    QUEUE_FULL: "too many waited in memory: AGENTTRACE_DURABILITY=process keeps none there",
    FAULT: "a fault of ours: please report what the log says",
}
_MAX_SERVICES = 3
_MINUTE_S = 60.0
"""What waits longer for a target waits because of it."""


def spool_advice(report: SpoolReport) -> Iterator[tuple[str, Style]]:
    """Yield a sentence for each thing that is not as it should be, and the style to say it in."""
    for target in report.targets:
        yield from _of_target(target)
    if report.status is not None:
        yield from _of_processes(report.status)
    if not report.is_complete:
        names = ", ".join((report.status.unreadable if report.status else ())[:3])
        yield f"not every log can be read, so the counts are not complete{f': {names}' if names else ''}", "error"


def age_text(seconds: float) -> str:
    """An age as `12s` or `2h03m`."""
    if seconds < 1:
        return "<1s"
    return f"{int(seconds)}s" if seconds < _MINUTE_S else format_duration(int(seconds) * 1_000_000_000)


def drain_command(report: SpoolReport) -> str | None:
    """The command that delivers what dead processes left; None where that is nothing, or nothing for a command."""
    waits = [target for target in report.targets if target.left_behind or target.open_waiting]
    if all(target.only_by and not target.open_waiting for target in waits):
        return None
    return f"agenttrace spool drain{report.store_argument}"


def _of_target(target: TargetCounts) -> Iterator[tuple[str, Style]]:
    name, seconds = one_line(target.name), target.oldest_waiting_s
    age = "" if seconds is None else f", oldest {age_text(seconds)}"
    left, running = target.left_behind, target.waiting - target.left_behind
    noun, most = "span", "" if target.is_waiting_exact else "at most "
    if left:
        yield f"{most}{_many(left, noun)} {_wait(left)} for {name}{age}: {_remedy(target)}", "recovered"
    elif target.open_waiting:
        began = _many(target.open_waiting, "span")
        yield f"{began} that dead processes began {_wait(target.open_waiting)} for {name}", "recovered"
    if running > 0:
        question = " is it up?" if seconds is not None and seconds > _MINUTE_S else ""
        yield f"{most}{_many(running, noun)} {_wait(running)} for {name}{age}:{question} the agent delivers", "running"
    if target.rejected:
        yield f"{_many(target.rejected, noun)} rejected by {name} for good", "error"
    if target.dropped:
        reason = "it was away too long, there was no room, or the disk lost them"
        yield f"{_many(target.dropped, noun)} dropped for {name}: {reason}", "error"


def _remedy(target: TargetCounts) -> str:
    """Where what is left behind is from, or who sends it: only its program, where the target is an object of that."""
    services = [one_line(each) if each else "its program" for each in target.only_by[:_MAX_SERVICES]]
    return f"the next start of {', '.join(services)} sends them" if services else "left by dead processes"


def _of_processes(status: SpoolStatus) -> Iterator[tuple[str, Style]]:
    ledger = status.ledger or {}
    for reason, remedy in _REMEDIES.items():
        if count := ledger.get(f"refused_{reason}", 0):
            yield f"{_many(count, 'record')} refused: {remedy}", "error"
    if status.lost_in_queue:
        lost = _many(status.lost_in_queue, "record")
        yield f"{lost} lost in the memory of killed processes: AGENTTRACE_DURABILITY=process keeps none there", "error"
    if count := ledger.get("unsynced", 0):
        yield f"{_many(count, 'record')} written that a power cut may still cost", "recovered"


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _wait(count: int) -> str:
    return "waits" if count == 1 else "wait"
