"""Logs that are damaged: what is lost, what is told, and what is left alone."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.damage import DAMAGED, EMPTY, FOREIGN, MISSING, NEWER, TORN, UNREADABLE, Damage, log_damage
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.names import SegmentName, list_segments
from otel_agenttrace.spool.parts import list_parts
from otel_agenttrace.spool.reader import LogReader, read
from otel_agenttrace.spool.removal import remove_log, remove_segments
from otel_agenttrace.spool.repair import repair
from otel_agenttrace.spool.segment import HEADER_BYTES, SegmentHeader, encode_header
from otel_agenttrace.testing.spool import make_serialized, number_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RECORDS = 24


def origin(number: int) -> bytes:
    """Where in the code a span comes from; of some it is not known."""
    return b'{"": ["agent.py", %d]}' % (number % 5) if number % 4 else b""


def write_log(spool_dir: Path) -> Path:
    """A dead log of three segments."""
    spool = SpoolLog(SpoolConfig(spool_dir, segment_bytes=4096))
    for number in range(1, RECORDS + 1):
        spool.append(Kind.SPAN, make_serialized(number, size=300 + number, scope=f"scope {number % 3}"), origin(number))
    (log,) = spool.logs
    assert len(list_segments(log)) == 3
    return log


@pytest.fixture
def log(spool_dir: Path) -> Path:
    """A dead log of three segments."""
    return write_log(spool_dir)


@pytest.fixture(scope="module")
def pristine() -> Iterator[dict[str, bytes]]:
    """The files of such a log, by their names with the log's."""
    with tempfile.TemporaryDirectory() as folder:
        log = write_log(Path(folder))
        yield {f"{log.name}/{path.name}": path.read_bytes() for path in log.iterdir()}


def read_damaged(
    files: dict[str, bytes], change: Callable[[Path], object], *, is_dead: bool = True
) -> tuple[list[int], list[Damage]]:
    """The numbers that are read from a copy of a log after a change to it, and what is told."""
    told: list[Damage] = []
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / next(iter(files)).split("/")[0]
        log.mkdir()
        for name, data in files.items():
            (log.parent / name).write_bytes(data)
        change(log)
        entries = list(read(log, is_dead=is_dead, tell=told.append))
        for entry in entries:
            number = number_of(entry.span)
            assert entry.span == make_serialized(number, size=300 + number, scope=f"scope {number % 3}")
            assert entry.origin == origin(number)
            assert entry.seq == number
    return [entry.seq for entry in entries], told


def segment(log: Path, index: int) -> Path:
    """One of a log's segments."""
    return log / str(list_segments(log)[index])


def change_byte(path: Path, position: int, bits: int) -> None:
    """Change one byte of a file."""
    data = bytearray(path.read_bytes())
    data[position % len(data)] ^= bits
    path.write_bytes(data)


@settings(max_examples=300)
@given(index=st.integers(0, 2), position=st.integers(0, 10_000), bits=st.integers(1, 255), is_dead=st.booleans())
def test_one_bad_byte_costs_one_record(
    pristine: dict[str, bytes], index: int, position: int, bits: int, *, is_dead: bool
) -> None:
    """At most the record that it is in, which is counted; never a resource, a scope, or what follows."""
    seqs, told = read_damaged(pristine, lambda log: change_byte(segment(log, index), position, bits), is_dead=is_dead)
    lost = sorted(set(range(1, RECORDS + 1)) - set(seqs))

    assert len(lost) <= 1
    if is_dead or lost != [RECORDS]:  # the end of a living log may still be on its way
        assert told
    if lost not in ([], [RECORDS]):  # what was behind the last record cannot be known
        assert sum(damage.records for damage in told) == 1


def test_every_byte_of_a_header_and_its_first_record(pristine: dict[str, bytes]) -> None:
    """The header, two definitions and the first record of a segment, byte by byte."""
    for position in range(HEADER_BYTES + 700):
        seqs, told = read_damaged(pristine, lambda log, at=position: change_byte(segment(log, 1), at, 0x21))  # type: ignore[misc]
        assert len(seqs) >= RECORDS - 1
        assert told


@given(index=st.integers(0, 2), size=st.integers(0, 10_000))
def test_a_truncated_segment_loses_its_tail_only(pristine: dict[str, bytes], index: int, size: int) -> None:
    """What stood before the cut is there, and what is in later segments."""
    known: list[int] = []

    def truncate(log: Path) -> None:
        path = segment(log, index)
        data = path.read_bytes()
        path.write_bytes(data[: min(size, len(data))])
        names = [*list_segments(log), SegmentName(RECORDS + 1)]
        known.extend(range(1, names[index].first_seq))
        known.extend(range(names[index + 1].first_seq, RECORDS + 1))

    seqs, told = read_damaged(pristine, truncate)
    kept = sorted(set(seqs) - set(known))

    assert set(known) <= set(seqs)
    assert kept == list(range(kept[0], kept[0] + len(kept))) if kept else True
    if index < 2 and len(seqs) < RECORDS:
        assert sum(damage.records for damage in told) == RECORDS - len(seqs)


