"""Which services refused records while something of theirs ran. Pure reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.spool.about import About, read_about
from otel_agenttrace.spool.directory import list_logs
from otel_agenttrace.spool.known_logs import read_gone_logs
from otel_agenttrace.spool.ledger import read_ledger, read_refusal_times
from otel_agenttrace.spool.log_counts import LogCounts
from otel_agenttrace.spool.names import parse_log_name
from otel_agenttrace.spool.refusal import REASONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_RECORDED_WITHIN_NANO = 500_000_000
"""A span is refused a moment after its end."""


class Ran(NamedTuple):
    """Something that a service did, and when.

    Attributes:
        service_name: the service.
        start_unix_nano: when it began.
        end_unix_nano: the last time that is known of it.
        is_open: whether it has not ended, as far as is known; what would say so may have been refused.
        is_abandoned: whether its process was gone before it had ended, some time after the last that is known of it.
    """

    service_name: str
    start_unix_nano: int
    end_unix_nano: int
    is_open: bool = False
    is_abandoned: bool = False


class Refused(NamedTuple):
    """Records that the processes of a service did not take into their logs.

    Attributes:
        service_name: the service.
        records: all that were refused by processes which refused something meanwhile.
        reasons: why.
    """

    service_name: str
    records: int
    reasons: tuple[str, ...]


def find_refused(spool_dirs: Iterable[Path], ran: Sequence[Ran]) -> list[Refused]:
    """Find what was refused, by processes that live, are dead or gone; in order of the services' names.

    Args:
        spool_dirs: where the logs are; they need not exist.
        ran: a process counts if it is of one of these services, and its time from the first to the last refusal
            overlaps that one's. What is open goes on; what was abandoned goes on in the processes that were there.

    Raises:
        OSError: a directory cannot be read.
    """
    found: dict[str, dict[str, int]] = {}
    for counts in _logs_that_refused(spool_dirs):
        if any(_overlaps(counts, each) for each in ran):
            reasons = found.setdefault(counts.about.service_name, {})
            for reason in REASONS:
                if count := counts.ledger.get(f"refused_{reason}", 0):
                    reasons[reason] = reasons.get(reason, 0) + count
    return [Refused(name, sum(reasons.values()), tuple(reasons)) for name, reasons in sorted(found.items())]


def _overlaps(counts: LogCounts, ran: Ran) -> bool:
    times = counts.refusal_times
    if times is None or counts.about.service_name != ran.service_name:
        return False
    if times.last_unix_nano < ran.start_unix_nano:
        return False
    name = parse_log_name(counts.log)
    goes_on = ran.is_open or (ran.is_abandoned and name is not None and name.started_unix_nano <= ran.end_unix_nano)
    return goes_on or times.first_unix_nano <= ran.end_unix_nano + _RECORDED_WITHIN_NANO


def _logs_that_refused(spool_dirs: Iterable[Path]) -> Iterator[LogCounts]:
    """Without what takes reading their segments: of most logs it is one small file."""
    for spool_dir in spool_dirs:
        present = list_logs(spool_dir)
        for path in present:
            times = read_refusal_times(path)
            if times is not None:
                about, ledger = read_about(path) or About(), read_ledger(path) or {}
                yield LogCounts(path.name, about, 0, ledger=ledger, refusal_times=times)
        names = {path.name for path in present}
        yield from (each for each in read_gone_logs(spool_dir) if each.log not in names)
