"""The logs of dead processes: found, delivered once by one adopter, completed, and removed."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.exporters.spooled_store import SpooledStore
from otel_agenttrace.losses import LossLog
from otel_agenttrace.model.record import ENDED_BY, EventRecord
from otel_agenttrace.pipeline.failures import classify
from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.adoption import adopt
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.cursor import Cursor, CursorFile
from otel_agenttrace.spool.directory import list_logs
from otel_agenttrace.spool.drained import Drained
from otel_agenttrace.spool.draining import MAX_AGE_S, drain
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.history import HISTORY
from otel_agenttrace.spool.known_logs import read_known_logs
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.names import list_segments
from otel_agenttrace.spool.reader import read
from otel_agenttrace.spool.siblings import this_process
from otel_agenttrace.spool.status import read_status
from otel_agenttrace.spool.target import TAKEN, Delivery
from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.stores.lazy import LazyStore
from otel_agenttrace.stores.open import open_store
from otel_agenttrace.testing.spans import SECOND, START
from otel_agenttrace.testing.spool_targets import (
    HangingTarget,
    ListTarget,
    append_spans,
    decode,
    names_of,
    serialized,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from otel_agenttrace.spool.adoption import AdoptedLog
    from otel_agenttrace.spool.config import Durability
    from otel_agenttrace.spool.target import SpoolTarget


def dead_log(
    spool_dir: Path,
    numbers: Sequence[int] = (),
    targets: Sequence[str] = ("list",),
    durability: Durability = "process",
) -> Path:
    """The log of a process that is gone, as far as its lock tells."""
    log = SpoolLog(SpoolConfig(spool_dir, durability, segment_bytes=4096), About(targets=tuple(targets)))
    assert log.open()
    append_spans(log, numbers)
    (path,) = log.logs
    del log
    gc.collect()
    return path


def drained(spool_dir: Path, *targets: SpoolTarget, timeout_s: float = 20.0) -> Drained:
    """Drain, with plenty of time."""
    return drain(spool_dir, targets, decode, LossLog(), timeout_s)


def started(log: SpoolLog, number: int, **fields: object) -> None:
    """Append the start record of a span."""
    assert log.append(Kind.START, serialized(number, end_time_unix_nano=None, **fields)) is not None


def test_a_dead_log_is_delivered_and_removed(spool_dir: Path) -> None:
    """Everybody gets all of it, its counts stay, and the directory goes."""
    dead_log(spool_dir, range(300), ["list", "other"])
    dead_log(spool_dir, range(300, 600), ["list"])
    target, other = ListTarget(), ListTarget("other")

    assert drained(spool_dir, target, other) == Drained(removed=2, left=0)
    assert target.names == names_of(range(600))
    assert other.names == names_of(range(300))
    assert [path.name for path in spool_dir.iterdir()] == [HISTORY]
    assert [(each.name, each.sent, each.waiting) for each in read_status(spool_dir).targets] == [
        ("list", 600, 0),
        ("other", 300, 0),
    ]


def test_a_living_log_is_not_touched(spool: SpoolLog, spool_dir: Path) -> None:
    """Its process delivers it."""
    append_spans(spool, range(3))
    target = ListTarget()

    assert drained(spool_dir, target) == Drained(0, 0)
    assert target.names == []


@pytest.mark.parametrize("durability", ["process", "power"])
def test_targets_are_told_what_a_log_was_promised(spool_dir: Path, durability: Durability) -> None:
    """Those that are to get it are, before they do."""
    dead_log(spool_dir, range(3), durability=durability)
    told: list[bool] = []

    def answer(_: list[str]) -> Delivery:
        told.append(target.survives_power_cuts)
        return TAKEN

    target, other = ListTarget(answer=answer), ListTarget("other")
    assert drained(spool_dir, target, other) == Drained(1, 0)
    assert told == [durability == "power"]
    assert not other.survives_power_cuts


def test_no_spool_is_nothing_to_do(spool_dir: Path) -> None:
    """As on a machine where nothing was recorded yet."""
    assert drained(spool_dir, ListTarget()) == Drained(0, 0)


def test_a_target_that_is_not_here_keeps_its_place(spool_dir: Path) -> None:
    """A command that has the store alone leaves the rest for those who have the exporter; once each."""
    dead_log(spool_dir, range(100), ["store:s", "otlp"])
    store, again, otlp = ListTarget("store:s"), ListTarget("store:s"), ListTarget("otlp")

    assert drained(spool_dir, store) == Drained(0, 1)
    assert drained(spool_dir, again) == Drained(0, 1)
    assert drained(spool_dir, otlp) == Drained(1, 0)
    assert store.names == otlp.names == names_of(range(100))
    assert again.names == []


def test_a_target_that_nobody_has_is_given_up_in_the_end(spool_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """After a week its records are dropped, counted, and the log goes; not those of a store."""
    paths = [dead_log(spool_dir, range(10), ["list", "gone"]), dead_log(spool_dir, range(10), ["list", "store:gone"])]
    old = time.time() - MAX_AGE_S - 60
    for path in paths:
        for segment in list_segments(path):
            os.utime(path / str(segment), (old, old))

    assert drained(spool_dir, ListTarget()) == Drained(1, 1)
    status = {each.name: each for each in read_status(spool_dir).targets}
    assert (status["gone"].dropped, status["gone"].waiting) == (10, 0)
    assert status["store:gone"].waiting == 10
    assert "nobody has sent there for 7 days" in caplog.text


def test_targets_that_the_log_does_not_name_do_not_get_it(spool_dir: Path) -> None:
    """An exporter that was added later does not get what was recorded before."""
    dead_log(spool_dir, range(3), ["list"])
    late = ListTarget("late")

    assert drained(spool_dir, ListTarget(), late) == Drained(1, 0)
    assert late.names == []


def test_a_log_that_does_not_say_who_is_to_get_it_goes_to_all(spool_dir: Path) -> None:
    """A lost about.json costs nothing."""
    path = dead_log(spool_dir, range(3))
    (path / "about.json").write_text("nonsense")
    one, two = ListTarget("one"), ListTarget("two")

    assert drained(spool_dir, one, two) == Drained(1, 0)
    assert one.names == two.names == names_of(range(3))


def test_a_log_is_not_removed_where_nobody_could_get_it(spool_dir: Path) -> None:
    """Without any target known, here or by name, the records stay."""
    path = dead_log(spool_dir, range(3))
    (path / "about.json").unlink()

    assert drained(spool_dir) == Drained(0, 1)
    target = ListTarget()
    assert drained(spool_dir, target) == Drained(1, 0)
    assert target.names == names_of(range(3))


def test_a_log_with_something_foreign_in_it_is_left_and_counted(spool_dir: Path) -> None:
    """What is not ours is never removed; all else is delivered once, and its counts stay."""
    path = dead_log(spool_dir, range(30))
    (path / "notes.txt").write_text("mine")
    (path / "9999999999999999.seg").write_text("no segment, either")
    target = ListTarget()
    for _ in range(2):
        assert drained(spool_dir, target) == Drained(0, 1)

    assert target.names == names_of(range(30))
    assert sorted(each.name for each in path.iterdir() if each.suffix not in (".cursor", "")) == [
        "9999999999999999.seg",
        "notes.txt",
    ]
    (status,) = read_status(spool_dir).targets
    assert (status.recorded, status.sent, status.waiting) == (30, 30, 0)


def test_a_log_that_has_lost_segments_is_passed(spool_dir: Path) -> None:
    """What is gone from the disk is counted as dropped, and does not keep the log for ever."""
    path = dead_log(spool_dir, range(100))
    names = list_segments(path)
    (path / str(names[1])).unlink()
    target = ListTarget()

    assert drained(spool_dir, target) == Drained(1, 0)
    (status,) = read_status(spool_dir).targets
    assert status.dropped == names[2].first_seq - names[1].first_seq
    assert status.sent == len(target.names) == 100 - status.dropped


@pytest.mark.parametrize("place", [0.2, 0.5, 0.9])
def test_damage_is_counted_for_every_target(spool_dir: Path, place: float, caplog: pytest.LogCaptureFixture) -> None:
    """Bits that the disk has changed cost the record that they are in; the counts still add up."""
    path = dead_log(spool_dir, range(60), ["store:s", "otlp"])
    segment = path / str(list_segments(path)[1])
    data = bytearray(segment.read_bytes())
    data[int(len(data) * place)] ^= 0x5A
    segment.write_bytes(data)
    store, otlp = ListTarget("store:s"), ListTarget("otlp")

    assert drained(spool_dir, store, otlp) == Drained(1, 0)
    assert store.names == otlp.names
    assert len(store.names) >= 59
    for status in read_status(spool_dir).targets:
        assert (status.recorded, status.waiting) == (60, 0)
        assert (status.sent, status.dropped) == (len(store.names), 60 - len(store.names))
    assert " are damaged" in caplog.text


def test_a_target_that_is_away_does_not_hold_back_the_others(spool_dir: Path) -> None:
    """All logs reach the store at once; what waits for the other stays, with its place."""
    for start in range(0, 30, 10):
        dead_log(spool_dir, range(start, start + 10), ["store:s", "otlp"])
    store, otlp = ListTarget("store:s"), ListTarget("otlp", lambda _: Delivery("away"))
    start_time = time.monotonic()

    assert drained(spool_dir, store, otlp) == Drained(0, 3)
    assert time.monotonic() - start_time < 10
    assert store.names == names_of(range(30))
    otlp.answer = lambda _: TAKEN
    assert drained(spool_dir, store, otlp) == Drained(3, 0)
    assert otlp.names == names_of(range(30))


def test_a_target_that_hangs_does_not_hold_up_a_command(spool_dir: Path) -> None:
    """It returns in time; the others' records were delivered."""
    dead_log(spool_dir, range(10), ["store:s", "hangs"])
    store, hangs = ListTarget("store:s"), HangingTarget()
    start_time = time.monotonic()
    found = drained(spool_dir, store, hangs, timeout_s=0.5)
    hangs.released.set()

    assert found == Drained(0, 1)
    assert time.monotonic() - start_time < 5
    assert store.names == names_of(range(10))


