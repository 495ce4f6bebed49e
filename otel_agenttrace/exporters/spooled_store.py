"""SpooledStore: a store as a target of the spool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.errors import StoreRejectedError, StoreUnavailableError
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.target import TAKEN, Delivery
from otel_agenttrace.switches import quick_switches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_agenttrace.spool.target import Item
    from otel_agenttrace.stores.lazy import LazyStore

_SECONDS_BETWEEN_OPENINGS = 1.0


class SpooledStore:
    """Writes records to a store, those of open spans too; a store keeps each span once, however often it is written.

    A store that is locked, away, damaged or of a newer version is waited for. A record that a store rejects is found,
    and given up.

    Args:
        name: of the target; begins with `store`.
        store: the store; opened with the first record, and tried again after a failure.
        is_lasting: False for a store that ends with the process.
    """

    takes_open = True
    seems_away = False

    def __init__(self, name: str, store: LazyStore, *, is_lasting: bool = True) -> None:
        self.name = name
        self.is_lasting = is_lasting
        self._store = store

    def deliver(self, items: Sequence[Item]) -> Delivery:
        """Write the records; return once the store has them for good."""
        try:
            store = self._store.open()
        except Exception as error:  # noqa: BLE001 - whatever is wrong, it is not the records
            return Delivery("away", message=str(error), retry_after_s=_SECONDS_BETWEEN_OPENINGS)
        try:
            with quick_switches:
                store.write_staged([item.record for item in _without_superseded(items)])
        except StoreRejectedError as error:
            return Delivery("refused", message=str(error))
        except StoreUnavailableError as error:
            return Delivery("away", message=str(error))
        return TAKEN

    def survive_power_cuts(self) -> None:
        """Have the store sync what it is given from now on."""
        self._store.survive_power_cuts()

    def renew(self) -> None:
        """Nothing to do: stores go on in forked children by themselves."""

    def close(self) -> None:
        """Close the store, unless it was given."""
        self._store.close()


def _without_superseded(items: Sequence[Item]) -> list[Item]:
    """Leave out the start records of spans whose end is among the others."""
    if all(item.kind is Kind.SPAN for item in items):
        return list(items)
    ended = {item.record.identity for item in items if item.kind is Kind.SPAN}
    return [item for item in items if item.kind is Kind.SPAN or item.record.identity not in ended]
