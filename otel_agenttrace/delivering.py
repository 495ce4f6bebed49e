"""Delivers what dead processes have left in their spools: what commands do that read, and `agenttrace spool drain`."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from otel_agenttrace.errors import AgentTraceError
from otel_agenttrace.spool.directory import has_dead_logs, list_logs
from otel_agenttrace.spool.drained import Drained
from otel_agenttrace.spool.places import SpoolPlace, spool_directories, spool_place
from otel_agenttrace.stores.open import resolve_url

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_agenttrace.losses import LossLog
    from otel_agenttrace.spool.target import SpoolTarget
    from otel_agenttrace.stores.lazy import LazyStore

_SECONDS_TO_OPEN = 1.0
_SECONDS_TO_CLOSE = 0.25


def place_of(store_url: str | None, *, setting: str = "store") -> SpoolPlace:
    """Where the spool of a store is, as `configure_tracing` with the same store and environment has it.

    Args:
        store_url: as for `open_store`.
        setting: what the URL came from, as error messages are to call it.

    Raises:
        ConfigError: the URL is not accepted.
    """
    directory = os.environ.get("AGENTTRACE_SPOOL_DIR", "").strip()
    return spool_place(resolve_url(store_url, setting=setting), Path(directory) if directory else None)


def deliver_dead_logs(
    store_url: str | None,
    timeout_s: float,
    *,
    forwards: Sequence[SpoolTarget] = (),
    losses: LossLog | None = None,
    progress: Callable[[int], object] = lambda _: None,
) -> Drained:
    """Deliver the logs of dead processes to their store, and to those exporters that are given.

    What does not fit into the time stays where it is. Nothing is created where there is nothing to deliver.

    Args:
        store_url: as for `open_store`.
        timeout_s: how long it may take, besides the opening of the store; a delivery that is under way is let end.
        forwards: exporters as targets; the caller closes them.
        losses: where rejected and dropped spans are counted.
        progress: is told, all the time, how many records targets are done with in a directory.

    Returns:
        What became of the logs; those that wait for exporters that are not given count as left.

    Raises:
        ConfigError: the URL is not accepted.
        OSError: the spool cannot be read.
    """
    place = place_of(store_url)
    directories = [each for each in spool_directories(place.directory) if has_dead_logs(each)]
    if not directories:
        return Drained(0, 0)
    from otel_agenttrace.exporters.spooled_store import SpooledStore  # noqa: PLC0415  seldom there is something to do
    from otel_agenttrace.losses import LossLog  # noqa: PLC0415  as above
    from otel_agenttrace.processors.spooled import decode_spooled  # noqa: PLC0415  as above
    from otel_agenttrace.spool.draining import drain  # noqa: PLC0415  as above
    from otel_agenttrace.stores.lazy import LazyStore  # noqa: PLC0415  as above
    from otel_agenttrace.together import run_together  # noqa: PLC0415  as above
    from otel_agenttrace.verdicts import late_judge  # noqa: PLC0415  as above

    store = LazyStore(store_url or "auto")
    if any(_is_wanted(place.store_name, directory) for directory in directories):
        # First, since it takes longer than many records do. For as long as the rest may, if it is locked or away.
        run_together([partial(_try_to_open, store)], min(timeout_s, _SECONDS_TO_OPEN))
    deadline = time.monotonic() + timeout_s
    is_lasting = resolve_url(store_url) != "memory:"  # what is written to one in memory is gone with this process
    targets = [SpooledStore(place.store_name, store, is_lasting=is_lasting), *forwards]
    losses, judge = losses or LossLog(), late_judge(store)
    removed = left = 0
    try:
        for directory in directories:
            limit_s = max(0.0, deadline - time.monotonic())
            drained = drain(directory, targets, decode_spooled, losses, limit_s, judge=judge, progress=progress)
            removed, left = removed + drained.removed, left + drained.left
    finally:
        # Not for longer: where the store is locked, closing waits for the thread that waits to write to it.
        run_together([store.close], max(_SECONDS_TO_CLOSE, deadline - time.monotonic()))
    return Drained(removed, left)


def _is_wanted(store_name: str, directory: Path) -> bool:
    """Whether a log of the directory may be for the store, which is not made otherwise."""
    from otel_agenttrace.spool.trace_records import passed_seq  # noqa: PLC0415  as above

    return any(passed_seq(path, store_name) is not None for path in list_logs(directory))


def _try_to_open(store: LazyStore) -> None:
    with suppress(AgentTraceError):  # told by those who deliver to it
        store.open()
