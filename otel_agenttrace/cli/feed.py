"""StoreFeed: a store that is read again and again, and waited for while it is away."""

from __future__ import annotations

import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from otel_agenttrace.errors import AgentTraceError, ConfigError, StoreDamagedError, StoreUnavailableError
from otel_agenttrace.stores.open import resolve_url
from otel_agenttrace.stores.sql.sqlite import SqliteSpanStore
from otel_agenttrace.views.text import safe_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.stores.api import SpanStore

_Answer = TypeVar("_Answer")

_SQLITE = "sqlite:///"
_BUSY_MILLIS = 500
"""How long to wait for a lock at a time: meanwhile, Ctrl-C is not noticed."""

_DELIVER_EVERY_S = 5.0
_DELIVER_FOR_S = 1.0


class StoreFeed:
    """Opens the store anew each time: it may come, go and be exchanged meanwhile, and is not kept from being deleted.

    What dead processes have left in their spools is delivered every 5 seconds, so that their runs end too.

    Args:
        store_url: as for `open_store`.

    Attributes:
        is_new: there was nothing in the store's place at first.

    Raises:
        ConfigError: the URL is not accepted, or names a store in memory.
    """

    def __init__(self, store_url: str | None) -> None:
        url = resolve_url(store_url, setting="--store")
        if not url.startswith(_SQLITE):
            raise ConfigError("--store: what is in memory can be seen by its own process only; name a file")
        self._url = url
        self._path = Path(url.removeprefix(_SQLITE))
        self._is_waiting = False
        self._deliver_at = time.monotonic()
        self.is_new = not self._has_content()

    def read(self, answer: Callable[[SpanStore], _Answer]) -> _Answer | None:
        """Return what is read from the store; None while it is away, which is said once.

        Raises:
            StoreDamagedError: it will not be better by itself.
            StoreRejectedError: it is no store, or was written by a newer version.
        """
        self._deliver()
        if not self._has_content():
            self._wait("there is no store yet" if self.is_new else "it is gone")
            return None
        try:
            with closing(SqliteSpanStore(self._path, read_only=True, busy_timeout_millis=_BUSY_MILLIS)) as spans:
                found = answer(spans)
        except StoreDamagedError:
            raise
        except StoreUnavailableError as error:
            self._wait(str(error))
            return None
        self._is_waiting = False
        return found

    def _has_content(self) -> bool:
        # Whoever makes a store makes an empty file first.
        try:
            return self._path.stat().st_size > 0
        except OSError:
            return False

    def _wait(self, reason: str) -> None:
        if not self._is_waiting:
            self._is_waiting = True
            click.echo(f"waiting for {safe_text(self._url)}: {safe_text(reason)}", err=True)

    def _deliver(self) -> None:
        if time.monotonic() < self._deliver_at:
            return
        from otel_agenttrace.delivering import deliver_dead_logs  # noqa: PLC0415  `--help` needs no spool

        with suppress(AgentTraceError, OSError):  # reading tells what is wrong with the store
            deliver_dead_logs(self._url, _DELIVER_FOR_S)
        self._deliver_at = time.monotonic() + _DELIVER_EVERY_S
