"""Which services refused records while something of theirs ran. Pure reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.spool.about import About, read_about
from otel_agenttrace.spool.directory import list_logs
from otel_agenttrace.spool.known_logs import read_gone_logs
from otel_agenttrace.spool.ledger import read_ledger, read_refusal_times
from otel_agenttrace.spool.log_counts import LogCounts
from otel_agenttrace.spool.refusal import REASONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path


class Ran(NamedTuple):
    """Something that a service did, and when."""

    service_name: str
    start_unix_nano: int
    end_unix_nano: int


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
            overlaps that one's.

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
    return times.first_unix_nano <= ran.end_unix_nano and times.last_unix_nano >= ran.start_unix_nano


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
