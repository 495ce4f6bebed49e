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
        BlockedError,
        ConfigError,
        ContractError,
        DecodeError,
        GateBlockedError,
        HandoffError,
        HandoffTimeoutError,
        HandoffTransitionError,
        HandoffValidationError,
        QueryUnsupportedError,
        ReplayError,
        StoreDamagedError,
        StoreError,
        StoreRejectedError,
        StoreUnavailableError,
        TaskBlockedError,
        TaskNotFoundError,
        TaskStateError,
        TraceNotFoundError,
    )
    from otel_agenttrace.exporters.jsonl import JsonlSpanExporter
    from otel_agenttrace.exporters.staged import StagedSpanExporter
    from otel_agenttrace.exporters.store import StoreSpanExporter
    from otel_agenttrace.grounding import Claim, GroundingChecker, GroundingReport, ground
    from otel_agenttrace.instrument.context import TraceContext
    from otel_agenttrace.instrument.detection import run_with_failure_detection
    from otel_agenttrace.instrument.events import agent_event, get_current_trace_id
    from otel_agenttrace.instrument.gates import Gate, Override, gate
    from otel_agenttrace.instrument.handoff_context import (
        extract_headers,
        handoff_from_mcp,
        handoff_to_mcp,
        inject_headers,
    )
    from otel_agenttrace.instrument.handoff_results import (
        receive_handoff_result,
        wait_for_handoff_result,
    )
    from otel_agenttrace.instrument.handoffs import (
        emit_handoff,
        receive_handoff,
    )
    from otel_agenttrace.instrument.ids import TimeOrderedIdGenerator
    from otel_agenttrace.instrument.sessions import end_session, start_session
    from otel_agenttrace.instrument.tasks import task_span
    from otel_agenttrace.instrument.traced import traced_span
    from otel_agenttrace.model.entry import TraceEntry
    from otel_agenttrace.model.event import AgentEvent
    from otel_agenttrace.model.failure import FailureEvent
    from otel_agenttrace.model.gate import Evidence, GateResult
    from otel_agenttrace.model.gate_events import gate_results
    from otel_agenttrace.model.handoff import (
        ArtifactIntent,
        ExpectedOutput,
        HandoffContract,
        HandoffResult,
    )
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.model.session import TraceSession
    from otel_agenttrace.model.trace_record import TraceRecord, TraceStep
    from otel_agenttrace.pipeline.redact import RedactConfig
    from otel_agenttrace.processors.contract import ContractSpanProcessor
    from otel_agenttrace.processors.failure import FailureSpanProcessor
    from otel_agenttrace.processors.gates import GateSpanProcessor
    from otel_agenttrace.processors.inherit import InheritingSpanProcessor
    from otel_agenttrace.processors.recording import RecordingSpanProcessor
    from otel_agenttrace.processors.redacting import RedactingSpanProcessor
    from otel_agenttrace.stores.api import SpanQuery, SpanStore
    from otel_agenttrace.stores.open import open_store
    from otel_agenttrace.stores.trace_store import TraceStore
    from otel_agenttrace.tracing import Tracing
    from otel_agenttrace.views.viewer import TraceViewer
    from otel_agenttrace.workflow.definition import PipelineDefinition, load_definition
    from otel_agenttrace.workflow.outcome import CheckOutcome
    from otel_agenttrace.workflow.pilot.injections import Injections
    from otel_agenttrace.workflow.pilot.run import run_pilot
    from otel_agenttrace.workflow.pipeline import Phase, Pipeline, PipelineResult, Step

