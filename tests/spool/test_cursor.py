"""Cursors: saved whole, whatever happens meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.spool.cursor import Cursor, CursorFile, within
from otel_agenttrace.spool.names import cursor_name

if TYPE_CHECKING:
    from pathlib import Path

FIRST, SECOND = Cursor(5, 4, 1, 0, 2), Cursor(9, 7, 1, 1, 3)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A cursor that was saved twice."""
    cursor = CursorFile(tmp_path, "otlp")
    cursor.save(FIRST)
    cursor.save(SECOND, sync=True)
    cursor.close()
    return tmp_path


def test_there_is_none_at_first(tmp_path: Path) -> None:
    """A target that has never taken anything is at no place."""
    assert CursorFile(tmp_path, "otlp").load() is None


def test_the_last_one_saved_is_loaded(saved: Path) -> None:
    """By another process too, which goes on from there."""
    other = CursorFile(saved, "otlp")
    assert other.load() == SECOND
    for seq in range(10, 20):
        other.save(Cursor(seq))
        assert CursorFile(saved, "otlp").load() == Cursor(seq)
    assert CursorFile(saved, "azure").load() is None


def test_saving_without_loading_goes_on(saved: Path) -> None:
    """A cursor is newer than what was there, also for one who never looked."""
    CursorFile(saved, "otlp").save(Cursor(1))

    assert CursorFile(saved, "otlp").load() == Cursor(1)


def test_a_damaged_slot_leaves_the_other(saved: Path) -> None:
    """Whichever byte of the last one is bad, the one before it is taken; a byte of the other changes nothing."""
    path = CursorFile(saved, "otlp").path
    data = path.read_bytes()
    for position in range(60):
        for at, left in ((position, FIRST), (512 + position, SECOND)):
            changed = bytearray(data)
            changed[at] ^= 0x40
            path.write_bytes(changed)
            cursor = CursorFile(saved, "otlp")
            assert cursor.load() == left
            assert cursor.damaged_slots == 1


@given(content=st.binary(max_size=1100))
def test_what_is_no_cursor_is_none(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """A foreign file gives no place, and can be written over."""
    cursor = CursorFile(tmp_path_factory.mktemp("log"), "otlp")
    cursor.path.write_bytes(content)
    assert cursor.load() is None
    assert cursor.damaged_slots == sum(any(content[at : at + 512]) for at in (0, 512))
    cursor.save(FIRST)
    assert cursor.load() == FIRST
    cursor.close()


def test_every_target_has_its_own_file() -> None:
    """Names of any length and with any characters make file names, which differ."""
    targets = ["otlp", "otlp/x", "otlp%2Fx", "..", "é" * 100, "é" * 101, "a" * 500, "a" * 501]
    names = {cursor_name(target) for target in targets}

    assert len(names) == len(targets)
    assert all(len(name) < 200 and "/" not in name and not name.startswith("..cursor") for name in names)


def test_a_cursor_beyond_the_end_is_at_the_end() -> None:
    """The log has lost its end; the caller is told."""
    assert within(SECOND, 9) == (SECOND, True)
    assert within(SECOND, 7) == (SECOND._replace(seq=7), False)
