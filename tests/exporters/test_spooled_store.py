"""A store as a target of the spool."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.errors import StoreRejectedError, StoreUnavailableError
from otel_agenttrace.exporters.spooled_store import SpooledStore
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.target import TAKEN, Item
from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.stores.lazy import LazyStore
from otel_agenttrace.stores.memory import MemorySpanStore
from otel_agenttrace.stores.open import open_store
from otel_agenttrace.stores.sql.sqlite import SqliteSpanStore
from otel_agenttrace.testing.spans import make_span

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from otel_agenttrace.model.record import SpanRecord


class Counting(MemorySpanStore):
    """A store that counts what it is asked to write, and may raise."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.error = error
        self.written = 0

    def write_spans(self, spans: Sequence[SpanRecord]) -> None:
        """Count, or raise."""
        if self.error is not None:
            raise self.error
        self.written += len(spans)
        super().write_spans(spans)


def item(number: int, kind: Kind = Kind.SPAN, **fields: object) -> Item:
    """A record as targets get it."""
    open_fields = {"end_time_unix_nano": None} if kind is Kind.START else {}
    return Item(
        number, kind, make_span(**({"name": f"span {number}", "span_id": f"{number:016x}"} | open_fields | fields))
    )


def test_records_are_stored_once_however_often_they_come(tmp_path: Path) -> None:
    """At least once on the way is exactly once in the store."""
    target = SpooledStore("store:s", LazyStore(str(tmp_path / "traces.db")))
    for _ in range(3):
        assert target.deliver([item(1), item(2)]) == TAKEN
    target.close()
    with open_store(str(tmp_path / "traces.db")) as store:
        assert sorted(span.name for span in store.spans.find_spans(SpanQuery())) == ["span 1", "span 2"]


def test_open_spans_are_stored_too_unless_they_have_ended_by_then() -> None:
    """A start record whose end is in the same batch is not written for nothing."""
    store = Counting()
    target = SpooledStore("store:s", LazyStore(store))
    start = item(1, Kind.START)
    other = item(2, Kind.START)
    target.deliver([start, other, item(1, name="done", span_id=f"{1:016x}")])
    found = {span.name: span.end_time_unix_nano for span in store.find_spans(SpanQuery())}

    assert store.written == 2
    assert found["span 2"] is None
    assert found["done"] is not None


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(StoreRejectedError("beyond int64"), "refused"), (StoreUnavailableError("locked"), "away")],
)
def test_what_a_store_says_is_told(error: Exception, outcome: str) -> None:
    """What it rejects is for good, what it cannot do now is waited for."""
    delivery = SpooledStore("store:s", LazyStore(Counting(error))).deliver([item(1)])

    assert (delivery.outcome, delivery.message) == (outcome, str(error))


def test_a_store_that_cannot_be_opened_is_waited_for(tmp_path: Path) -> None:
    """Whatever is wrong with it, it is not the records; it is opened again, not for each batch."""
    path = tmp_path / "traces.db"
    path.write_text("this is no database, and long enough to be told from an empty one" * 20)
    target = SpooledStore("store:s", LazyStore(str(path)))

    assert target.deliver([item(1)]).outcome == "away"
    path.unlink()
    assert target.deliver([item(1)]) == TAKEN
    target.close()


def test_a_store_that_another_process_has_locked_is_waited_for(tmp_path: Path) -> None:
    """Nothing is lost to a lock, however long it is held."""
    path = tmp_path / "traces.db"
    with open_store(str(path)):
        pass
    target = SpooledStore("store:s", LazyStore(SqliteSpanStore(path, busy_timeout_millis=10)))
    other = sqlite3.connect(path)
    other.execute("BEGIN IMMEDIATE")
    away = target.deliver([item(1)])
    other.rollback()
    other.close()

    assert away.outcome == "away"
    assert target.deliver([item(1)]) == TAKEN
    target.close()
