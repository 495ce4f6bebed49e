"""The closed vocabularies of the projections, free of pydantic so that the write path can import them."""

from __future__ import annotations

from typing import Literal, TypeAlias

FailureType: TypeAlias = Literal["exception", "validation_error", "timeout", "hallucination_flag", "abandoned", "none"]
"""What went wrong; `none` is a pass."""

RecordStatus: TypeAlias = Literal["failed", "hallucinated", "passed"]
"""How a finished trace came out."""

TraceStatus: TypeAlias = Literal["failed", "hallucinated", "passed", "running"]
"""How a trace stands: `running` until its root has ended, unless it has failed for certain before."""

SessionStatus: TypeAlias = Literal["running", "completed", "failed", "cancelled"]

StepKind: TypeAlias = Literal["tool_call", "model_output", "exception", "validation_error"]

AgentEventType: TypeAlias = Literal[
    "state_change",
    "plan_created",
    "step_started",
    "step_completed",
    "tool_called",
    "tool_result",
    "message",
    "error",
    "budget_warning",
    "budget_exceeded",
    "iteration_limit",
    "completed",
    "cancelled",
    "model_selected",
    "model_switched",
    "trace_started",
    "trace_ended",
]
"""What an agent may report of itself; the span event is `agent.` and the type."""
