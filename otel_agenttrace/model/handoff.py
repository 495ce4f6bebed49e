"""HandoffContract: work that one agent hands to another, and the states that it goes through."""

from __future__ import annotations

import secrets
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from otel_agenttrace.errors import HandoffTransitionError
from otel_agenttrace.model.fields import Timestamp
from otel_agenttrace.model.handoff_payload import MAX_PAYLOAD_BYTES, load_payload, plain_json, read_model
from otel_agenttrace.model.times import from_rfc3339, to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

HandoffPriority = Literal["low", "normal", "high", "critical"]
HandoffStatus = Literal["pending", "accepted", "in_progress", "completed", "failed", "expired", "cancelled", "rejected"]

TRANSITIONS: Mapping[HandoffStatus, frozenset[HandoffStatus]] = MappingProxyType(
    {
        "pending": frozenset({"accepted", "rejected", "expired", "cancelled"}),
        "accepted": frozenset({"in_progress", "failed", "expired", "cancelled"}),
        "in_progress": frozenset({"completed", "failed", "expired", "cancelled"}),
        "completed": frozenset(),
        "failed": frozenset(),
        "expired": frozenset(),
        "cancelled": frozenset(),
        "rejected": frozenset(),
    }
)
"""What a handoff of each status may become; nothing follows on a status without an entry."""

MAX_ERROR_CHARACTERS = 4096

_MAX_SHOWN = 40
_NEED_ERROR = ("failed", "expired", "rejected")

Name = Annotated[str, Field(min_length=1, max_length=256, pattern=r"\S")]
_CHECKSUM = r"^[a-z0-9]+:[0-9a-f]{2,}$"


def _now() -> str:
    return to_rfc3339(time.time_ns())


def _new_id() -> str:
    return f"handoff-{secrets.token_hex(8)}"


class ArtifactIntent(BaseModel):
    """A file or the like that an agent is to make, or has made: handed over by reference, not by content.

    Attributes:
        artifact_id: names it among the artifacts of its project.
        type: what it is, in a word: `dashboard`, `report`, `patch`.
        path: where it is, or is to be.
        media_type: e.g. `application/json`.
        schema_ref: the schema that its content follows.
        checksum: of its content, `algo:hex`; known once it is made.
        produced_by: the agent that makes it.
        purpose: what it is for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    artifact_id: Name
    type: Name
    path: str = Field(min_length=1, max_length=4096)
    media_type: Name | None = None
    schema_ref: Name | None = None
    checksum: str | None = Field(default=None, max_length=256, pattern=_CHECKSUM)
    produced_by: Name | None = None
    purpose: str | None = Field(default=None, max_length=4096)


class ExpectedOutput(BaseModel):
    """What the receiving agent is to give back.

    Attributes:
        type: `text`; a type of JSON Schema (object, array, string, number, integer, boolean, null); `artifact` or
            `artifacts`, an ArtifactIntent or a list of them. Any other word is for the agents, and not checked.
        schema_ref: names the JSON Schema that it follows, for whoever knows that schema.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    type: Name = "object"
    schema_ref: Name | None = None