def test_two_adopters_never_take_the_same_log(spool_dir: Path) -> None:
    """A log that somebody drains is passed over."""
    dead_log(spool_dir, range(10))
    target = ListTarget()
    (adopted,) = adopt(spool_dir)
    with adopted:
        assert drained(spool_dir, target) == Drained(0, 0)

    assert drained(spool_dir, target) == Drained(1, 0)
    assert target.names == names_of(range(10))


def test_a_torn_end_is_cut_and_the_rest_delivered(spool_dir: Path) -> None:
    """What was not completely written was not acknowledged."""
    path = dead_log(spool_dir, range(3))
    with (path / str(list_segments(path)[-1])).open("ab") as file:
        file.write(b"\xfe\xa7 half a frame")
    target = ListTarget()

    assert drained(spool_dir, target) == Drained(1, 0)
    assert target.names == names_of(range(3))


def test_open_spans_end_with_their_process(spool_dir: Path) -> None:
    """Each is ended once, where its trace was last seen alive, and is found to have been abandoned."""
    log = SpoolLog(SpoolConfig(spool_dir), About(targets=("store:s", "otlp")))
    started(log, 1, name="agent")
    started(log, 2, name="tool", parent_span_id=f"{1:016x}", events=(EventRecord("e", START + 7 * SECOND),))
    started(log, 3, name="done")
    started(log, 4, name="elsewhere", trace_id="a" * 32)
    append_spans(log, [3])
    del log
    gc.collect()
    store, otlp = ListTarget("store:s", takes_open=True), ListTarget("otlp")
    records = {}

    def keep(names: list[str]) -> Delivery:
        (path,) = list_logs(spool_dir)
        for entry in read(path):
            records[entry.seq] = decode(entry)
        return TAKEN if names else Delivery("away")

    otlp.answer = keep

    assert drained(spool_dir, store, otlp) == Drained(1, 0)
    assert otlp.names == ["span 3", "agent", "tool", "elsewhere"]
    ended = [record for record in records.values() if ENDED_BY in record.attributes]
    assert [(each.name, each.end_time_unix_nano) for each in ended] == [
        ("agent", START + 7 * SECOND),
        ("tool", START + 7 * SECOND),
        ("elsewhere", START),
    ]
    assert {each.status_code for each in ended} == {"UNSET"}
    assert {failure.type for each in ended if (failure := classify(each))} == {"abandoned"}
    assert read_status(spool_dir).abandoned == 3


