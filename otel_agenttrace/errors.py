"""The error tree.

AgentTraceError
├── ConfigError                 a setting is wrong; names it and the accepted values
├── ContractError               spans broke the attribute contract; carries the violations
├── DecodeError                 input is not what it claims to be; names file and line where there is one
├── StoreError
│   ├── StoreUnavailableError   transient: the same call may succeed later
│   │   └── StoreDamagedError   the file is not what was written; a copy or a new one may do
│   ├── StoreRejectedError      permanent: the same call always fails
│   └── QueryUnsupportedError   this store cannot answer; refused, never approximated
├── TraceNotFoundError          no such trace, failure, session or span; or an ambiguous short id
└── ReplayError                 a recorded run could not be replayed
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_agenttrace.contract.violation import Violation


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


class ReplayError(AgentTraceError):
    """A recorded run could not be replayed."""