__all__ = [
    "AgentEvent",
    "AgentTraceError",
    "ArtifactIntent",
    "BlockedError",
    "CheckOutcome",
    "Claim",
    "ConfigError",
    "ContractError",
    "ContractSpanProcessor",
    "DecodeError",
    "Evidence",
    "ExpectedOutput",
    "FailureEvent",
    "FailureSpanProcessor",
    "Gate",
    "GateBlockedError",
    "GateResult",
    "GateSpanProcessor",
    "GroundingChecker",
    "GroundingReport",
    "HandoffContract",
    "HandoffError",
    "HandoffResult",
    "HandoffTimeoutError",
    "HandoffTransitionError",
    "HandoffValidationError",
    "InheritingSpanProcessor",
    "Injections",
    "JsonlSpanExporter",
    "Override",
    "Phase",
    "Pipeline",
    "PipelineDefinition",
    "PipelineResult",
    "QueryUnsupportedError",
    "RecordingSpanProcessor",
    "RedactConfig",
    "RedactingSpanProcessor",
    "ReplayError",
    "SpanQuery",
    "SpanRecord",
    "SpanStore",
    "StagedSpanExporter",
    "Step",
    "StoreDamagedError",
    "StoreError",
    "StoreRejectedError",
    "StoreSpanExporter",
    "StoreUnavailableError",
    "TaskBlockedError",
    "TaskNotFoundError",
    "TaskStateError",
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
    "emit_handoff",
    "end_session",
    "extract_headers",
    "gate",
    "gate_results",
    "get_current_trace_id",
    "ground",
    "handoff_from_mcp",
    "handoff_to_mcp",
    "inject_headers",
    "load_definition",
    "open_store",
    "receive_handoff",
    "receive_handoff_result",
    "run_pilot",
    "run_with_failure_detection",
    "start_session",
    "task_span",
    "traced_span",
    "wait_for_handoff_result",
]

_MODULES = {
    "AgentEvent": "model.event",
    "AgentTraceError": "errors",
    "ArtifactIntent": "model.handoff",
    "BlockedError": "errors",
    "CheckOutcome": "workflow.outcome",
    "Claim": "grounding",
    "ConfigError": "errors",
    "ContractError": "errors",
    "ContractSpanProcessor": "processors.contract",
    "DecodeError": "errors",
    "Evidence": "model.gate",
    "ExpectedOutput": "model.handoff",
    "FailureEvent": "model.failure",
    "FailureSpanProcessor": "processors.failure",
    "Gate": "instrument.gates",
    "GateBlockedError": "errors",
    "GateResult": "model.gate",
    "GateSpanProcessor": "processors.gates",
    "GroundingChecker": "grounding",
    "GroundingReport": "grounding",
    "HandoffContract": "model.handoff",
    "HandoffError": "errors",
    "HandoffResult": "model.handoff",
    "HandoffTimeoutError": "errors",
    "HandoffTransitionError": "errors",
    "HandoffValidationError": "errors",
    "InheritingSpanProcessor": "processors.inherit",
    "Injections": "workflow.pilot.injections",
    "JsonlSpanExporter": "exporters.jsonl",
    "Override": "instrument.gates",
    "Phase": "workflow.pipeline",
    "Pipeline": "workflow.pipeline",
    "PipelineDefinition": "workflow.definition",
    "PipelineResult": "workflow.pipeline",
    "QueryUnsupportedError": "errors",
    "RecordingSpanProcessor": "processors.recording",
    "RedactConfig": "pipeline.redact",
    "RedactingSpanProcessor": "processors.redacting",
    "ReplayError": "errors",
    "SpanQuery": "stores.api",
    "SpanRecord": "model.record",
    "SpanStore": "stores.api",
    "StagedSpanExporter": "exporters.staged",
    "Step": "workflow.pipeline",
    "StoreDamagedError": "errors",
    "StoreError": "errors",
    "StoreRejectedError": "errors",
    "StoreSpanExporter": "exporters.store",
    "StoreUnavailableError": "errors",
    "TaskBlockedError": "errors",
    "TaskNotFoundError": "errors",
    "TaskStateError": "errors",
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
    "emit_handoff": "instrument.handoffs",
    "end_session": "instrument.sessions",
    "extract_headers": "instrument.handoff_context",
    "gate": "instrument.gates",
    "gate_results": "model.gate_events",
    "get_current_trace_id": "instrument.events",
    "ground": "grounding",
    "handoff_from_mcp": "instrument.handoff_context",
    "handoff_to_mcp": "instrument.handoff_context",
    "inject_headers": "instrument.handoff_context",
    "load_definition": "workflow.definition",
    "open_store": "stores.open",
    "receive_handoff": "instrument.handoffs",
    "receive_handoff_result": "instrument.handoff_results",
    "run_pilot": "workflow.pilot.run",
    "run_with_failure_detection": "instrument.detection",
    "start_session": "instrument.sessions",
    "task_span": "instrument.tasks",
    "traced_span": "instrument.traced",
    "wait_for_handoff_result": "instrument.handoff_results",
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
