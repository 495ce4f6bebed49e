"""The files of the SQLite store: who may read them, and what happens when they cannot be read or written."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import tempfile
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.errors import StoreError, StoreRejectedError, StoreUnavailableError
from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.stores.sql import errors
from otel_agenttrace.stores.sql.sqlite import SqliteSpanStore
from otel_agenttrace.testing.programs import run_program
from otel_agenttrace.testing.spans import TRACE_ID, make_span
from otel_agenttrace.testing.store_cases import OTHER_TRACE_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a store is made."""
    return tmp_path / "new" / "traces.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteSpanStore]:
    """A store with one span."""
    store = SqliteSpanStore(path)
    store.write_spans([make_span()])
    yield store
    store.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that any user may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        yield path
        path.chmod(0o755)


@contextmanager
def as_ordinary_user() -> Iterator[None]:
    """Be somebody to whom permissions mean something, where the tests run as root."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def mode(path: Path) -> int:
    """The permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_may_read_the_files(store: SqliteSpanStore, path: Path) -> None:
    """The folder is made with mode 0700, and every file with 0600, the logs and the index too."""
    assert store.catch_up(10)
    files = {file.name.removeprefix("traces.db"): mode(file) for file in path.parent.iterdir()}
    assert files == dict.fromkeys(["", "-index", "-index-shm", "-index-wal", "-shm", "-wal"], 0o600)
    assert mode(path.parent) == 0o700


def test_a_folder_that_is_there_keeps_its_permissions(folder: Path) -> None:
    """A store in the working directory does not lock others out of it."""
    SqliteSpanStore(folder / "traces.db").close()
    assert mode(folder) == 0o755


def test_a_path_may_hold_any_character(tmp_path: Path) -> None:
    """Paths are no URLs: nothing in them is special."""
    path = tmp_path / "a?b#c%20d &e'f" / "traces?mode=memory.db"
    with closing(SqliteSpanStore(path)) as store:
        store.write_spans([make_span(name="here")])
        assert store.catch_up(10)
        assert len(store.find_spans(SpanQuery(text="here"))) == 1
    assert path.stat().st_size


def test_a_closed_store_leaves_two_files(store: SqliteSpanStore, path: Path) -> None:
    """What was written is in the file itself, which may then be copied alone."""
    assert store.catch_up(10)
    store.close()
    assert sorted(file.name for file in path.parent.iterdir()) == ["traces.db", "traces.db-index"]
    other = path.with_name("copy.db")
    shutil.copy(path, other)
    with closing(SqliteSpanStore(other)) as copy:
        assert copy.get_trace(TRACE_ID).spans == (make_span(),)


def test_a_read_only_store_changes_nothing(store: SqliteSpanStore, path: Path) -> None:
    """Opened read-only, a store can be asked anything and refuses to be written."""
    store.close()
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    with closing(SqliteSpanStore(path, read_only=True)) as reader:
        assert len(reader.find_spans(SpanQuery(text="booking"))) == 1
        assert reader.check() == []
        assert not reader.catch_up(0.1)
        for call in (lambda: reader.write_spans([make_span()]), lambda: reader.delete_traces([TRACE_ID])):
            with pytest.raises(StoreUnavailableError, match="read-only"):
                call()
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


def test_a_read_only_store_is_never_created(path: Path) -> None:
    """Reading what is not there is an error, not an empty store."""
    with pytest.raises(StoreUnavailableError, match="unable to open"):
        SqliteSpanStore(path, read_only=True)
    assert not path.parent.exists()


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_may_not_be_written_can_be_read(folder: Path, what: str) -> None:
    """In a read-only file or folder, the spans can be read, and writing says which file is read-only."""
    path = folder / "traces.db"
    with closing(SqliteSpanStore(path)) as store:
        store.write_spans([make_span()])
    path.chmod(0o444 if what == "file" else 0o666)
    folder.chmod(0o555 if what == "folder" else 0o777)
    with as_ordinary_user(), closing(SqliteSpanStore(path)) as store:
        assert len(store.find_spans(SpanQuery(text="booking"))) == 1
        with pytest.raises(StoreUnavailableError, match=f"{path} is .*read-only"):
            store.write_spans([make_span(trace_id=OTHER_TRACE_ID)])
        assert store.get_trace(TRACE_ID).spans == (make_span(),)


def test_a_folder_that_cannot_be_written_is_named(folder: Path) -> None:
    """A store that cannot be created says where and why."""
    folder.chmod(0o555)
    with as_ordinary_user(), pytest.raises(StoreUnavailableError, match=r"traces\.db cannot be created: Perm"):
        SqliteSpanStore(folder / "sub" / "traces.db")