class HandoffContract(BaseModel):
    """Work handed from one agent to another. It does not change: `moved_to` gives the next one.

    Attributes:
        handoff_id: the handoff; new, unless given.
        capability_id: what the receiving agent is asked to do.
        inputs: what it works from, as JSON can say it.
        result_trace_id: the trace in which the work was done, 32 hex digits.
        error: why it failed, expired or was rejected, which then has to be there.
        created_at: RFC 3339; now, unless given.
        deadline: when it expires, RFC 3339 or an aware datetime; None for never.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    handoff_id: Name = Field(default_factory=_new_id)
    from_agent: Name
    to_agent: Name
    capability_id: Name
    inputs: Annotated[dict[str, Any], BeforeValidator(plain_json)] = Field(default_factory=dict)
    expected_output: ExpectedOutput = Field(default_factory=ExpectedOutput)
    priority: HandoffPriority = "normal"
    status: HandoffStatus = "pending"
    result_trace_id: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$")
    error: str | None = Field(default=None, min_length=1, max_length=MAX_ERROR_CHARACTERS)
    created_at: Timestamp = Field(default_factory=_now)
    deadline: Timestamp | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.deadline is not None and from_rfc3339(self.deadline) <= from_rfc3339(self.created_at):
            raise ValueError(f"deadline: {self.deadline} is not after created_at, {self.created_at}")
        if self.status in _NEED_ERROR and self.error is None:
            raise ValueError(f"error: is missing; a handoff that is {self.status} says why")
        return self

    @classmethod
    def from_payload(cls, payload: object, max_bytes: int = MAX_PAYLOAD_BYTES) -> Self:
        """Read what another agent sent: a mapping, or JSON text.

        Raises:
            HandoffValidationError: it is no such handoff; names each field that is wrong.
        """
        return read_model(cls, load_payload(payload, max_bytes))

    def to_payload(self) -> dict[str, Any]:
        """The fields that have a value, as JSON says them."""
        return self.model_dump(mode="json", exclude_none=True)

    @property
    def is_over(self) -> bool:
        """Whether nothing follows on its status."""
        return not TRANSITIONS[self.status]

    def seconds_left(self, now_unix_nano: int | None = None) -> float | None:
        """Seconds until the deadline, 0 when it has passed; None without one. Use it as the timeout of a request."""
        if self.deadline is None:
            return None
        now = time.time_ns() if now_unix_nano is None else now_unix_nano
        return max(from_rfc3339(self.deadline) - now, 0) / 1e9

    def is_late(self, now_unix_nano: int | None = None) -> bool:
        """Whether the deadline has passed, whatever the status."""
        return self.seconds_left(now_unix_nano) == 0

    def can_become(self, status: str) -> bool:
        """Whether `status` may follow on this one at once."""
        return status in TRANSITIONS[self.status]

    def moved_to(self, status: HandoffStatus, *, error: str | None = None, result_trace_id: str | None = None) -> Self:
        """The handoff with another status.

        Args:
            status: the next one.
            error: why it is not done; too long a text is cut.
            result_trace_id: the trace in which the work was done.

        Raises:
            HandoffTransitionError: the status may not follow on this one.
            HandoffValidationError: it needs an error and has none, or the trace id is none.
        """
        self._check(status, TRANSITIONS[self.status])
        return self._with(status, error, result_trace_id)

    def answered(self, answer: HandoffContract) -> Self:
        """The handoff as the receiving agent tells it, which has taken it through statuses that nobody else saw.

        Raises:
            HandoffTransitionError: the status of the answer cannot follow on this one.
        """
        self._check(answer.status, _LATER[self.status])
        return self._with(answer.status, answer.error, answer.result_trace_id)

    def _check(self, status: str, possible: frozenset[HandoffStatus]) -> None:
        if status not in possible:
            known = ", ".join(one for one in get_args(HandoffStatus) if one in possible)
            raise HandoffTransitionError(
                [f"status: {self.status} cannot become {status[:_MAX_SHOWN]}; it may become {known or 'nothing else'}"]
            )

    def _with(self, status: HandoffStatus, error: str | None, result_trace_id: str | None) -> Self:
        changes: dict[str, Any] = {"status": status}
        if error is not None:
            changes["error"] = error[:MAX_ERROR_CHARACTERS]
        if result_trace_id is not None:
            changes["result_trace_id"] = result_trace_id
        return read_model(type(self), {**dict(self), **changes})


class HandoffResult(BaseModel):
    """What comes back.

    Attributes:
        handoff: the contract as it ended, without its inputs, which the other side has.
        output: what was made, as JSON can say it; None unless completed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    handoff: HandoffContract
    output: Annotated[Any, BeforeValidator(plain_json)] = None

    @classmethod
    def from_payload(cls, payload: object, max_bytes: int = MAX_PAYLOAD_BYTES) -> Self:
        """Read what another agent sent: a mapping, or JSON text.

        Raises:
            HandoffValidationError: it is no such result; names each field that is wrong.
        """
        return read_model(cls, load_payload(payload, max_bytes))

    def to_payload(self) -> dict[str, Any]:
        """As JSON says it."""
        return {"handoff": self.handoff.to_payload(), "output": self.output}


def _reachable(status: HandoffStatus) -> frozenset[HandoffStatus]:
    following = TRANSITIONS[status]
    return following.union(*map(_reachable, following))


_LATER = {status: _reachable(status) for status in TRANSITIONS}
