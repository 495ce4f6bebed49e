"""Content: who is given what was said, as the log says that a target may have it."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from otel_agenttrace.losses import LossLog
from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.consumers import Consumers
from otel_agenttrace.spool.draining import drain
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.testing.spool_targets import ListTarget, decode, serialized

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pytest

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.spool.segment_reader import Entry
    from otel_agenttrace.spool.target import Delivery, Item

SAID = "gen_ai.input.messages"


class Reading(ListTarget):
    """Notes which attributes it is given.

    Attributes:
        attributes: names of those of all records.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.attributes: set[str] = set()

    def deliver(self, items: Sequence[Item]) -> Delivery:
        """Take note."""
        self.attributes.update(*(item.record.attributes for item in items))
        return super().deliver(items)


def talk(spool_dir: Path, *, without: tuple[str, ...]) -> SpoolLog:
    """A log with one record that has content."""
    about = About(targets=("store:s", "otlp", "azure"), without_content=without)
    spool = SpoolLog(SpoolConfig(spool_dir), about)
    spool.append(Kind.SPAN, serialized(1, attributes={SAID: "secret plans", "gen_ai.request.model": "m"}))
    return spool


def targets() -> list[Reading]:
    """A store, and two forwards."""
    return [Reading("store:s"), Reading("otlp"), Reading("azure")]


def test_targets_that_must_not_have_it_get_none(spool_dir: Path) -> None:
    """Others share the record, and still have it."""
    store, otlp, azure = targets()
    consumers = Consumers(talk(spool_dir, without=("azure",)), [azure, otlp, store], decode, LossLog())
    assert consumers.shutdown(10)

    assert azure.attributes == {"gen_ai.request.model"}
    assert otlp.attributes == store.attributes == {SAID, "gen_ai.request.model"}


def test_the_log_says_so_whoever_delivers_it(spool_dir: Path) -> None:
    """The settings of the process that died hold, not those of the one that adopts its log."""
    spool = talk(spool_dir, without=("azure", "store:s"))
    del spool
    gc.collect()
    store, otlp, azure = targets()
    drain(spool_dir, [store, otlp, azure], decode, LossLog(), 10)

    assert azure.attributes == store.attributes == {"gen_ai.request.model"}
    assert SAID in otlp.attributes


def test_where_nobody_knows_only_stores_get_it(spool_dir: Path) -> None:
    """A log whose about.json is lost may have been one whose content must not leave the machine."""
    spool = talk(spool_dir, without=())
    (path,) = spool.logs
    (path / "about.json").write_bytes(b"")
    del spool
    gc.collect()
    store, otlp, azure = targets()
    drain(spool_dir, [store, otlp, azure], decode, LossLog(), 10)

    assert azure.attributes == otlp.attributes == {"gen_ai.request.model"}
    assert SAID in store.attributes


def test_an_unreadable_about_is_an_empty_one(spool_dir: Path) -> None:
    """Whoever decodes is given something, and knows nothing."""
    spool = talk(spool_dir, without=())
    (path,) = spool.logs
    (path / "about.json").unlink()
    seen: list[About] = []

    def look(entry: Entry, about: About) -> SpanRecord:
        seen.append(about)
        return decode(entry)

    assert Consumers(spool, [Reading("store:s")], look, LossLog()).shutdown(10)
    assert seen == [About()]


def test_content_that_cannot_be_told_is_not_given(spool_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A record of which nobody can say what is content in it counts as rejected by those who must not have any."""
    spool = talk(spool_dir, without=("azure",))

    def spoil(entry: Entry, about: About) -> SpanRecord:
        record = decode(entry, about)
        object.__setattr__(record, "attributes", ["secret plans"])
        return record

    azure = ListTarget("azure")
    assert Consumers(spool, [azure], spoil, LossLog()).shutdown(10)
    assert azure.names == []
    assert "could not be read (AttributeError)" in caplog.text
