"""A log that is written and read back."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.errors import ConfigError
from otel_agenttrace.model.codec import SerializedSpan
from otel_agenttrace.spool.about import About, read_about
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.directory import list_logs, log_bytes
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.ledger import read_ledger
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.names import list_segments, parse_log_name
from otel_agenttrace.spool.reader import LogReader, read
from otel_agenttrace.spool.removal import remove_segments
from otel_agenttrace.testing.spool import make_serialized, number_of

if TYPE_CHECKING:
    from otel_agenttrace.spool.damage import Damage

TEXTS = st.binary(max_size=300)
SPANS = st.builds(SerializedSpan, TEXTS, st.sampled_from([b"{}", b"r1", b"r2"]), st.sampled_from([b"{}", b"s1", b"s2"]))
RECORDS = st.lists(st.tuples(st.sampled_from([Kind.SPAN, Kind.START]), SPANS), max_size=60)


def only_log(spool: SpoolLog) -> Path:
    """The directory of a log that is the only one of its process."""
    (path,) = spool.logs
    return path


def refuse_damage(damage: Damage) -> None:
    """For logs in which nothing is wrong."""
    raise AssertionError(str(damage))


@given(records=RECORDS, segment_bytes=st.integers(4096, 8192), after=st.integers(0, 60))
def test_what_is_appended_is_read(records: list[tuple[Kind, SerializedSpan]], segment_bytes: int, after: int) -> None:
    """Any records, in segments of any size, come back equal and in order, from any place on."""
    with tempfile.TemporaryDirectory() as folder:
        spool = SpoolLog(SpoolConfig(Path(folder), segment_bytes=segment_bytes))
        assert spool.open()
        seqs = [spool.append(kind, span) for kind, span in records]
        found = list(read(only_log(spool), after, tell=refuse_damage))

    assert seqs == list(range(1, len(records) + 1))
    assert [(entry.seq, (entry.kind, entry.span)) for entry in found] == list(zip(seqs, records, strict=True))[after:]


def test_a_reader_goes_on_where_it_stopped(spool: SpoolLog) -> None:
    """What comes later is read later; nothing is read twice, and nothing is left out at the end of a batch."""
    spool.append(Kind.SPAN, make_serialized(1))
    reader = LogReader(only_log(spool), tell=refuse_damage)
    read_so_far = [entry.seq for entry in reader.batch(10)]
    assert reader.batch(10) == []
    for number in range(2, 30):
        spool.append(Kind.SPAN, make_serialized(number))
        read_so_far += [entry.seq for entry in reader.batch(number % 3)]
    while batch := reader.batch(4):
        read_so_far += [entry.seq for entry in batch]

    assert read_so_far == list(range(1, 30))


def test_a_batch_keeps_to_its_size(spool: SpoolLog) -> None:
    """A batch ends with the record that fills it."""
    for number in range(10):
        spool.append(Kind.SPAN, make_serialized(number, size=1000))
    reader = LogReader(only_log(spool))

    assert [len(reader.batch(100, 3000)) for _ in range(5)] == [3, 3, 3, 1, 0]


def test_each_segment_can_be_read_alone(spool_dir: Path) -> None:
    """Resources and scopes are written again in every segment, so that those before it may go."""
    spool = SpoolLog(SpoolConfig(spool_dir, segment_bytes=4096))
    for number in range(40):
        spool.append(Kind.SPAN, make_serialized(number, size=500))
    log = only_log(spool)
    segments = list_segments(log)
    removed = remove_segments(log, 20)
    left = list(read(log, 20, tell=refuse_damage))

    assert removed == sum(following.first_seq <= 21 for following in segments[1:]) > 1
    assert [entry.seq for entry in left] == list(range(21, 41))
    assert {entry.span.resource for entry in left} == {make_serialized(0).resource}


def test_the_last_segment_is_never_removed(spool: SpoolLog) -> None:
    """It is still written to."""
    spool.append(Kind.SPAN, make_serialized(1))

    assert remove_segments(only_log(spool), 1_000) == 0
    assert spool.append(Kind.SPAN, make_serialized(2)) == 2


def test_nobody_else_may_read_it(spool: SpoolLog, spool_dir: Path) -> None:
    """Directories are 0700 and files 0600."""
    spool.append(Kind.SPAN, make_serialized(1))
    log = only_log(spool)

    assert {stat.S_IMODE(path.stat().st_mode) for path in (spool_dir, log)} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in log.iterdir()} == {0o600}


def test_it_says_whose_it_is(spool_dir: Path) -> None:
    """about.json names the process and its targets, and is written anew when they change."""
    spool = SpoolLog(SpoolConfig(spool_dir), About(service_name="booking", targets=("otlp",), version="1.2"))
    assert spool.open()
    about = read_about(only_log(spool))
    assert about is not None
    assert (about.service_name, about.pid, about.version, about.targets) == ("booking", os.getpid(), "1.2", ("otlp",))

    spool.describe(About(service_name="booking", targets=("otlp", "azure"), without_content=("azure",)))
    later = read_about(only_log(spool))
    assert later is not None
    assert (later.targets, later.started_at) == (("otlp", "azure"), about.started_at)
    assert (later.without_content, about.without_content) == (("azure",), ())


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b'{"pid": "x", "targets": {"a": 1}, "host": 3, "without_content": 1}']
)
def test_a_damaged_about_says_nothing(tmp_path: Path, text: bytes) -> None:
    """What cannot be read, or has another type, is left out."""
    (tmp_path / "about.json").write_bytes(text)
    about = read_about(tmp_path)

    assert about is None or (about.pid, about.targets, about.host) == (0, (), "")


def test_threads_append_at_once(spool_dir: Path) -> None:
    """Every record of eight threads is there once, under the number that its append returned, read soon or late."""
    spool = SpoolLog(SpoolConfig(spool_dir, segment_bytes=1 << 16))
    spool.open()
    seqs: dict[int, int] = {}
    reader = LogReader(only_log(spool), tell=refuse_damage)
    meanwhile: dict[int, int] = {}

    def append_many(first: int) -> None:
        for number in range(first, first + 500):
            seqs[number] = spool.append(Kind.SPAN, make_serialized(number, size=number % 700)) or 0

    threads = [threading.Thread(target=append_many, args=(first,)) for first in range(0, 4000, 500)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads) or len(meanwhile) < 4000:
        meanwhile.update({number_of(entry.span): entry.seq for entry in reader.batch(100)})

    assert meanwhile == seqs
    assert sorted(seqs.values()) == list(range(1, 4001))
    assert {number_of(entry.span): entry.seq for entry in read(only_log(spool))} == seqs


def test_after_close_it_still_takes_records(spool: SpoolLog) -> None:
    """What ends after the shutdown is found at the next start."""
    spool.append(Kind.SPAN, make_serialized(1))
    assert spool.close()
    assert spool.close()
    spool.append(Kind.SPAN, make_serialized(2))

    assert [number_of(entry.span) for entry in read(only_log(spool))] == [1, 2]


def test_a_clock_that_jumps_back_changes_nothing(spool_dir: Path) -> None:
    """Segments are in the order of their records, and two logs of one moment have two names."""
    times = iter([5_000, 4_000, 3_000, 2_000, -1, *[0] * 100])
    config = SpoolConfig(spool_dir, segment_bytes=4096)
    spools = [SpoolLog(config, clock=lambda: next(times)) for _ in range(2)]
    for number in range(30):
        for spool in spools:
            spool.append(Kind.SPAN, make_serialized(number, size=1000))

    assert len(list_logs(spool_dir)) == 2
    for spool in spools:
        assert len(list_segments(only_log(spool))) > 5
        assert [number_of(entry.span) for entry in read(only_log(spool), tell=refuse_damage)] == list(range(30))


def test_names_of_logs_tell_when_and_who(spool: SpoolLog) -> None:
    """The name has the start, the process id, and an id that is nobody else's."""
    spool.open()
    name = parse_log_name(only_log(spool).name)

    assert name is not None
    assert name.pid == os.getpid()
    assert parse_log_name("1-2-nothex__") is None


