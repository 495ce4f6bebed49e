"""LazyStore: a store that is opened when it is needed, and again when that failed."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from otel_agenttrace.errors import StoreUnavailableError
from otel_agenttrace.stores.forking import fork_gate
from otel_agenttrace.stores.open import open_store, resolve_url

if TYPE_CHECKING:
    from otel_agenttrace.stores.api import SpanStore
    from otel_agenttrace.stores.trace_store import TraceStore

_SECONDS_BETWEEN_OPENINGS = 5.0


class LazyStore:
    """Opens a store once, for those who write to it and those who read it. Thread-safe.

    Args:
        store: a store, or the URL of one; by default `AGENTTRACE_STORE`, else the default store.
        survives_power_cut: of a store that is opened here, whether what was written survives one.
    """

    def __init__(self, store: SpanStore | TraceStore | str | None = None, *, survives_power_cut: bool = False) -> None:
        self._url = store if isinstance(store, str) else os.environ.get("AGENTTRACE_STORE") or "auto"
        self._given = None if isinstance(store, str) else store
        self._survives_power_cut = survives_power_cut
        self._opened: TraceStore | None = None
        self._next_opening = 0.0
        self._is_closed = False

    @property
    def url(self) -> str:
        """The store's URL, opened or not.

        Raises:
            ConfigError: it is not accepted.
        """
        store = self._opened or self._given
        return resolve_url(self._url) if store is None else store.url

    @property
    def is_due(self) -> bool:
        """Whether it is open, or may be tried now: after a failure, that is 5 seconds later."""
        return not self._is_closed and (self._opened is not None or time.monotonic() >= self._next_opening)

    def open(self) -> TraceStore:
        """Return the store, which is opened first if it is not.

        Raises:
            ConfigError: the URL is not accepted.
            StoreError: the store cannot be reached or read, or was closed.
        """
        if self._is_closed:
            raise StoreUnavailableError("the store is closed")
        if self._opened is None:
            self._next_opening = time.monotonic() + _SECONDS_BETWEEN_OPENINGS
            with fork_gate:  # around the imports
                opened = self._open()
            # Without a lock, which a fork could find taken: of two threads that open it, one keeps its own to itself.
            self._opened = self._opened or opened
        return self._opened

    def survive_power_cuts(self) -> None:
        """From now on, what is written survives one; a store that was given keeps to its own setting."""
        self._survives_power_cut = True
        if self._opened is not None and self._given is None:
            self._opened.spans.survive_power_cuts()

    def close(self) -> None:
        """Close the store, if it was opened here; it is not opened again. Safe twice."""
        self._is_closed = True
        if self._opened is not None and self._given is None:
            self._opened.close()

    def _open(self) -> TraceStore:
        from otel_agenttrace.stores.trace_store import TraceStore  # noqa: PLC0415 - brings pydantic

        given = self._given
        if given is None:
            return open_store(self._url, survives_power_cut=self._survives_power_cut)
        return given if isinstance(given, TraceStore) else TraceStore(given)
