"""The error tree.

AgentTraceError
├── ConfigError                 a setting is wrong; names it and the accepted values
├── ContractError               spans broke the attribute contract; carries the violations
├── BlockedError                work goes no further; carries why, and what unblocks it
│   ├── GateBlockedError        a gate lets nobody through; carries its result
│   └── TaskBlockedError        a task below was left blocked
├── DecodeError                 input is not what it claims to be; names file and line where there is one
├── StoreError
│   ├── StoreUnavailableError   transient: the same call may succeed later
│   │   └── StoreDamagedError   the file is not what was written; a copy or a new one may do
│   ├── StoreRejectedError      permanent: the same call always fails
│   └── QueryUnsupportedError   this store cannot answer; refused, never approximated
├── TaskNotFoundError           no such task
├── TaskStateError              the task's state does not allow it, or it would wait for itself
├── TraceNotFoundError          no such trace, failure, session or span; or an ambiguous short id
├── HandoffError                a handoff cannot go on; names each field that is wrong
│   ├── HandoffValidationError  it is not what was agreed on
│   ├── HandoffTransitionError  its status does not allow it
│   └── HandoffTimeoutError     its deadline has passed
└── ReplayError                 a recorded run could not be replayed
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_agenttrace.contract.violation import Violation
    from otel_agenttrace.model.gate import GateResult
    from otel_agenttrace.model.handoff import HandoffContract


class AgentTraceError(Exception):
    """Base of every error this package raises on purpose."""


class ConfigError(AgentTraceError):
    """A setting has a value that is not accepted."""


class ContractError(AgentTraceError):
    """A span broke the attribute contract in `enforce` mode.

    Attributes:
        violations: what was broken, each with the code location that caused it.
    """

    def __init__(self, message: str, violations: Sequence[Violation] = ()) -> None:
        super().__init__(message)
        self.violations = tuple(violations)


class BlockedError(AgentTraceError):
    """Work goes no further; what it belongs to is blocked.

    Attributes:
        reason: why.
        next_action: what unblocks it.
        blocked_on: the id of the task that it waits for, if there is one.
    """

    reason: str
    next_action: str
    blocked_on: str | None = None


class GateBlockedError(BlockedError):
    """A gate lets nobody through: what it checks is not in order, or there was nothing to check.

    Attributes:
        result: what the gate found, with the reason and the next action.
    """

    def __init__(self, result: GateResult) -> None:
        super().__init__(result)
        self.result = result
        self.reason, self.next_action = result.reason, result.next_action

    def __str__(self) -> str:
        result = self.result
        where = f" of {result.phase}" if result.phase else ""
        what = "failed" if result.result == "fail" else "had nothing to check"
        return f"gate {result.gate_id}{where} {what}: {result.reason}; next action: {result.next_action}"


class TaskBlockedError(BlockedError):
    """A phase or step of a pipeline cannot go on: a task below it was left blocked.

    Args:
        task_id: of that task.
        reason: why it is blocked.
        next_action: what unblocks it.
    """

    def __init__(self, task_id: str, reason: str, next_action: str) -> None:
        super().__init__(task_id, reason, next_action)
        self.blocked_on = task_id
        self.reason, self.next_action = f"{task_id} is blocked: {reason}", next_action

    def __str__(self) -> str:
        return f"{self.reason}; next action: {self.next_action}"


class DecodeError(AgentTraceError):
    """Bytes or text could not be read as telemetry."""


class StoreError(AgentTraceError):
    """Base of what a store raises."""


class StoreUnavailableError(StoreError):
    """The store cannot be reached or is busy; a retry may succeed."""


class StoreDamagedError(StoreUnavailableError):
    """The store's file is not what was written into it; a retry succeeds once it is mended, or elsewhere."""


class StoreRejectedError(StoreError):
    """The store will never accept this; a retry fails the same way."""


class QueryUnsupportedError(StoreError):
    """The store cannot answer this query exactly."""


class TraceNotFoundError(AgentTraceError, LookupError):
    """Nothing is stored under the id, or a short id fits more than one."""


class TaskNotFoundError(AgentTraceError, LookupError):
    """No task is known under the id."""


class TaskStateError(AgentTraceError):
    """The state of a task, or of those it has to do with, does not allow what was asked for."""


class HandoffError(AgentTraceError):
    """A handoff cannot go on.

    Attributes:
        problems: what is wrong, a text for each field, which begins with its name. No text repeats a value.
        handoff: the contract as it stands now, e.g. rejected; None where none could be read.
        answer: what to send to the agent that handed the work over, as JSON can say it; None as above.
    """

    def __init__(self, problems: Sequence[str], handoff: HandoffContract | None = None) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)
        self.handoff = handoff
        self.answer: dict[str, Any] | None = None


class HandoffValidationError(HandoffError):
    """A handoff, its inputs or its result are not what was agreed on."""


class HandoffTransitionError(HandoffError):
    """The status of a handoff does not allow what is asked of it."""


class HandoffTimeoutError(HandoffError):
    """The deadline of a handoff has passed."""


class ReplayError(AgentTraceError):
    """A recorded run could not be replayed."""