def test_open_spans_are_ended_once_however_often_a_log_is_adopted(spool_dir: Path) -> None:
    """An adopter that leaves the log half delivered has completed it for all."""
    log = SpoolLog(SpoolConfig(spool_dir), About(targets=("list", "gone")))
    started(log, 1)
    path = next(iter(log.logs))
    del log
    gc.collect()
    for _ in range(3):
        assert drained(spool_dir, ListTarget()) == Drained(0, 1)
        (path / "%40open-spans.cursor").unlink()  # as if the adopter had been killed just before

    assert [entry.kind for entry in read(path)] == [Kind.START, Kind.SPAN]


AGENT = """
    import itertools, os, sys, threading
    from pathlib import Path
    from otel_agenttrace.exporters.spooled_store import SpooledStore
    from otel_agenttrace.losses import LossLog
    from otel_agenttrace.spool.about import About
    from otel_agenttrace.spool.config import SpoolConfig
    from otel_agenttrace.spool.consumers import Consumers
    from otel_agenttrace.spool.frames import Kind
    from otel_agenttrace.spool.log import SpoolLog
    from otel_agenttrace.stores.lazy import LazyStore
    from otel_agenttrace.testing.spool_targets import ListTarget, decode, serialized

    folder, first = Path(sys.argv[1]), int(sys.argv[2])
    sent = os.open(folder / f"forwarded-{first}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    class Forward(ListTarget):
        def deliver(self, items):
            os.write(sent, "".join(item.record.name + "\\n" for item in items).encode())
            return super().deliver(items)

    losses = LossLog()
    targets = [SpooledStore("store:s", LazyStore(f"sqlite:///{folder}/traces.db")), Forward("otlp")]
    config = SpoolConfig(folder / "spool", segment_bytes=65536)
    log = SpoolLog(config, About(targets=("store:s", "otlp")), losses=losses)
    consumers = Consumers(log, targets, decode, losses)

    def work(thread):
        for number in itertools.count(first + thread * 1_000_000):
            span = serialized(number, trace_id=f"{number // 10 + 1:032x}")
            seq = log.append(Kind.SPAN, span)
            consumers.note(seq)
            if seq is not None:
                os.write(1, f"{number}\\n".encode())

    for thread in range(3):
        threading.Thread(target=work, args=[thread], daemon=True).start()
    threading.Event().wait()
    """


