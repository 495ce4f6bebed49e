"""A flight recorder for AI agents that speaks only OpenTelemetry.

Importing this package configures nothing and loads nothing heavy: each name brings its module when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otel_agenttrace.configure import configure_tracing
    from otel_agenttrace.errors import (
        AgentTraceError,
        ConfigError,
        ContractError,
        DecodeError,
        QueryUnsupportedError,
        ReplayError,
        StoreDamagedError,
        StoreError,
        StoreRejectedError,
        StoreUnavailableError,
        TraceNotFoundError,
    )
    from otel_agenttrace.exporters.jsonl import JsonlSpanExporter
    from otel_agenttrace.exporters.staged import StagedSpanExporter
    from otel_agenttrace.exporters.store import StoreSpanExporter
    from otel_agenttrace.grounding import Claim, GroundingChecker, GroundingReport, ground
    from otel_agenttrace.instrument.context import TraceContext
    from otel_agenttrace.instrument.detection import run_with_failure_detection
    from otel_agenttrace.instrument.events import agent_event, get_current_trace_id
    from otel_agenttrace.instrument.ids import TimeOrderedIdGenerator
    from otel_agenttrace.instrument.sessions import end_session, start_session
    from otel_agenttrace.instrument.traced import traced_span
    from otel_agenttrace.model.entry import TraceEntry
    from otel_agenttrace.model.event import AgentEvent
    from otel_agenttrace.model.failure import FailureEvent
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.model.session import TraceSession
    from otel_agenttrace.model.trace_record import TraceRecord, TraceStep
    from otel_agenttrace.pipeline.redact import RedactConfig
    from otel_agenttrace.processors.contract import ContractSpanProcessor
    from otel_agenttrace.processors.failure import FailureSpanProcessor
    from otel_agenttrace.processors.inherit import InheritingSpanProcessor
    from otel_agenttrace.processors.recording import RecordingSpanProcessor
    from otel_agenttrace.processors.redacting import RedactingSpanProcessor
    from otel_agenttrace.stores.api import SpanQuery, SpanStore
    from otel_agenttrace.stores.open import open_store
    from otel_agenttrace.stores.trace_store import TraceStore
    from otel_agenttrace.tracing import Tracing
    from otel_agenttrace.views.viewer import TraceViewer

__all__ = [
    "AgentEvent",
    "AgentTraceError",
    "Claim",
    "ConfigError",
    "ContractError",
    "ContractSpanProcessor",
    "DecodeError",
    "FailureEvent",
    "FailureSpanProcessor",
    "GroundingChecker",
    "GroundingReport",
    "InheritingSpanProcessor",
    "JsonlSpanExporter",
    "QueryUnsupportedError",
    "RecordingSpanProcessor",
    "RedactConfig",
    "RedactingSpanProcessor",
    "ReplayError",
    "SpanQuery",
    "SpanRecord",
    "SpanStore",
    "StagedSpanExporter",
    "StoreDamagedError",
    "StoreError",
    "StoreRejectedError",
    "StoreSpanExporter",
    "StoreUnavailableError",
    "TimeOrderedIdGenerator",
    "TraceContext",
    "TraceEntry",
    "TraceNotFoundError",
    "TraceRecord",
    "TraceSession",
    "TraceStep",
    "TraceStore",
    "TraceViewer",
    "Tracing",
    "__version__",
    "agent_event",
    "configure_tracing",
    "end_session",
    "get_current_trace_id",
    "ground",
    "open_store",
    "run_with_failure_detection",
    "start_session",
    "traced_span",
]

_MODULES = {
    "AgentEvent": "model.event",
    "AgentTraceError": "errors",
    "Claim": "grounding",
    "ConfigError": "errors",
    "ContractError": "errors",
    "ContractSpanProcessor": "processors.contract",
    "DecodeError": "errors",
    "FailureEvent": "model.failure",
    "FailureSpanProcessor": "processors.failure",
    "GroundingChecker": "grounding",
    "GroundingReport": "grounding",
    "InheritingSpanProcessor": "processors.inherit",
    "JsonlSpanExporter": "exporters.jsonl",
    "QueryUnsupportedError": "errors",
    "RecordingSpanProcessor": "processors.recording",
    "RedactConfig": "pipeline.redact",
    "RedactingSpanProcessor": "processors.redacting",
    "ReplayError": "errors",
    "SpanQuery": "stores.api",
    "SpanRecord": "model.record",
    "SpanStore": "stores.api",
    "StagedSpanExporter": "exporters.staged",
    "StoreError": "errors",
    "StoreRejectedError": "errors",
    "StoreSpanExporter": "exporters.store",
    "StoreDamagedError": "errors",
    "StoreUnavailableError": "errors",
    "TimeOrderedIdGenerator": "instrument.ids",
    "TraceContext": "instrument.context",
    "TraceEntry": "model.entry",
    "TraceNotFoundError": "errors",
    "TraceRecord": "model.trace_record",
    "TraceSession": "model.session",
    "TraceStep": "model.trace_record",
    "TraceStore": "stores.trace_store",
    "TraceViewer": "views.viewer",
    "Tracing": "tracing",
    "agent_event": "instrument.events",
    "configure_tracing": "configure",
    "end_session": "instrument.sessions",
    "get_current_trace_id": "instrument.events",
    "ground": "grounding",
    "open_store": "stores.open",
    "run_with_failure_detection": "instrument.detection",
    "start_session": "instrument.sessions",
    "traced_span": "instrument.traced",
}


def __getattr__(name: str) -> Any:
    """Import the module that a public name comes from (https://peps.python.org/pep-0562/)."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - reads the installed package's files

        value: Any = version("otel-agenttrace")
    elif name in _MODULES:
        value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value  # the next use finds it at once
    return value


def __dir__() -> list[str]:
    return __all__
