"""Freshness: what was recorded about files still holds for the files on disk."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from otel_agenttrace.model.times import from_rfc3339, to_rfc3339, to_unix_nano
from otel_agenttrace.workflow.checks.bounds import DEFAULT_BOUNDS, Bounds
from otel_agenttrace.workflow.checks.checksums import parse_checksum
from otel_agenttrace.workflow.checks.files import hash_file, modified_unix_nano
from otel_agenttrace.workflow.checks.findings import Finding, FindingError, conclude, evidence, finding, shown
from otel_agenttrace.workflow.checks.places import resolve
from otel_agenttrace.workflow.outcome import skipped

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from otel_agenttrace.model.gate import Evidence
    from otel_agenttrace.workflow.outcome import CheckOutcome

_DECIMALS = re.compile(r"\.(\d+)")
_SECOND_NS = 10**9
_YEAR_10000_S = 253_402_300_800


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """What was recorded about a file.

    Attributes:
        checksum: `algo:hex`.
        modified_at: when it was last written: RFC 3339 text, an aware datetime, or seconds since the Unix epoch.
    """

    checksum: object = None
    modified_at: object = None


def check_freshness(
    recorded: Mapping[str, object] | None,
    *,
    root: str | os.PathLike[str] | None = None,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> CheckOutcome:
    """Whether files are what they were when they were recorded; a stale one is named with what was recorded and is now.

    Where a checksum is recorded, it decides: a file that was only touched, or checked out again, is fresh. Else the
    time does, to the decimals that were recorded. A file that is older now is stale, too: it is not the one recorded.

    Args:
        recorded: from the path of a file to its checksum, or to a `RecordedFile`. Without any: skipped.
        root: the folder that paths are relative to, and must not lead out of; any path will do if not given.
        bounds: of what is hashed and told.
    """
    if recorded is not None and not isinstance(recorded, Mapping):
        problem = f"the recorded files are {shown(recorded)}, not an object by path"
        return conclude([finding(problem, "give what was recorded by path", "file", "recorded")], (), "", bounds)
    if not recorded:
        return skipped("no files are recorded", "record the checksums of the files")
    findings: list[Finding] = []
    looked_at: list[Evidence] = []
    for name, record in recorded.items():
        try:
            path, label = resolve(root, name)
            looked_at.append(_check(path, label, record, bounds))
        except FindingError as error:
            findings.append(error.finding)
    return conclude(findings, looked_at, f"files that are as they were recorded: {len(looked_at)}", bounds)


def _check(path: Path, name: str, record: object, bounds: Bounds) -> Evidence:
    known = record if isinstance(record, RecordedFile) else RecordedFile(checksum=record)
    if known.checksum is None and known.modified_at is not None:
        return _check_time(path, name, known.modified_at)
    expected = parse_checksum(known.checksum, name)
    now = hash_file(path, expected.algorithm, name=name, bounds=bounds)
    if now != expected:
        raise _stale(name, str(expected), str(now), "checksum")
    return evidence("checksum", name, f"{now}, as recorded")


def _check_time(path: Path, name: str, modified_at: object) -> Evidence:
    moment, precision_ns = _moment(modified_at, name)
    now = modified_unix_nano(path, name=name)
    if abs(now - moment) >= precision_ns:
        raise _stale(name, _told(moment), _told(now), "time")
    return evidence("time", name, f"last written {_told(now)}, as recorded")


def _moment(value: object, name: str) -> tuple[int, int]:
    """A recorded time in nanoseconds, and how much one unit of its last decimal is, for it may be cut or rounded."""
    try:
        if isinstance(value, str):
            decimals = _DECIMALS.search(value)
            return from_rfc3339(value), _SECOND_NS // 10 ** min(len(decimals[1]) if decimals else 0, 9)
        if isinstance(value, datetime):
            return to_unix_nano(value), 1000
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _YEAR_10000_S:
            return value * _SECOND_NS, _SECOND_NS
        if isinstance(value, float):
            return int(value * 10**6) * 1000, 2000  # a double has no room for more than microseconds of today
    except (ValueError, OverflowError):
        pass
    problem = f"the recorded time of {name} is {shown(value)}, an RFC 3339 time with an offset is expected"
    raise FindingError(finding(problem, f"record the time of {name} again", "time", name))


def _told(unix_nano: int) -> str:
    try:
        return to_rfc3339(unix_nano)
    except OverflowError:
        return f"{unix_nano} ns since 1970"


def _stale(name: str, expected: str, now: str, kind: str) -> FindingError:
    problem = f"{name} is stale: recorded {expected}, now {now}"
    action = f"run again what was made from {name}, or restore the file that was recorded"
    return FindingError(finding(problem, action, kind, name))
