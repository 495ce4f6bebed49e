"""StoreSpanExporter: spans into a store, behind anybody's processor."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult

from otel_agenttrace import open_store
from otel_agenttrace.errors import ConfigError, StoreRejectedError, StoreUnavailableError
from otel_agenttrace.exporters.store import StoreSpanExporter
from otel_agenttrace.model.readable import to_readable_span
from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.stores.memory import MemorySpanStore
from otel_agenttrace.testing.programs import run_program
from otel_agenttrace.testing.spans import make_span

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from otel_agenttrace.model.record import SpanRecord

SECRET = "sk-proj-" + "a1B2c3D4" * 6


class _Picky(MemorySpanStore):
    """A store that rejects some spans for good, and is away for a number of writes."""

    def __init__(self, *, rejects: str = "", away: int = 0) -> None:
        super().__init__()
        self.rejects = rejects
        self.away = away
        self.writes = 0

    def write_spans(self, spans: Sequence[SpanRecord]) -> None:
        self.writes += 1
        if self.writes <= self.away:
            raise StoreUnavailableError("locked")
        if any(span.name == self.rejects for span in spans):
            raise StoreRejectedError(f"{self.rejects} is beyond int64")
        super().write_spans(spans)


def _spans(*names: str) -> list[Any]:
    return [to_readable_span(make_span(name=name, span_id=f"{index + 1:016x}")) for index, name in enumerate(names)]


def _names(store: MemorySpanStore) -> list[str]:
    return sorted(span.name for span in store.find_spans(SpanQuery()))


def test_it_redacts_checks_and_classifies_by_itself() -> None:
    """Behind a processor that knows nothing of us, what is stored is what configure_tracing would store."""
    store = MemorySpanStore()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(StoreSpanExporter(store)))
    with provider.get_tracer("theirs").start_as_current_span("task") as span:
        span.set_attributes({"task.status": "done", "note": SECRET})
        span.record_exception(TimeoutError("no answer"))
    (stored,) = store.find_spans(SpanQuery())

    assert SECRET not in str(stored)
    assert stored.attributes["failure.type"] == "timeout"
    assert "agenttrace.contract.violation" in [event.name for event in stored.events]


def test_a_rejected_span_does_not_take_its_batch_with_it(caplog: pytest.LogCaptureFixture) -> None:
    """One span that a store will never take is found, counted and left out; the others are stored."""
    store = _Picky(rejects="bad")
    exporter = StoreSpanExporter(store)
    result = exporter.export(_spans("one", "two", "bad", "three", "four"))

    assert result is SpanExportResult.FAILURE
    assert _names(store) == ["four", "one", "three", "two"]
    assert exporter.losses.counts == {"store": 1}
    assert "a span was rejected by the store" in caplog.text


def test_a_store_that_is_away_briefly_loses_nothing() -> None:
    """A batch that finds the store locked is written a moment later."""
    store = _Picky(away=2)

    assert StoreSpanExporter(store).export(_spans("one")) is SpanExportResult.SUCCESS
    assert _names(store) == ["one"]


def test_a_store_that_stays_away_costs_the_batch(caplog: pytest.LogCaptureFixture) -> None:
    """After a few attempts the spans are given up: counted, logged once, and never raised."""
    store = _Picky(away=1000)
    exporter = StoreSpanExporter(store)

    assert exporter.export(_spans("one", "two")) is SpanExportResult.FAILURE
    assert exporter.losses.counts == {"store": 2}
    assert store.writes == 3
    assert len(caplog.records) == 1


def test_whatever_a_driver_raises_stays_here() -> None:
    """Even an exception that no store should raise does not get out."""

    class Broken(MemorySpanStore):
        def write_spans(self, spans: Sequence[SpanRecord]) -> None:
            raise ZeroDivisionError(len(spans))

    assert StoreSpanExporter(Broken()).export(_spans("one")) is SpanExportResult.FAILURE


def test_one_bad_span_of_a_batch_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """A span that cannot be processed costs itself; its values are not logged."""

    class Unreadable:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(SECRET)

    store = MemorySpanStore()
    exporter = StoreSpanExporter(store)

    assert exporter.export([Unreadable(), *_spans("one")]) is SpanExportResult.FAILURE  # type: ignore[list-item]
    assert _names(store) == ["one"]
    assert exporter.losses.counts == {"pipeline": 1}
    assert SECRET not in caplog.text


def test_the_store_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without an argument it opens `AGENTTRACE_STORE`, when the first spans come."""
    path = tmp_path / "traces.db"
    monkeypatch.setenv("AGENTTRACE_STORE", f"sqlite:///{path}")
    exporter = StoreSpanExporter()
    assert not path.exists()

    assert exporter.export(_spans("one")) is SpanExportResult.SUCCESS
    exporter.shutdown()
    with open_store(f"sqlite:///{path}") as store:
        assert [span.name for span in store.spans.find_spans(SpanQuery())] == ["one"]


