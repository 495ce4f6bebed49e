"""TraceSession: traces that belong together."""

from __future__ import annotations

from pydantic import BaseModel

from otel_agenttrace.model.fields import Timestamp
from otel_agenttrace.model.kinds import SessionStatus


class TraceSession(BaseModel):
    """One session; a trace that names none is a session of its own, under its trace id.

    Attributes:
        task: what the session is about: given at its start, else the name of its first root span.
        completed_at: None while it runs.
        total_events: how many spans it has.
        total_tokens: input and output, each model call once.
        total_cost_usd: the sum of the costs that are known.
        cost_complete: every model call has a cost.
    """

    id: str
    task: str
    started_at: Timestamp
    completed_at: Timestamp | None = None
    status: SessionStatus
    total_events: int = 0
    total_tokens: int = 0
    total_cost_usd: float = 0.0
    cost_complete: bool = True
