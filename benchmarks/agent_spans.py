"""Spans as agents make them, for the store benchmarks: one `invoke_agent`, then model calls and tool calls.

About 20 attributes and 1.1 kB of JSON each, ten spans a trace, five traces a session, trace ids in order of time.
"""

from __future__ import annotations

import random
from itertools import islice
from typing import TYPE_CHECKING, Any

from otel_agenttrace.model.codec import SerializedSpan, serialize_record
from otel_agenttrace.model.record import ResourceRecord, ScopeRecord, SpanRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

SPANS_PER_TRACE = 10
TRACES_PER_SESSION = 5
SERVICE_NAME = "load-agent"
START = 1_790_000_000_000_000_000
COMMON_WORD = "completed"
CHAT = "chat gpt-4.1-mini"

_PHASES = ("INIT_BASELINE", "INGEST_PARSE_ASSESS", "ROUTING_DECISION", "ARTISAN_IMPLEMENT", "FINALIZE_VERIFY")
_RESOURCE = ResourceRecord({"service.name": SERVICE_NAME, "telemetry.sdk.language": "python", "process.pid": 4242})
_SCOPE = ScopeRecord("benchmarks")


def trace_id_of(trace: int) -> str:
    """The id of a trace: milliseconds, then what looks random."""
    return f"{START // 10**6 + trace:012x}{random.Random(trace).getrandbits(80):020x}"


def task_id_of(trace: int, span: int) -> str:
    """A value that one span has."""
    return f"T{trace}-S{span}"


def word_of(trace: int) -> str:
    """A word that stands in the spans of one trace only."""
    return f"booking{trace}"


def batches(spans: int, size: int = 1_000) -> Iterator[list[SerializedSpan]]:
    """That many spans, serialised, in batches."""
    records = (record for trace in range(spans // SPANS_PER_TRACE) for record in _trace(trace))
    while batch := [serialize_record(record) for record in islice(records, size)]:
        yield batch


def _trace(trace: int) -> Iterator[SpanRecord]:
    rng = random.Random(trace)
    trace_id, start = trace_id_of(trace), START + trace * 1_000_000
    ids = [f"{rng.getrandbits(64):016x}" for _ in range(SPANS_PER_TRACE)]
    for number, span_id in enumerate(ids):
        is_root, is_chat = number == 0, number % 2 == 1
        failure = {"failure.type": "exception"} if rng.random() < 0.02 else {}
        yield SpanRecord(
            trace_id=trace_id,
            span_id=span_id,
            parent_span_id=None if is_root else ids[0],
            name="invoke_agent booking" if is_root else CHAT if is_chat else "execute_tool search",
            start_time_unix_nano=start + number * 1000,
            end_time_unix_nano=start + number * 1000 + rng.randrange(1_000_000, 9_000_000_000),
            status_code="ERROR" if failure else "UNSET",
            attributes=_attributes(rng, trace, number) | failure,
            resource=_RESOURCE,
            scope=_SCOPE,
        )


def _attributes(rng: random.Random, trace: int, number: int) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "project.id": "contextcore",
        "task.id": task_id_of(trace, number),
        "task.parent_id": word_of(trace),
        "task.phase": _PHASES[number % len(_PHASES)],
        "task.status": COMMON_WORD,
        "input.source_checksum": f"sha256:{trace % 97:064x}",
        "input.artifact_manifest_checksum": f"sha256:{trace % 89:064x}",
        "input.project_context_checksum": f"sha256:{trace % 83:064x}",
        "quality.coverage_percent": 90 + rng.random() * 10,
        "quality.gap_count": rng.randrange(5),
        "quality.feature_count": rng.randrange(20),
        "routing.complexity_score": rng.random(),
        "routing.selected_path": rng.choice(["prime", "artisan"]),
        "output.path_count": 4,
        "output.artifact_count": 4,
    }
    if number == 0:
        session = f"sess-{trace // TRACES_PER_SESSION}"
        return attributes | {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "booking",
            "session.id": session,
        }
    if number % 2:
        return attributes | {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4.1-mini",
            "gen_ai.usage.input_tokens": rng.randrange(2000),
            "gen_ai.usage.output_tokens": rng.randrange(400),
        }
    return attributes | {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": rng.choice(["search", "book"])}
