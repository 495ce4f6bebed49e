"""A thread that is there while there is work, on its way into the world and out of it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from otel_agenttrace.stores.sql.background import Background
from otel_agenttrace.testing.programs import run_program

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

_TIMEOUT_S = 30


def test_work_is_done_in_the_background_each_time_it_is_asked_for() -> None:
    """The thread ends when all is done, and another is there for what comes next."""
    done = threading.Semaphore(0)
    background = Background("test-work", lambda _: done.release())

    for _ in range(3):
        background.wake()
        assert done.acquire(timeout=_TIMEOUT_S)
    background.close()
    background.wake()
    assert not done.acquire(blocking=False)


def test_a_thread_that_cannot_be_started_is_started_at_the_next_chance() -> None:
    """Whoever asks for the work is not troubled, and the next call has it done."""
    done = threading.Event()
    background = Background("test-work", lambda _: done.set())
    before = threading.stack_size(2**46)  # more than there is
    try:
        background.wake()
    finally:
        threading.stack_size(before)
    assert not done.is_set()

    background.wake()

    assert done.wait(_TIMEOUT_S)
    background.close()


def test_a_thread_may_be_stopped_while_it_is_being_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stops it waits until it has begun, and then until it has ended."""
    errors: list[BaseException] = []
    background = Background("test-work", lambda _: None)
    start = threading.Thread.start

    def close() -> None:
        try:
            background.close()
        except RuntimeError as error:
            errors.append(error)

    closing = threading.Thread(target=close)

    def start_late(thread: threading.Thread) -> None:
        start(closing)
        closing.join(0.2)  # unless it has to wait
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_late)
    background.wake()
    closing.join(_TIMEOUT_S)

    assert not closing.is_alive()
    assert not errors


def test_a_program_may_end_while_threads_are_being_started(tmp_path: Path) -> None:
    """It ends quietly."""
    source = """
        import threading
        from otel_agenttrace.stores.sql.background import Background

        backgrounds = [Background("test-work", lambda _: None) for _ in range(20)]
        going = threading.Event()

        def wake():
            while True:
                for background in backgrounds:
                    background.wake()
                going.set()

        threading.Thread(target=wake, daemon=True).start()
        going.wait()
    """
    for _ in range(3):
        assert not run_program(tmp_path, source).stderr
