"""SpooledStore: a store as a target of the spool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.errors import StoreRejectedError, StoreUnavailableError
from otel_agenttrace.pipeline.content import drop_content
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.target import TAKEN, Delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.spool.target import Item
    from otel_agenttrace.stores.trace_store import TraceStore

_SECONDS_BETWEEN_OPENINGS = 1.0


class SpooledStore:
    """Writes records to a store, those of open spans too; a store keeps each span once, however often it is written.

    A store that is locked, away, damaged or of a newer version is waited for. A record that a store rejects is found,
    and given up.

    Args:
        name: of the target; begins with `store`.
        open_store: opens the store; called again after a failure, and not before the first record.
        content: False leaves out messages, arguments, results and the like.

    Attributes:
        after_delivery: called with the records of a batch once they have been written, when set.
    """

    takes_open = True

    def __init__(self, name: str, open_store: Callable[[], TraceStore], *, content: bool = True) -> None:
        self.name = name
        self.after_delivery: Callable[[Sequence[SpanRecord]], None] | None = None
        self._open_store = open_store
        self._content = content
        self._store: TraceStore | None = None

    def deliver(self, items: Sequence[Item]) -> Delivery:
        """Write the records; return once the store has them for good."""
        if self._store is None:
            try:
                self._store = self._open_store()
            except Exception as error:  # noqa: BLE001 - whatever is wrong, it is not the records
                return Delivery("away", message=str(error), retry_after_s=_SECONDS_BETWEEN_OPENINGS)
        records = [item.record for item in _without_superseded(items)]
        if not self._content:
            records = [drop_content(record) for record in records]
        try:
            self._store.write_staged(records)
        except StoreRejectedError as error:
            return Delivery("refused", message=str(error))
        except StoreUnavailableError as error:
            return Delivery("away", message=str(error))
        if self.after_delivery is not None:
            self.after_delivery(records)
        return TAKEN

    def renew(self) -> None:
        """Nothing to do: stores go on in forked children by themselves."""

    def close(self) -> None:
        """Close the store."""
        store, self._store = self._store, None
        if store is not None:
            store.close()


def _without_superseded(items: Sequence[Item]) -> list[Item]:
    """Leave out the start records of spans whose end is among the others."""
    if all(item.kind is Kind.SPAN for item in items):
        return list(items)
    ended = {item.record.identity for item in items if item.kind is Kind.SPAN}
    return [item for item in items if item.kind is Kind.SPAN or item.record.identity not in ended]
