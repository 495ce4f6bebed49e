"""Where a settler gets the spans of a trace from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.pipeline.trace_stages import judged
from otel_agenttrace.processors.sources import RecentSpans, StoredSpans
from otel_agenttrace.stores.memory import MemorySpanStore
from otel_agenttrace.testing.spans import make_span

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord


def _spans(trace: str, count: int, **fields: Any) -> list[SpanRecord]:
    return [make_span(trace_id=trace * 32, span_id=f"{number + 1:016x}", **fields) for number in range(count)]


def _verdict(spans: list[SpanRecord]) -> SpanRecord:
    verdict = judged(SpanTree(spans))
    assert verdict is not None
    return verdict


def test_recent_spans_are_given_back() -> None:
    """All of a trace, equal to what came in, in whatever batches; verdicts are not kept."""
    recent = RecentSpans()
    first, second = _spans("a", 2, attributes={"gen_ai.operation.name": "chat"})
    recent.add([first, *_spans("b", 1)])
    recent.add([second, _verdict([first, second])])

    assert list(recent.spans_of("a" * 32)) == [first, second]
    assert list(recent.spans_of("c" * 32)) == []


def test_traces_that_were_quiet_for_longest_go_whole() -> None:
    """Beyond the bound the oldest trace goes, and nothing of it is kept later: half a trace would be judged wrongly."""
    recent = RecentSpans(max_spans=5)
    recent.add([*_spans("a", 2), *_spans("b", 2)])
    recent.add(_spans("a", 1))
    recent.add(_spans("c", 2))
    recent.add(_spans("b", 1))

    assert [len(recent.spans_of(letter * 32)) for letter in "abc"] == [3, 0, 2]


def test_large_spans_are_bounded_by_their_bytes() -> None:
    """A trace that is larger than the bound by itself is not kept, and those after it are."""
    recent = RecentSpans(max_bytes=10_000)
    recent.add(_spans("a", 1, attributes={"note": "x" * 20_000}))
    recent.add(_spans("b", 1, attributes={"note": "x" * 5_000}))

    assert [len(recent.spans_of(letter * 32)) for letter in "ab"] == [0, 1]


def test_a_million_spans_take_no_more_room_than_few() -> None:
    """What went by and is gone leaves nothing behind, however long the process runs."""
    recent = RecentSpans(max_spans=10)
    for number in range(1000):
        recent.add([make_span(trace_id=f"{number:032x}")])

    assert len(recent._traces) == 10
    assert len(recent._gone) <= 10


def test_a_store_gives_what_all_processes_wrote() -> None:
    """Spans of a trace, none of an unknown one, and whether it has a verdict."""
    store = MemorySpanStore()
    spans = _spans("a", 2, attributes={"gen_ai.operation.name": "chat"})
    store.write_spans(spans)
    source = StoredSpans(lambda: store)
    before = source.has_verdict("a" * 32)
    store.write_spans([_verdict(spans)])

    assert list(source.spans_of("b" * 32)) == []
    assert [span for span in source.spans_of("a" * 32) if span in spans] == spans
    assert (before, source.has_verdict("a" * 32), source.has_verdict("b" * 32)) == (False, True, False)
