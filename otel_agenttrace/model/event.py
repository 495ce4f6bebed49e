"""AgentEvent: what an agent reports of itself, and a factory for each type of it."""

from __future__ import annotations

import secrets
import time
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from otel_agenttrace.model.fields import Timestamp
from otel_agenttrace.model.kinds import AgentEventType
from otel_agenttrace.model.times import to_rfc3339


def _new_span_id() -> str:
    return secrets.token_hex(8)


def _now() -> str:
    return to_rfc3339(time.time_ns())


class AgentEvent(BaseModel):
    """One thing that an agent did or decided.

    Attributes:
        data: what the type is about; each factory says which keys it sets.
        session_id: the session that the event belongs to.
        timestamp: RFC 3339; now, unless given.
        trace_id: the id of this event; 16 hex digits, as it becomes the span id of its entry. New, unless given.
        parent_trace_id: the `trace_id` of the event that this one happened in.
        duration_ms: milliseconds.
        raw_input: what went in, as text; a `TraceEntry` cuts it.
        raw_output: what came out, as text; a `TraceEntry` cuts it.
    """

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    type: AgentEventType
    data: dict[str, Any] = Field(default_factory=dict)
    session_id: str
    timestamp: Timestamp = Field(default_factory=_now)
    trace_id: str = Field(default_factory=_new_span_id, min_length=1)
    parent_trace_id: str | None = None
    duration_ms: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    model_used: str | None = None
    provider_used: str | None = None
    estimated_cost_usd: float | None = None
    raw_input: str | None = None
    raw_output: str | None = None

    @classmethod
    def state_change(cls, state: str, session_id: str) -> AgentEvent:
        """The agent went into a state. Data: `state`."""
        return cls(type="state_change", data={"state": state}, session_id=session_id)

    @classmethod
    def plan_created(cls, plan: Any, session_id: str) -> AgentEvent:
        """The agent made a plan: a text, a list of steps, whatever JSON can say. Data: `plan`."""
        return cls(type="plan_created", data={"plan": plan}, session_id=session_id)

    @classmethod
    def step_started(cls, step: str, session_id: str) -> AgentEvent:
        """A step of the plan began. Data: `step`."""
        return cls(type="step_started", data={"step": step}, session_id=session_id)

    @classmethod
    def step_completed(cls, step: str, session_id: str, *, duration_ms: float | None = None) -> AgentEvent:
        """A step of the plan is done. Data: `step`."""
        return cls(type="step_completed", data={"step": step}, session_id=session_id, duration_ms=duration_ms)

    @classmethod
    def tool_called(cls, tool: str, arguments: Any, session_id: str) -> AgentEvent:
        """The agent called a tool. Data: `tool`, `arguments`."""
        return cls(type="tool_called", data={"tool": tool, "arguments": arguments}, session_id=session_id)

    @classmethod
    def tool_result(cls, tool: str, result: Any, session_id: str, *, duration_ms: float | None = None) -> AgentEvent:
        """A tool answered. Data: `tool`, `result`."""
        data = {"tool": tool, "result": result}
        return cls(type="tool_result", data=data, session_id=session_id, duration_ms=duration_ms)

    @classmethod
    def message(cls, role: str, content: Any, session_id: str) -> AgentEvent:
        """A message to or from the agent. Data: `role` (user, assistant, system, tool), `content`."""
        return cls(type="message", data={"role": role, "content": content}, session_id=session_id)

    @classmethod
    def error(cls, message: str, session_id: str, *, error_type: str | None = None) -> AgentEvent:
        """Something went wrong. Data: `message`, and `error_type` if given."""
        data = {"message": message} | ({"error_type": error_type} if error_type else {})
        return cls(type="error", data=data, session_id=session_id)

    @classmethod
    def budget_warning(cls, used: float, limit: float, session_id: str) -> AgentEvent:
        """A budget (tokens, money, seconds) is nearly used up. Data: `used`, `limit`."""
        return cls(type="budget_warning", data={"used": used, "limit": limit}, session_id=session_id)

    @classmethod
    def budget_exceeded(cls, used: float, limit: float, session_id: str) -> AgentEvent:
        """A budget is used up. Data: `used`, `limit`."""
        return cls(type="budget_exceeded", data={"used": used, "limit": limit}, session_id=session_id)

    @classmethod
    def iteration_limit(cls, limit: int, session_id: str) -> AgentEvent:
        """The agent stopped after as many rounds as it may take. Data: `limit`."""
        return cls(type="iteration_limit", data={"limit": limit}, session_id=session_id)

    @classmethod
    def completed(cls, result: Any, session_id: str) -> AgentEvent:
        """The agent is done. Data: `result`."""
        return cls(type="completed", data={"result": result}, session_id=session_id)

    @classmethod
    def cancelled(cls, reason: str, session_id: str) -> AgentEvent:
        """The agent was stopped. Data: `reason`."""
        return cls(type="cancelled", data={"reason": reason}, session_id=session_id)

    @classmethod
    def model_selected(cls, model: str, provider: str, reason: str, session_id: str) -> AgentEvent:
        """The agent chose a model. Data: `model`, `provider`, `reason`."""
        data = {"model": model, "provider": provider, "reason": reason}
        return cls(type="model_selected", data=data, session_id=session_id, model_used=model, provider_used=provider)

    @classmethod
    def model_switched(cls, from_model: str, to_model: str, session_id: str) -> AgentEvent:
        """The agent went over to another model. Data: `from_model`, `to_model`."""
        data = {"from_model": from_model, "to_model": to_model}
        return cls(type="model_switched", data=data, session_id=session_id, model_used=to_model)

    @classmethod
    def trace_started(cls, name: str, session_id: str) -> AgentEvent:
        """A trace began. Data: `name`."""
        return cls(type="trace_started", data={"name": name}, session_id=session_id)

    @classmethod
    def trace_ended(cls, status: str, session_id: str) -> AgentEvent:
        """A trace ended. Data: `status`."""
        return cls(type="trace_ended", data={"status": status}, session_id=session_id)
