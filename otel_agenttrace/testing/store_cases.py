"""What the parts of the store contract share."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar

import pytest
from hypothesis import HealthCheck, settings

from otel_agenttrace.model.merge import canonical_form
from otel_agenttrace.stores.memory import MemorySpanStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.stores.api import SpanStore

_Store = TypeVar("_Store", bound="SpanStore")

NewStore: TypeAlias = "Callable[[], SpanStore]"
Batches: TypeAlias = "Sequence[Sequence[SpanRecord]]"

OTHER_TRACE_ID = "0199c2f4a0b17c3d8e5f607182ffffff"

store_property = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
"""For tests by Hypothesis, each example of which makes a store of its own."""


class StoreCase:
    """Gives tests a store to use."""

    @pytest.fixture
    def new_store(self) -> NewStore:
        """A function that makes a new, empty store; whoever calls it closes it."""
        raise NotImplementedError("a subclass says which store is to be tested")

    @pytest.fixture
    def store(self, new_store: NewStore) -> Iterator[SpanStore]:
        """An empty store."""
        store = new_store()
        yield store
        store.close()


def forms(spans: Sequence[SpanRecord]) -> list[bytes]:
    """Spans as what can be compared: NaN is itself there, and 1 is not True."""
    return [canonical_form(span) for span in spans]


def filled(store: _Store, batches: Batches) -> _Store:
    """The store, with the batches written to it one after the other."""
    for batch in batches:
        store.write_spans(batch)
    return store


def reference(batches: Batches) -> MemorySpanStore:
    """A store that is right about the batches."""
    store = MemorySpanStore()
    filled(store, batches)
    return store


def stored_forms(store: SpanStore, trace_id: str) -> tuple[list[bytes], frozenset[str]]:
    """What a store keeps of a trace: its spans, and which of them are in conflict."""
    trace = store.get_trace(trace_id)
    return forms(trace.spans), trace.conflicts