def test_a_wrong_url_raises_when_opened_and_not_when_exporting() -> None:
    """Whoever opens it learns what is wrong; whoever only exports goes on."""
    exporter = StoreSpanExporter("oracle://db")
    with pytest.raises(ConfigError):
        exporter.open()

    assert exporter.export(_spans("one")) is SpanExportResult.FAILURE


def test_a_store_that_was_given_stays_open() -> None:
    """It closes what it opened, and nothing else; after shutdown it takes no more."""
    store = MemorySpanStore()
    exporter = StoreSpanExporter(store)
    exporter.export(_spans("one"))
    exporter.shutdown()

    assert exporter.export(_spans("two")) is SpanExportResult.FAILURE
    assert _names(store) == ["one"]
    assert exporter.losses.counts == {"store": 1}


def test_content_can_be_left_out() -> None:
    """Without content, what was said is not stored; how long it took and what it cost is."""
    store = MemorySpanStore()
    record = make_span(attributes={"gen_ai.output.messages": "Hello", "gen_ai.usage.output_tokens": 3})
    StoreSpanExporter(store, content=False).export([to_readable_span(record)])
    (stored,) = store.find_spans(SpanQuery())

    assert stored.attributes == {"gen_ai.usage.output_tokens": 3}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_it_goes_on_in_a_forked_process(tmp_path: Path) -> None:
    """Used before and after a fork, by parent and child at once, it stores every span of both."""
    run_program(
        tmp_path,
        """
        import os
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from otel_agenttrace import StoreSpanExporter

        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(StoreSpanExporter("sqlite:///traces.db")))
        tracer = provider.get_tracer("agent")
        tracer.start_span("before").end()
        child = os.fork()
        for index in range(20):
            tracer.start_span(f"{'parent' if child else 'child'} {index}").end()
        provider.shutdown()
        if child:
            assert os.waitpid(child, 0)[1] == 0
        """,
    )

    with open_store(f"sqlite:///{tmp_path / 'traces.db'}") as store:
        names = [span.name for span in store.spans.find_spans(SpanQuery())]
    assert len(names) == 41
    assert store.spans.url.endswith("traces.db")


def test_the_last_spans_of_a_program_are_stored(tmp_path: Path) -> None:
    """Behind a batch processor that flushes as the program ends, after other exit handlers, nothing is lost."""
    run_program(
        tmp_path,
        """
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from otel_agenttrace import StoreSpanExporter

        provider = TracerProvider()
        exporter = StoreSpanExporter("sqlite:///traces.db")
        provider.add_span_processor(BatchSpanProcessor(exporter))
        exporter.open()
        provider.get_tracer("agent").start_span("last").end()
        """,
    )

    with open_store(f"sqlite:///{tmp_path / 'traces.db'}") as store:
        assert [span.name for span in store.spans.find_spans(SpanQuery())] == ["last"]