def test_the_quota_refuses_new_records_and_keeps_old_ones(spool_dir: Path) -> None:
    """At the quota records are refused and counted; once consumers have made room, they are taken again."""
    spool = SpoolLog(SpoolConfig(spool_dir, max_bytes=1 << 16))
    taken = 0
    while spool.append(Kind.SPAN, make_serialized(taken + 1, size=500)) is not None:
        taken += 1
    log = only_log(spool)
    assert log_bytes(log) <= 1 << 16
    assert [entry.seq for entry in read(log, tell=refuse_damage)] == list(range(1, taken + 1))
    refused = spool.counts["refused_quota"]
    assert refused == spool.losses.counts["spool"] == 1

    remove_segments(log, taken)
    while spool.append(Kind.SPAN, make_serialized(taken + 1, size=500)) is None:
        refused += 1
    ledger = read_ledger(log)
    assert ledger is not None
    assert ledger["refused_quota"] == refused
    assert [entry.seq for entry in read(log, taken)] == [taken + 1]


def test_what_others_take_counts_too(spool: SpoolLog) -> None:
    """The quota is for all logs together, as far as somebody has counted the others."""
    spool.set_bytes_elsewhere(1 << 40)
    assert spool.append(Kind.SPAN, make_serialized(1)) is None
    spool.set_bytes_elsewhere(0)
    assert spool.append(Kind.SPAN, make_serialized(2)) == 1


