"""Freshness: what was recorded about files still holds."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_agenttrace.model.times import to_rfc3339
from otel_agenttrace.workflow.checks import Bounds, RecordedFile, check_freshness, checksum_of

if TYPE_CHECKING:
    from pathlib import Path

ONE, OTHER = str(checksum_of(b"one")), str(checksum_of(b"other"))
WRITTEN_NS = 1_790_000_000_123_456_789
WRITTEN = "2026-09-21T14:13:20.123456Z"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with the file `a.json` that was written at WRITTEN."""
    (tmp_path / "a.json").write_bytes(b"one")
    os.utime(tmp_path / "a.json", ns=(WRITTEN_NS, WRITTEN_NS))
    return tmp_path


def test_a_file_with_the_recorded_checksum_is_fresh(root: Path) -> None:
    """Whatever its time is: it may have been touched, or checked out again."""
    record = RecordedFile(ONE, "2001-01-01T00:00:00Z")

    for recorded in ({"a.json": ONE}, {"a.json": record}):
        outcome = check_freshness(recorded, root=root)
        assert (outcome.result, outcome.reason) == ("pass", "files that are as they were recorded: 1")
        assert (outcome.evidence[0].type, outcome.evidence[0].ref) == ("checksum", "a.json")


def test_a_stale_file_is_named_with_both_checksums(root: Path) -> None:
    """That which was recorded and that of the file now, even if the time is the recorded one."""
    for recorded in ({"a.json": OTHER}, {"a.json": RecordedFile(OTHER, WRITTEN)}):
        outcome = check_freshness(recorded, root=root)
        assert outcome.result == "fail"
        assert outcome.reason == f"a.json is stale: recorded {OTHER}, now {ONE}"
        assert outcome.next_action == "run again what was made from a.json, or restore the file that was recorded"


@pytest.mark.parametrize(
    "recorded",
    [
        WRITTEN,
        "2026-09-21T16:13:20.123457+02:00",
        "2026-09-21T14:13:20Z",
        "2026-09-21T14:13:21Z",
        "2026-09-21T14:13:20.1Z",
        "2026-09-21T14:13:20.123456789Z",
        datetime(2026, 9, 21, 14, 13, 20, 123456, tzinfo=timezone.utc),
        1_790_000_000,
        WRITTEN_NS / 10**9,
    ],
)
def test_without_a_checksum_the_time_decides(root: Path, recorded: object) -> None:
    """To the decimals that were recorded, be they cut or rounded."""
    outcome = check_freshness({"a.json": RecordedFile(modified_at=recorded)}, root=root)

    assert outcome.result == "pass"
    assert outcome.evidence[0].type == "time"
    assert outcome.evidence[0].description == f"last written {WRITTEN}, as recorded"


@pytest.mark.parametrize(
    "recorded",
    [
        "2026-09-21T14:13:20.123Z",
        "2026-09-21T14:13:20.123456788Z",
        "2026-09-21T14:13:19Z",
        "2026-09-21T14:13:22Z",
        datetime(2026, 9, 21, 14, 13, 20, tzinfo=timezone.utc),
        1_789_999_999,
        WRITTEN_NS / 10**9 - 0.001,
    ],
)
def test_another_time_is_stale(root: Path, recorded: object) -> None:
    """Older or newer: it is not the file that was recorded; both times are named."""
    if recorded == "2026-09-21T14:13:20.123Z":
        os.utime(root / "a.json", ns=(WRITTEN_NS + 10**6, WRITTEN_NS + 10**6))

    outcome = check_freshness({"a.json": RecordedFile(modified_at=recorded)}, root=root)

    assert outcome.result == "fail"
    assert "a.json is stale: recorded 20" in outcome.reason
    assert ", now 2026-09-21T14:13:20.12" in outcome.reason


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        (None, "the checksum of a.json is missing"),
        (RecordedFile(), "the checksum of a.json is missing"),
        ("", "the checksum of a.json is empty"),
        (RecordedFile("", WRITTEN), "the checksum of a.json is empty"),
        ("md5:00", "is not accepted"),
        ({"checksum": ONE}, "malformed: an object of 1 property"),
        (RecordedFile(modified_at="yesterday"), 'the recorded time of a.json is "yesterday", an RFC 3339 time'),
        (RecordedFile(modified_at="2026-09-21T14:13:20"), "an RFC 3339 time with an offset is expected"),
        (RecordedFile(modified_at=datetime(2026, 9, 21)), "an RFC 3339 time with an offset is expected"),  # noqa: DTZ001
        (RecordedFile(modified_at=float("inf")), "the recorded time of a.json is inf"),
        (RecordedFile(modified_at=True), "the recorded time of a.json is true"),
        (RecordedFile(modified_at=10**30), "the recorded time of a.json is 1000"),
    ],
)
def test_a_record_that_cannot_be_used_fails(root: Path, record: object, verdict: str) -> None:
    """A record of nothing, a malformed checksum, a time without an offset: a verdict each."""
    outcome = check_freshness({"a.json": record}, root=root)

    assert outcome.result == "fail"
    assert verdict in outcome.reason
    assert outcome.next_action


def test_files_that_cannot_be_read_fail(root: Path) -> None:
    """Missing ones, ways out of the folder and files beyond the bound, each named beside the others."""
    recorded = {"gone": ONE, "late": RecordedFile(modified_at=WRITTEN), "../a": ONE, "a.json": ONE}

    outcome = check_freshness(recorded, root=root, bounds=Bounds(hashed_bytes=2, reason_problems=9))

    assert outcome.result == "fail"
    for verdict in (
        "the file gone is missing",
        "the file late is missing",
        'the path "../a" leads out of the folder',
        "the file a.json has 3 bytes, more than the 2 bytes that are hashed",
    ):
        assert verdict in outcome.reason


def test_without_a_folder_any_path_will_do(root: Path) -> None:
    """Paths are then those of the process."""
    assert check_freshness({str(root / "a.json"): ONE}).result == "pass"


@pytest.mark.parametrize("recorded", [None, {}])
def test_nothing_recorded_is_skipped(recorded: Any) -> None:
    """There is nothing to check, which is no pass."""
    assert check_freshness(recorded).result == "skipped"


def test_what_is_no_path_fails(root: Path) -> None:
    """With and without a folder."""
    recorded: Any = {5: ONE}

    assert "is no text" in check_freshness(recorded).reason
    assert "is no text" in check_freshness(recorded, root=root).reason


@pytest.mark.parametrize("recorded", [["a.json"], "a.json", 5])
def test_what_is_no_record_by_path_fails(recorded: Any) -> None:
    """It is told as such."""
    outcome = check_freshness(recorded)

    assert outcome.result == "fail"
    assert "not an object by path" in outcome.reason


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(10**17, 4 * 10**18))
def test_a_recorded_time_is_the_time(root: Path, written_ns: int) -> None:
    """Whatever form it was recorded in: RFC 3339 text as this package writes it, or what the system says in seconds."""
    os.utime(root / "a.json", ns=(written_ns, written_ns))
    found = (root / "a.json").stat()

    for moment in (to_rfc3339(found.st_mtime_ns), found.st_mtime):
        assert check_freshness({"a.json": RecordedFile(modified_at=moment)}, root=root).result == "pass"
