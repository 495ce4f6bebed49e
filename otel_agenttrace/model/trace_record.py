"""TraceRecord: a trace told as steps."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from otel_agenttrace.model.fields import Timestamp
from otel_agenttrace.model.kinds import RecordStatus, StepKind


class TraceStep(BaseModel):
    """One call of a tool or a model, or the error of another span where a failure began.

    Attributes:
        input: arguments of the tool, messages to the model.
        output: result of the tool, messages from the model.
        error: the message when the step failed, whatever its kind.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    kind: StepKind
    input: Any = None
    output: Any = None
    error: str | None = None


class TraceRecord(BaseModel):
    """A trace as steps in time order, under the id of its failure or, for a pass, of its root span."""

    model_config = ConfigDict(extra="forbid")

    schema_version: Literal[1] = 1
    failure_id: str = Field(min_length=1)
    subject: str
    status: RecordStatus
    started_at: Timestamp
    ended_at: Timestamp
    steps: list[TraceStep] = Field(default_factory=list)
