"""GateResult: what a gate found, as a projection of its events."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from otel_agenttrace.model.fields import Timestamp

GateVerdict = Literal["pass", "fail", "skipped"]
Severity = Literal["info", "warning", "error", "critical"]


class Evidence(BaseModel):
    """One thing that a check looked at.

    Attributes:
        type: what kind of thing: checksum, file, id, count, schema, exception, time.
        ref: which one: a path, an id, an attribute.
        description: what was expected there, and what was found.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    ref: str
    description: str = ""


class GateResult(BaseModel):
    """The verdict of one gate.

    Attributes:
        gate_id: the gate.
        phase: the phase that it guards; None outside of one.
        result: `skipped` where there was nothing to check.
        severity: how bad it is if it fails.
        blocking: whether work must not go on unless it passes; False for what was skipped and may be.
        reason: why it did not pass.
        next_action: what makes it pass.
        checked_at: when, RFC 3339.
        evidence: what was looked at.
        overridden_by: who let the work go on all the same.
        override_reason: why.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    gate_id: str
    phase: str | None = None
    result: GateVerdict
    severity: Severity = "error"
    blocking: bool = True
    reason: str = ""
    next_action: str = ""
    checked_at: Timestamp
    evidence: tuple[Evidence, ...] = ()
    overridden_by: str | None = None
    override_reason: str | None = None

    @property
    def blocks(self) -> bool:
        """Whether work must not go on."""
        return self.blocking and self.result != "pass" and self.overridden_by is None
