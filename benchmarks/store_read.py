"""How reading grows with the store: the median of 200 questions to a large store over the same to one of 10,000 spans.

Both files are opened anew before, in this process. The questions are asked of the two in turns, with random ids; pages
have 20 items. The deferred index works while the large store is written; how long it goes on after that is shown.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from agent_spans import (
    CHAT,
    COMMON_WORD,
    SERVICE_NAME,
    SPANS_PER_TRACE,
    batches,
    task_id_of,
    trace_id_of,
    word_of,
)

from otel_agenttrace.stores.api import AttributeFilter, SpanQuery
from otel_agenttrace.stores.sql.sqlite import SqliteSpanStore

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL = 10_000
ROUNDS = 200
PAGE = 20
LIMIT = 3.0
MAX_BEHIND_S = 30.0


def failure_by_id(store: SqliteSpanStore, trace: int) -> object:
    """Read a trace, then the failing spans of it."""
    trace_id = trace_id_of(trace)
    return store.get_trace(trace_id), store.find_spans(SpanQuery(trace_id=trace_id, failing=True))


def rare_attribute(store: SqliteSpanStore, trace: int) -> object:
    """Find the one span with a value."""
    condition = AttributeFilter("task.id", "=", task_id_of(trace, trace % SPANS_PER_TRACE))
    return store.find_spans(SpanQuery(attributes=(condition,), limit=PAGE))


def operation_page(store: SqliteSpanStore, _: int) -> object:
    """List the latest traces with an operation of a service."""
    return store.find_trace_ids(SpanQuery(service_name=SERVICE_NAME, name=CHAT, limit=PAGE))


QUESTIONS: dict[str, Callable[[SqliteSpanStore, int], object]] = {
    "trace by id": lambda store, trace: store.get_trace(trace_id_of(trace)),
    "failure by id": failure_by_id,
    "text, a rare word": lambda store, trace: store.find_spans(SpanQuery(text=word_of(trace), limit=PAGE)),
    "text, a common word": lambda store, _: store.find_spans(SpanQuery(text=COMMON_WORD, limit=PAGE)),
    "one rare attribute": rare_attribute,
    "session list": lambda store, _: store.find_session_ids(SpanQuery(limit=PAGE)),
    "service + operation list": operation_page,
    "operations": lambda store, _: store.find_operations(),
}
MORE: dict[str, Callable[[SqliteSpanStore, int], object]] = {
    "latest traces": lambda store, _: store.find_trace_ids(SpanQuery(limit=PAGE)),
    "latest failing traces": lambda store, _: store.find_trace_ids(SpanQuery(failing=True, limit=PAGE)),
    "errors": lambda store, _: store.find_spans(SpanQuery(status_code="ERROR", limit=PAGE)),
    "longest 1/9 of spans": lambda store, _: store.find_spans(SpanQuery(min_duration_nano=8 * 10**9, limit=PAGE)),
    "attribute > 1990": lambda store, _: store.find_spans(
        SpanQuery(attributes=(AttributeFilter("gen_ai.usage.input_tokens", ">", 1990),), limit=PAGE)
    ),
    "traces of a session": lambda store, trace: store.find_session_trace_ids(f"sess-{trace // 5}"),
}


def fill(path: Path, spans: int) -> float:
    """Make a store; return the seconds from the last write until its index was done."""
    store = SqliteSpanStore(path)
    for batch in batches(spans):
        store.write_serialized(batch)
    ended = time.perf_counter()
    if not store.catch_up(600):
        raise RuntimeError("the index did not catch up")
    behind = time.perf_counter() - ended
    store.close()
    return behind


def medians(question: Callable[[SqliteSpanStore, int], object], stores: dict[int, SqliteSpanStore]) -> list[float]:
    """Return the median seconds of a question, for each store."""
    rng = random.Random(1)
    seconds: dict[int, list[float]] = {spans: [] for spans in stores}
    for _ in range(ROUNDS):
        for spans, store in stores.items():
            trace = rng.randrange(spans // SPANS_PER_TRACE)
            started = time.perf_counter()
            question(store, trace)
            seconds[spans].append(time.perf_counter() - started)
    return [median(found) for found in seconds.values()]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=1_000_000)
    large = parser.parse_args().spans
    with tempfile.TemporaryDirectory() as name:
        paths = {spans: Path(name) / f"{spans}.db" for spans in (SMALL, large)}
        behind = [fill(path, spans) for spans, path in paths.items()][-1]
        stores = {spans: SqliteSpanStore(path) for spans, path in paths.items()}
        print(f"median of {ROUNDS}, in milliseconds           {SMALL:>9,}  {large:>9,} spans")
        for title, question in (QUESTIONS | MORE).items():
            small_s, large_s = medians(question, stores)
            limit = f" (at most {LIMIT}x)" if title in QUESTIONS else ""
            print(f"  {title:36} {small_s * 1e3:9.3f}  {large_s * 1e3:9.3f}  {large_s / small_s:6.2f}x{limit}")
        print(f"  index done after the last write      {behind:31.1f} s (at most {MAX_BEHIND_S:.0f} s)")
        for store in stores.values():
            store.close()


if __name__ == "__main__":
    main()