def test_a_record_that_is_too_large_is_refused(spool_dir: Path) -> None:
    """It is counted, and the next one is taken, with its resource."""
    spool = SpoolLog(SpoolConfig(spool_dir, max_bytes=1 << 14))
    assert spool.append(Kind.SPAN, make_serialized(1, size=1 << 14)) is None
    assert spool.append(Kind.SPAN, make_serialized(2)) == 1

    assert spool.counts["refused_too_large"] == 1
    assert [entry.span for entry in read(only_log(spool))] == [make_serialized(2)]


def test_a_removed_directory_is_made_anew(spool_dir: Path) -> None:
    """Where somebody has removed the spool of a living process, it begins another with the next segment."""
    spool = SpoolLog(SpoolConfig(spool_dir, segment_bytes=4096))
    spool.append(Kind.SPAN, make_serialized(1, size=5000))
    gone = only_log(spool)
    gone.rename(spool_dir.parent / "gone")
    assert spool.append(Kind.SPAN, make_serialized(2)) == 1

    assert only_log(spool) != gone
    assert [number_of(entry.span) for entry in read(only_log(spool))] == [2]


def test_a_log_that_is_done_with_can_be_retired(spool: SpoolLog, spool_dir: Path) -> None:
    """It goes if it has no record that the caller does not know of; the next record begins another."""
    for number in (1, 2):
        spool.append(Kind.SPAN, make_serialized(number))
    log = only_log(spool)
    assert not spool.retire(log, 1)
    assert spool.retire(log, 2)
    assert list_logs(spool_dir) == []
    assert spool.append(Kind.SPAN, make_serialized(3)) == 1
    assert only_log(spool) != log


def test_counts_are_in_the_file_at_once(spool: SpoolLog) -> None:
    """A count needs no record beside it, and is there for other processes."""
    spool.count("unsampled")
    spool.count("redacted", 3)
    ledger = read_ledger(only_log(spool))

    assert ledger is not None
    assert {name: count for name, count in ledger.items() if count} == {"unsampled": 1, "redacted": 3}
    assert spool.counts == ledger


@pytest.mark.parametrize("text", [b"", b"AGTLEDG\x01", b"\0" * 4096])
def test_what_is_no_ledger_has_no_counts(tmp_path: Path, text: bytes) -> None:
    """Unknown is not zero."""
    assert read_ledger(tmp_path) is None
    (tmp_path / "ledger").write_bytes(text)
    assert read_ledger(tmp_path) is None


@pytest.mark.parametrize(
    ("setting", "value"), [("durability", "none"), ("max_bytes", 10), ("segment_bytes", 0), ("max_queued", 0)]
)
def test_a_wrong_setting_is_named(tmp_path: Path, setting: str, value: object) -> None:
    """It raises at once, and says which."""
    with pytest.raises(ConfigError, match=setting):
        SpoolConfig(tmp_path, **{setting: value})  # type: ignore[arg-type]
