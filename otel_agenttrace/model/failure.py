"""FailureEvent: one root cause of one trace, or the pass of one."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from otel_agenttrace.model.fields import Timestamp
from otel_agenttrace.model.kinds import FailureType


class FailureEvent(BaseModel):
    """What went wrong in a run, or that nothing did (`failure_type` none).

    Attributes:
        failure_id: `<trace_id>-<span_id>` of the span where it began; of the root span for a pass.
        subject: the agent: the nearest `gen_ai.agent.name` above the origin, else the root span's name.
        timestamp: when the origin failed, RFC 3339.
        error: the message of the error, None for a pass.
        metadata: `exception_type`, `stacktrace`, `code` (a protocol's, e.g. `HTTP 422`), `origin_span_id`,
            `origin_name`, `path` (span ids, root first), `recovered`, `service_name`, `session_id`, `task_id`; only
            what is known.
    """

    model_config = ConfigDict(extra="forbid")

    failure_id: str = Field(min_length=1)
    subject: str
    failure_type: FailureType
    timestamp: Timestamp
    trace_id: str | None = None
    error: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