def test_killed_agents_lose_nothing(tmp_path: Path) -> None:
    """Every span whose end was acknowledged before kill -9 is stored once, and was forwarded at least once."""
    program = tmp_path / "agent.py"
    program.write_text(textwrap.dedent(AGENT))
    acknowledged: set[int] = set()
    left_behind = 0
    for round_number in range(4):
        agent = subprocess.Popen(
            [sys.executable, program, tmp_path, str(round_number * 10_000_000)], stdout=subprocess.PIPE, text=True
        )
        assert agent.stdout is not None
        wanted = 400 + 500 * round_number
        acknowledged.update(int(agent.stdout.readline()) for _ in range(wanted))
        agent.send_signal(signal.SIGKILL)
        lines = agent.stdout.read().splitlines(keepends=True)
        acknowledged.update(int(line) for line in lines if line.endswith("\n"))
        agent.wait()
        agent.stdout.close()
        left_behind += len(list_logs(tmp_path / "spool")) > 0
    (sent,) = [tmp_path / "forwarded-by-adopter"]
    store = SpooledStore("store:s", LazyStore(f"sqlite:///{tmp_path}/traces.db"))
    otlp = ListTarget("otlp")
    result = drained(tmp_path / "spool", store, otlp, timeout_s=60)
    store.close()
    sent.write_text("".join(f"{name}\n" for name in otlp.names))
    forwarded = {line for path in tmp_path.glob("forwarded-*") for line in path.read_text().splitlines()}
    with open_store(f"sqlite:///{tmp_path}/traces.db") as opened:
        names = [span.name for span in opened.spans.find_spans(SpanQuery(limit=10_000_000))]

    assert result.left == 0
    assert left_behind > 0
    expected = set(names_of(acknowledged))
    assert expected <= set(names)
    assert len(names) == len(set(names))
    assert expected <= forwarded