@pytest.mark.parametrize(
    "content", [b"not a database, but long enough to be looked at" * 50, b"SQLite format 3\0" + b"x" * 5000]
)
def test_another_file_is_refused(path: Path, content: bytes) -> None:
    """A file that is no SQLite database is refused, by name, and left as it was."""
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StoreRejectedError, match=f"{path} is not an SQLite database"):
        SqliteSpanStore(path)
    assert path.read_bytes() == content


def test_somebody_elses_database_is_refused(path: Path) -> None:
    """An SQLite database with other tables is refused, and left as it was."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE spans (a)")
    content = path.read_bytes()
    with pytest.raises(StoreRejectedError, match=f"{path} is an SQLite database, but not a store"):
        SqliteSpanStore(path)
    assert path.read_bytes() == content


def test_a_locked_store_is_unavailable(store: SqliteSpanStore, path: Path) -> None:
    """While another process does not let go, writing fails after a while, and reading goes on."""
    store.close()
    with closing(SqliteSpanStore(path, busy_timeout_millis=20)) as waiting, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError, match="locked"):
            waiting.write_spans([make_span(trace_id=OTHER_TRACE_ID)])
        assert waiting.get_trace(TRACE_ID).spans == (make_span(),)
        other.rollback()
        waiting.write_spans([make_span(trace_id=OTHER_TRACE_ID)])
        assert waiting.info().traces == 2


def test_a_full_disk_loses_nothing_that_was_stored(tmp_path: Path) -> None:
    """A batch that does not fit is refused whole; what was stored stays, and when there is room, writing goes on."""
    source = """
        import resource, signal
        from pathlib import Path
        from otel_agenttrace.errors import StoreUnavailableError
        from otel_agenttrace.stores.sql.sqlite import SqliteSpanStore
        from otel_agenttrace.testing.spans import make_span

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        store = SqliteSpanStore(Path("traces.db"))
        stored, refused = 0, 0
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
        while refused < 3:
            batch = [make_span(span_id=f"{stored + n:016x}", attributes={"text": "x" * 5000}) for n in range(7)]
            try:
                store.write_spans(batch)
                stored += 7
            except StoreUnavailableError as error:
                assert "traces.db: " in str(error), error
                refused += 1
            assert store.info().spans == stored
        assert stored
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        store.write_spans(batch)
        assert store.info().spans == stored + 7
        assert store.check() == []
        store.close()
    """
    run_program(tmp_path, source)


def test_every_exception_of_the_driver_becomes_one_of_ours(path: Path) -> None:
    """Whatever `sqlite3` raises, callers see a StoreError that names the file."""
    exceptions = {value for value in vars(sqlite3).values() if isinstance(value, type) and issubclass(value, Exception)}
    rejected = {
        sqlite3.DataError,
        sqlite3.IntegrityError,
        sqlite3.InterfaceError,
        sqlite3.NotSupportedError,
        sqlite3.ProgrammingError,
    }
    unavailable = {
        sqlite3.DatabaseError,
        sqlite3.Error,
        sqlite3.InternalError,
        sqlite3.OperationalError,
        sqlite3.Warning,
    }
    assert exceptions == rejected | unavailable
    for exception in exceptions:
        expected = StoreRejectedError if exception in rejected else StoreUnavailableError
        with pytest.raises(expected, match=str(path)) as raised, errors.mapped_errors(path):
            raise exception("boom")
        assert isinstance(raised.value, StoreError)
        assert isinstance(raised.value.__cause__, exception)


@pytest.mark.parametrize("moment", ["at first", "later", "before it is opened again"])
def test_what_was_written_survives_a_power_cut_where_that_is_wanted(
    path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """From then on the writing connection has every commit confirmed by the disk, https://sqlite.org/pragma.html#pragma_synchronous."""
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def noted(*args: Any, **options: Any) -> sqlite3.Connection:
        opened.append(connect(*args, **options))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", noted)
    store = SqliteSpanStore(path, survives_power_cut=moment == "at first")
    store.write_spans([make_span()])
    assert _syncs(opened, path) == (["FULL"] if moment == "at first" else ["NORMAL"])
    if moment == "before it is opened again":
        path.unlink()
    store.survive_power_cuts()
    with suppress(StoreUnavailableError):
        store.write_spans([make_span()])
    store.write_spans([make_span()])
    assert _syncs(opened, path)[-1] == "FULL"
    store.close()


def _syncs(connections: list[sqlite3.Connection], path: Path) -> list[str]:
    """What the connections wait for that write to a file; the index has others of its own."""
    found = []
    for each in connections:
        with suppress(sqlite3.ProgrammingError):  # closed
            is_of_store = each.execute("PRAGMA database_list").fetchone()[2] == str(path)
            if is_of_store and not each.execute("PRAGMA query_only").fetchone()[0]:
                found.append(["OFF", "NORMAL", "FULL"][each.execute("PRAGMA synchronous").fetchone()[0]])
    return found