def test_a_hole_of_zeros_is_passed(log: Path) -> None:
    """As a power cut leaves it: what is behind it is read, and what is missing is counted."""
    path = segment(log, 1)
    data = path.read_bytes()
    path.write_bytes(data[:1000] + bytes(1500) + data[2500:])
    reader = LogReader(log)
    found = list(reader.entries())

    assert reader.missing_count == RECORDS - len(found) > 1
    assert found[-1].seq == RECORDS


def test_a_damaged_pair_of_definitions_costs_the_resource_only(log: Path) -> None:
    """Where both copies are gone, the spans are kept without it."""
    path = segment(log, 0)
    resource = make_serialized(0).resource
    path.write_bytes(path.read_bytes().replace(resource, resource.replace(b"booking", b"bOOking")))
    told: list[Damage] = []
    found = list(read(log, tell=told.append))

    assert [entry.seq for entry in found] == list(range(1, RECORDS + 1))
    assert found[0].span.resource == b"{}"
    assert [damage.what for damage in told] == [DAMAGED]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", EMPTY),
        (b"\x89AGT", EMPTY),
        (b"PK\x03\x04" + b"not ours" * 100, FOREIGN),
        (encode_header(SegmentHeader(2, "0123abcd", RECORDS + 1, 5)) + b"what a later version writes", NEWER),
    ],
)
def test_what_is_no_segment_of_ours_is_told_and_passed(log: Path, content: bytes, what: str) -> None:
    """An empty, a foreign and a newer segment are told of, once; the records around them are read."""
    names = list_segments(log)
    strange = log / str(SegmentName(names[1].first_seq))
    strange.write_bytes(content)
    told: list[Damage] = []
    reader = LogReader(log, is_dead=True, tell=told.append)
    found = [entry.seq for entry in [*reader.entries(), *reader.entries()]]

    assert found == [*range(1, names[1].first_seq), *range(names[2].first_seq, RECORDS + 1)]
    assert [damage.what for damage in told] == [what, MISSING]
    assert strange.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "is_removed"),
    [
        (b"", True),
        (b"\x89AGT", True),
        (b"PK\x03\x04", False),
        (encode_header(SegmentHeader(2, "0123abcd", RECORDS + 1, 5)), False),
    ],
)
def test_only_what_is_ours_is_removed(log: Path, content: bytes, *, is_removed: bool) -> None:
    """A foreign file and one of a newer version stay, and their directory with them."""
    strange = log / str(SegmentName(RECORDS + 1))
    strange.write_bytes(content)
    (log / str(SegmentName(RECORDS + 2))).write_bytes(b"")
    remove_segments(log, RECORDS + 10)
    assert strange.exists()
    assert remove_log(log) is is_removed
    assert log.exists() is not is_removed


def test_a_segment_whose_header_is_damaged_can_be_removed(log: Path) -> None:
    """Its frames show that it is ours."""
    change_byte(segment(log, 0), 3, 1)

    assert remove_log(log)


def test_a_missing_segment_is_counted(log: Path) -> None:
    """Its records are known to be lost by the numbers around them."""
    names = list_segments(log)
    segment(log, 1).unlink()
    reader = LogReader(log)
    found = list(reader.entries())

    assert len(found) == RECORDS - reader.missing_count
    assert reader.missing_count == names[2].first_seq - names[1].first_seq


def test_consumed_segments_are_not_missing(log: Path) -> None:
    """A reader that begins anew starts with what is there; one that was further back is told."""
    names = list_segments(log)
    remove_segments(log, names[1].first_seq - 1)
    told: list[Damage] = []

    assert next(read(log, tell=told.append)).seq == names[1].first_seq
    assert told == []
    assert next(read(log, 2, tell=told.append)).seq == names[1].first_seq
    assert [(damage.what, damage.records) for damage in told] == [(MISSING, names[1].first_seq - 3)]


def test_a_torn_end_is_waited_for_while_the_log_lives(spool: SpoolLog) -> None:
    """Half a record is not damage as long as the other half may come."""
    spool.append(Kind.SPAN, make_serialized(1))
    (log,) = spool.logs
    whole = segment(log, 0).read_bytes()
    spool.append(Kind.SPAN, make_serialized(2))
    both = segment(log, 0).read_bytes()
    told: list[Damage] = []
    reader = LogReader(log, tell=told.append)
    seqs = []
    for size in range(len(whole), len(both) + 1):
        segment(log, 0).write_bytes(both[:size])
        seqs += [entry.seq for entry in reader.entries()]

    assert seqs == [1, 2]
    assert told == []


def test_what_was_cut_off_and_written_anew_is_read(spool: SpoolLog) -> None:
    """A reader that has seen half a record, which the disk then had no room for, reads what took its place."""
    spool.append(Kind.SPAN, make_serialized(1))
    (log,) = spool.logs
    whole = segment(log, 0).read_bytes()
    told: list[Damage] = []
    reader = LogReader(log, tell=told.append)
    segment(log, 0).write_bytes(whole + whole[HEADER_BYTES : HEADER_BYTES + 50])
    assert [entry.seq for entry in reader.entries()] == [1]
    segment(log, 0).write_bytes(whole)
    spool.append(Kind.SPAN, make_serialized(2))

    assert [entry.seq for entry in reader.entries()] == [2]
    assert told == []