def adopted_once_free(spool_dir: Path) -> AdoptedLog:
    """The log of the spool, once whoever delivers it has left it."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        for adopted in adopt(spool_dir):
            return adopted
    raise AssertionError("nobody leaves the log")


def test_what_is_taken_after_the_time_is_not_sent_again(spool_dir: Path) -> None:
    """A command that has no time for more than one delivery brings the next one further; nobody else is at it then."""
    path = dead_log(spool_dir, range(100))
    slow = HangingTarget("list")
    found = drained(spool_dir, slow, timeout_s=0.1)
    others = list(adopt(spool_dir))
    slow.released.set()
    with adopted_once_free(spool_dir):
        cursor = CursorFile(path, "list").load()
    target = ListTarget()

    assert (found, others) == (Drained(0, 1), [])
    assert cursor is not None
    assert cursor.seq == len(slow.names) == 32
    assert drained(spool_dir, target) == Drained(1, 0)
    assert slow.names + target.names == names_of(range(100))


def test_drainings_that_are_killed_get_further(spool_dir: Path) -> None:
    """What is there is delivered before anything takes reading all of the log; so the first batch always arrives."""
    path = dead_log(spool_dir, range(3000))
    program = textwrap.dedent("""
        import os, sys
        from pathlib import Path
        from otel_agenttrace.losses import LossLog
        from otel_agenttrace.spool.draining import drain
        from otel_agenttrace.spool.target import TAKEN
        from otel_agenttrace.testing.spool_targets import ListTarget, decode

        def answer(names):
            target.calls < 3 or os._exit(9)
            return TAKEN

        target = ListTarget(answer=answer)
        drain(Path(sys.argv[1]), [target], decode, LossLog(), 60)
        """)
    places = []
    for _ in range(3):
        subprocess.run([sys.executable, "-c", program, spool_dir], check=False)
        places.append((CursorFile(path, "list").load() or Cursor()).seq)

    assert places == [96, 192, 288]


def test_it_says_who_delivers_a_log(spool_dir: Path) -> None:
    """Of a living process nobody does."""
    path = dead_log(spool_dir, range(3))
    log = SpoolLog(SpoolConfig(spool_dir))
    assert log.open()
    (living,) = log.logs
    with next(adopt(spool_dir)):
        found = {each.path: (each.state, each.adopter) for each in read_known_logs(spool_dir)}
    left = {each.path: (each.state, each.adopter) for each in read_known_logs(spool_dir)}

    assert found == {path: ("dead", this_process()), living: ("living", "")}
    assert left == {path: ("dead", ""), living: ("living", "")}


def test_progress_is_told(spool_dir: Path) -> None:
    """How many records are done with, for all targets together."""
    dead_log(spool_dir, range(300), ["list", "other"])
    told: list[int] = []
    targets = [ListTarget(), ListTarget("other")]

    assert drain(spool_dir, targets, decode, LossLog(), 20, progress=told.append) == Drained(1, 0)
    assert told == sorted(told)
    assert told[-1] <= 600
