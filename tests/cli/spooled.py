"""Spools with logs of processes that live or are dead, for tests of commands."""

from __future__ import annotations

import gc
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from otel_agenttrace.model.codec import serialize_record
from otel_agenttrace.spool.about import About, read_about, write_about
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.stores.open import open_store
from otel_agenttrace.testing.spans import SECOND, make_span

if TYPE_CHECKING:
    from pathlib import Path

    from otel_agenttrace.model.record import SpanRecord

TRACE = "0199c2f5" + "a" * 24
OTLP = "otlp@localhost:4317"
_AGE_S = 2 * 3600 + 3 * 60 + 30


def make_log(spool_dir: Path, spans: list[SpanRecord], *targets: str, service: str = "booking-agent") -> SpoolLog:
    """The log of a process that lives as long as the object, begun two hours ago."""
    about = About(service_name=service, targets=targets or ("store",))
    started = time.time_ns() - _AGE_S * SECOND
    log = SpoolLog(SpoolConfig(spool_dir), about, clock=lambda: started)
    assert log.open()
    for span in spans:
        kind = Kind.START if span.end_time_unix_nano is None else Kind.SPAN
        assert log.append(kind, serialize_record(span)) is not None
    return log


def leave(spool_dir: Path, spans: list[SpanRecord], *targets: str) -> None:
    """The log of a process that is dead."""
    log = make_log(spool_dir, spans, *targets)
    log.count("redacted", 3)
    (path,) = log.logs
    del log
    gc.collect()
    about = read_about(path)
    assert about is not None
    write_about(path, replace(about, process=path.name))  # else it would be this one's


def make_spans(count: int, *, trace_id: str = TRACE, **fields: Any) -> list[SpanRecord]:
    """A root and its children."""
    root = make_span(trace_id=trace_id, span_id=f"{1001:016x}", name="root", **fields)
    return [root] + [
        make_span(trace_id=trace_id, span_id=f"{1001 + number:016x}", name=f"span {number}",
                  parent_span_id=root.span_id, **fields)
        for number in range(1, count)
    ]  # fmt: skip


def names_in(store_url: str, trace_id: str = TRACE) -> list[str]:
    """The names of the spans of a trace that a store has."""
    with open_store(store_url) as store:
        return [span.name for span in store.spans.find_spans(SpanQuery(trace_id=trace_id, order="start_asc"))]