@pytest.mark.parametrize("excess", [1, 7, 300, 5000])
def test_repair_cuts_a_torn_end(log: Path, excess: int) -> None:
    """What a last write has left is cut off and told; everything before it is kept."""
    path = segment(log, -1)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[HEADER_BYTES : HEADER_BYTES + 30][:excess].ljust(excess, b"\0"))
    told: list[Damage] = []
    repaired = repair(log, told.append)

    assert (repaired.last_seq, repaired.cut_bytes) == (RECORDS, excess)
    assert [damage.what for damage in told] == [TORN]
    assert path.read_bytes() == whole
    assert repair(log, told.append).cut_bytes == 0


def test_repair_keeps_what_is_behind_damage(log: Path) -> None:
    """Only what has no whole record behind it is a torn end."""
    path = segment(log, -1)
    change_byte(path, HEADER_BYTES + 500, 1)
    size = path.stat().st_size

    assert repair(log) == (RECORDS, 0)
    assert path.stat().st_size == size


def test_repair_leaves_what_is_not_ours(log: Path) -> None:
    """The end of a log is looked for before what is foreign, empty, or newer."""
    for number, content in enumerate([b"PK\x03\x04" * 20, b""], start=1):
        (log / str(SegmentName(RECORDS + number))).write_bytes(content)

    assert repair(log) == (RECORDS, 0)
    assert (log / str(SegmentName(RECORDS + 1))).read_bytes() == b"PK\x03\x04" * 20


def test_a_log_without_segments_is_empty(tmp_path: Path) -> None:
    """And so is one that is gone."""
    assert repair(tmp_path) == (0, 0)
    assert list(read(tmp_path)) == []
    assert list(read(tmp_path / "gone")) == []


def test_a_segment_that_cannot_be_opened_is_told(log: Path) -> None:
    """The others are read."""
    path = segment(log, 1)
    path.unlink()
    path.symlink_to("/dev/null")
    told: list[Damage] = []
    seqs = [entry.seq for entry in read(log, tell=told.append)]

    assert seqs[0] == 1
    assert seqs[-1] == RECORDS
    assert [damage.what for damage in told] == [UNREADABLE, MISSING]


def test_damage_is_told_in_the_log(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With the file and the place, unless somebody else wants to know."""
    change_byte(segment(log, 1), 2000, 1)
    list(read(log))

    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert f"{segment(log, 1).name} are damaged" in caplog.text
    assert "1 records before byte" in caplog.text
    caplog.clear()
    log_damage(Damage(segment(log, 1), NEWER, detail=" (format 2)"))
    assert "is newer and left alone (format 2)" in caplog.text


@pytest.mark.parametrize("number", [2, RECORDS, RECORDS + 1, 9_999_999_999_999_999])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" * 100, encode_header(SegmentHeader(1, "0123abcd", 5000, 5))])
def test_a_file_that_is_only_called_like_a_segment_is_not_believed(log: Path, number: int, content: bytes) -> None:
    """Wherever its name would put it: it is told once, nothing is missing for it, and nothing goes because of it."""
    strange = log / str(SegmentName(number, 7))
    strange.write_bytes(content)
    told: list[Damage] = []
    reader = LogReader(log, tell=told.append)
    found = [entry.seq for entry in [*reader.entries(), *reader.entries()]]
    later = [entry.seq for entry in read(log, number - 1, tell=lambda _: None)]

    assert found == list(range(1, RECORDS + 1))
    assert later == list(range(number, RECORDS + 1))
    assert [(damage.path, damage.records) for damage in told] == [(strange, 0)]
    assert repair(log) == (RECORDS, 0)
    removable = sum(following.first_seq <= number for following in list_parts(log).segments[1:])
    assert remove_segments(log, number - 1) == removable
    assert [entry.seq for entry in read(log, number - 1, tell=lambda _: None)] == later


def test_it_does_not_end_a_living_segment(spool: SpoolLog) -> None:
    """What is written later is read, though a strange file seems to be behind it."""
    spool.append(Kind.SPAN, make_serialized(1))
    (log,) = spool.logs
    (log / str(SegmentName(2))).write_bytes(b"PK\x03\x04" * 100)
    reader = LogReader(log, tell=lambda _: None)
    found = [entry.seq for entry in reader.entries()]
    spool.append(Kind.SPAN, make_serialized(2))

    assert found + [entry.seq for entry in reader.entries()] == [1, 2]
    assert list_parts(log).strange == [(SegmentName(2), FOREIGN)]


def test_a_lack_of_file_handles_is_no_damage(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is read once there are some."""
    open_file = os.open

    def fail(*_: object) -> int:
        raise OSError(errno.EMFILE, "too many open files")

    reader = LogReader(log)
    monkeypatch.setattr("os.open", fail)
    with pytest.raises(OSError, match="too many open files"):
        list(reader.entries())
    monkeypatch.setattr("os.open", open_file)

    assert [entry.seq for entry in reader.entries()] == list(range(1, RECORDS + 1))
    assert reader.damage_count == 0
