"""Calls that each may hang, run side by side within one limit of time."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from otel_agenttrace.instrument.faults import contained

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def run_together(calls: Sequence[Callable[[], object]], timeout_s: float) -> bool:
    """Run calls side by side; whether all of them returned in time, and none returned False."""
    deadline = time.monotonic() + timeout_s
    results: list[object] = []

    def run(call: Callable[[], object]) -> None:
        with contained("flush spans"):
            results.append(call())

    threads = [_start_thread(partial(run, call)) for call in calls]
    for thread in threads:
        if thread is not None:
            thread.join(max(0.0, deadline - time.monotonic()))
    return len(results) == len(calls) and all(result is not False for result in results)


def _start_thread(run: Callable[[], None]) -> threading.Thread | None:
    """Run it in a thread; here and now where that cannot be: from 3.12 an ending interpreter starts no threads."""
    thread = threading.Thread(target=run, name="agenttrace-flush", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        run()
        return None
    return thread
