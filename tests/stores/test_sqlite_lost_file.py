"""A store whose file is deleted, moved or replaced while it is in use: nothing goes where nobody finds it."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.errors import StoreUnavailableError, TraceNotFoundError
from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.stores.sql.index import index_path
from otel_agenttrace.stores.sql.sqlite import SqliteSpanStore
from otel_agenttrace.testing.programs import run_program
from otel_agenttrace.testing.spans import TRACE_ID, make_span
from otel_agenttrace.testing.store_cases import OTHER_TRACE_ID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

THIRD_TRACE_ID = "3" * 32
OTHER_PROCESS = """
    import sys
    from contextlib import closing
    from pathlib import Path
    from otel_agenttrace.stores.sql.sqlite import SqliteSpanStore
    from otel_agenttrace.testing.spans import make_span

    with closing(SqliteSpanStore(Path("traces.db"))) as store:
        assert store.info().spans == {spans}, store.info()
        assert store.check() == []
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store is."""
    return tmp_path / "traces.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteSpanStore]:
    """A store with one span, with connections that have read and written."""
    with closing(SqliteSpanStore(path, index_in_background=False)) as store:
        store.write_spans([make_span()])
        assert store.catch_up(10)
        assert len(store.find_spans(SpanQuery(text="booking"))) == 1
        yield store


def delete(path: Path, *suffixes: str) -> None:
    """Remove a file and what is beside it: everything, unless suffixes are given."""
    for file in [path.with_name(path.name + each) for each in suffixes] or list(path.parent.iterdir()):
        file.unlink(missing_ok=True)


def in_another_process(path: Path, spans: int) -> None:
    """See to it that others find a sound store with that many spans."""
    run_program(path.parent, OTHER_PROCESS.format(spans=spans))


@pytest.mark.parametrize("suffixes", [(), ("",), ("", "-wal"), ("", "-shm"), ("", "-wal", "-shm")])
def test_what_is_written_after_a_deletion_is_in_a_new_file(
    store: SqliteSpanStore, path: Path, suffixes: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """With all that stands beside it or without, others find what came later, and the log says it once."""
    delete(path, *suffixes)

    for number in range(1, 4):
        store.write_spans([make_span(trace_id=OTHER_TRACE_ID, span_id=f"{number:016x}")])

    in_another_process(path, 3)
    with pytest.raises(TraceNotFoundError):
        store.get_trace(TRACE_ID)
    assert store.find_trace_ids(SpanQuery(text="booking")) == [OTHER_TRACE_ID]
    assert store.catch_up(10)
    assert store.find_trace_ids(SpanQuery(text="booking")) == [OTHER_TRACE_ID]
    assert store.info().details["not_indexed_yet"] == 0
    (said,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert said.startswith(f"{path} was deleted, moved or replaced while it was in use; ")


def test_reading_notices_a_deletion_as_well(store: SqliteSpanStore, path: Path) -> None:
    """Nothing of what was deleted is answered, and the file is there again."""
    delete(path)

    assert store.find_spans(SpanQuery()) == []
    assert path.exists()
    in_another_process(path, 0)


@pytest.mark.parametrize("companions", [(), ("-wal", "-shm")])
def test_another_store_that_is_moved_there_is_gone_on_with(
    store: SqliteSpanStore, path: Path, companions: tuple[str, ...]
) -> None:
    """It keeps what it has; what the old file left beside it does it no harm."""
    other = path.with_name("other.db")
    with closing(SqliteSpanStore(other)) as second:
        second.write_spans([make_span(trace_id=OTHER_TRACE_ID, span_id=f"{n:016x}") for n in range(1, 50)])
    other.replace(path)
    if companions:
        delete(path, *companions)

    store.write_spans([make_span(trace_id=THIRD_TRACE_ID)])

    assert set(store.find_trace_ids(SpanQuery())) == {OTHER_TRACE_ID, THIRD_TRACE_ID}
    assert store.check() == []
    in_another_process(path, 50)


def test_a_file_that_is_moved_away_has_all_that_was_stored(store: SqliteSpanStore, path: Path) -> None:
    """Even what was still in the write-ahead log, which it was moved without."""
    away = path.with_name("away.db")
    path.rename(away)

    store.write_spans([make_span(trace_id=OTHER_TRACE_ID)])

    with closing(SqliteSpanStore(away)) as old:
        assert old.find_trace_ids(SpanQuery()) == [TRACE_ID]
        assert old.check() == []
    in_another_process(path, 1)


def test_a_file_that_goes_during_a_transaction_takes_it_along(store: SqliteSpanStore, path: Path) -> None:
    """That write is not reported as done, so its batch is written again, to the new file."""
    forgotten: list[bool] = []

    def write_and_delete() -> None:
        with store._connections.writing(lambda: forgotten.append(True)) as connection:
            connection.execute("INSERT INTO settings VALUES ('a', 'b')")
            delete(path)

    with pytest.raises(StoreUnavailableError, match=f"{path} was deleted or replaced meanwhile"):
        write_and_delete()
    assert forgotten
    store.set_setting("a", "c")
    assert store.get_setting("a") == "c"


def test_all_who_use_a_deleted_file_go_on_in_the_same_new_one(store: SqliteSpanStore, path: Path) -> None:
    """Whoever of them notices it first."""
    source = """
        import sys
        from contextlib import closing
        from pathlib import Path
        from otel_agenttrace.stores.sql.sqlite import SqliteSpanStore
        from otel_agenttrace.testing.spans import make_span

        def write(store, number):
            store.write_spans([make_span(trace_id=f"{number:032x}")])

        others = [SqliteSpanStore(Path("traces.db")) for _ in range(3)]
        for number, store in enumerate(others, 100):
            write(store, number)
            assert store.info().spans
        Path("traces.db").unlink()
        for round in range(3):
            for number, store in enumerate(others):
                write(store, 1 + 10 * round + number)
                assert store.info().spans == 3 * round + number + 1, (round, number, store.info())
        for store in others:
            assert store.check() == []
            store.close()
    """
    run_program(path.parent, source)
    store.write_spans([make_span(trace_id=OTHER_TRACE_ID)])
    in_another_process(path, 10)


def test_threads_that_write_and_read_meanwhile_lose_nothing(store: SqliteSpanStore, path: Path) -> None:
    """What was reported as stored after the deletion is there, whichever thread notices it first."""
    gone, kept = threading.Event(), []

    def write(first: int) -> None:
        for number in range(first, first + 40):
            if number == first + 10:
                gone.wait(30)
            trace_id = f"{number:032x}"
            while True:
                try:
                    store.write_spans([make_span(trace_id=trace_id)])
                except StoreUnavailableError:
                    continue
                break
            if number >= first + 10:
                kept.append(trace_id)
            store.find_spans(SpanQuery(limit=3))

    threads = [threading.Thread(target=write, args=[first]) for first in (1_000, 2_000, 3_000)]
    for thread in threads:
        thread.start()
    delete(path)
    gone.set()
    for thread in threads:
        thread.join(60)

    assert len(kept) == 90
    assert set(kept) <= set(store.find_trace_ids(SpanQuery(limit=1_000)))
    assert store.check() == []


def test_a_read_only_store_follows_its_path(store: SqliteSpanStore, path: Path) -> None:
    """It makes nothing: while no file is there it is unavailable, and it reads what is there next."""
    with closing(SqliteSpanStore(path, read_only=True)) as reader:
        assert reader.find_trace_ids(SpanQuery()) == [TRACE_ID]
        store.close()
        delete(path)
        for _ in range(2):
            with pytest.raises(StoreUnavailableError, match=f"{path}: unable to open"):
                reader.find_trace_ids(SpanQuery())
        assert not path.exists()
        with closing(SqliteSpanStore(path)) as new:
            new.write_spans([make_span(trace_id=OTHER_TRACE_ID)])
        assert reader.find_trace_ids(SpanQuery()) == [OTHER_TRACE_ID]


@pytest.mark.parametrize("kind", ["text", "database"])
def test_a_foreign_file_in_its_place_is_left_alone(store: SqliteSpanStore, path: Path, kind: str) -> None:
    """Writing is refused until it is gone, as something that passes: no batch is given up for it."""
    foreign = path.with_name("foreign")
    if kind == "text":
        foreign.write_bytes(b"not a database, but long enough to be looked at" * 50)
    else:
        with closing(sqlite3.connect(foreign)) as connection:
            connection.execute("CREATE TABLE spans (a)")
    content = foreign.read_bytes()
    foreign.replace(path)

    for _ in range(2):
        with pytest.raises(StoreUnavailableError, match=f"{path} is "):
            store.write_spans([make_span(trace_id=OTHER_TRACE_ID)])
        with pytest.raises(StoreUnavailableError, match=f"{path} is "):
            store.find_spans(SpanQuery())
    assert path.read_bytes() == content
    delete(path)
    store.write_spans([make_span(trace_id=OTHER_TRACE_ID)])
    in_another_process(path, 1)


def test_a_deleted_index_is_built_again_without_a_word(
    store: SqliteSpanStore, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """By the process that had it open, too: it may be deleted at any time."""
    for suffix in ("", "-wal", "-shm"):
        delete(index_path(path), suffix)

    assert store.catch_up(10)

    assert index_path(path).exists()
    assert store.info().details["not_indexed_yet"] == 0
    assert len(store.find_spans(SpanQuery(text="booking"))) == 1
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("suffixes", [("-wal",), ("-shm",), ("-wal", "-shm")])
def test_what_sqlite_keeps_beside_the_file_is_its_own(path: Path, suffixes: tuple[str, ...]) -> None:
    """Without it nothing may be readable for a while; all that was stored is there when the store is closed."""
    with closing(SqliteSpanStore(path, index_in_background=False)) as store:
        store.write_spans([make_span()])
        delete(path, *suffixes)
        store.write_spans([make_span(trace_id=OTHER_TRACE_ID)])
    in_another_process(path, 2)


def test_opening_a_store_twice_keeps_the_locks_of_this_process(store: SqliteSpanStore, path: Path) -> None:
    """Closing the second does not make another process believe to be the last, which removes the write-ahead log."""
    SqliteSpanStore(path).close()
    in_another_process(path, 1)

    store.write_spans([make_span(trace_id=OTHER_TRACE_ID)])

    assert path.with_name(path.name + "-wal").exists()
    in_another_process(path, 2)


def test_a_link_to_a_file_that_is_not_there_yet_is_followed(path: Path) -> None:
    """The store is made where the link leads."""
    target = path.with_name("target.db")
    path.symlink_to(target)
    with closing(SqliteSpanStore(path)) as store:
        store.write_spans([make_span()])
    assert target.stat().st_mode & 0o777 == 0o600
    with closing(SqliteSpanStore(target)) as store:
        assert store.find_trace_ids(SpanQuery()) == [TRACE_ID]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_goes_on_in_the_new_file(store: SqliteSpanStore, path: Path) -> None:
    """One that was forked before the deletion, as one that was forked after it."""
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.write(ready[1], b".")
            os.read(go[0], 1)
            store.write_spans([make_span(trace_id=OTHER_TRACE_ID)])
            code = 0
        finally:
            os._exit(code)
    os.read(ready[0], 1)
    delete(path)
    os.write(go[1], b".")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    for fd in (*ready, *go):
        os.close(fd)
    store.write_spans([make_span(trace_id=THIRD_TRACE_ID)])
    assert set(store.find_trace_ids(SpanQuery())) == {OTHER_TRACE_ID, THIRD_TRACE_ID}
    in_another_process(path, 2)


def test_an_agent_whose_file_is_deleted_goes_on_recording(tmp_path: Path) -> None:
    """What ends after the deletion is in the new file once flush() returns True."""
    source = """
        import sqlite3
        from contextlib import closing
        from pathlib import Path
        from opentelemetry import trace
        from otel_agenttrace import configure_tracing

        tracing = configure_tracing("agent", store="sqlite:///del.db")
        tracer = trace.get_tracer("agent")
        tracer.start_span("first").end()
        assert tracing.flush()
        for file in Path().glob("del.db*"):
            if file.is_file():
                file.unlink()
        for number in range(3):
            tracer.start_span(f"later {number}").end()
        assert tracing.flush()
        with closing(sqlite3.connect("del.db")) as connection:
            names = connection.execute("SELECT json_extract(body, '$.name') FROM spans").fetchall()
        assert len(names) == 3, names
    """
    said = run_program(tmp_path, source).stderr
    assert said.count("was deleted, moved or replaced while it was in use") == 1, said
