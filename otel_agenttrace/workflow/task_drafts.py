"""What commands say of a task: when it is started, and when it is updated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import TASK_ACCEPTANCE, TASK_PHASE, TASK_TITLE, TASK_TYPE
from otel_agenttrace.errors import ContractError

if TYPE_CHECKING:
    from otel_agenttrace.contract.validate import Contract
    from otel_agenttrace.model.record import Attributes
    from otel_agenttrace.model.task import OpenStatus

_OURS = ("task.", "agenttrace.", "gate.", "handoff.", "failure.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """What may be said of a task at its start, at an update and at its end; None and empty say nothing.

    Attributes:
        attributes: of any other name, such as checksums and counts.
    """

    title: str | None = None
    type: str | None = None
    phase: str | None = None
    acceptance: str | None = None
    depends_on: tuple[str, ...] = ()
    attributes: Attributes = field(default_factory=dict)

    @property
    def span_attributes(self) -> Attributes:
        """As attributes of the span, without the dependencies."""
        named = {TASK_TITLE: self.title, TASK_TYPE: self.type, TASK_PHASE: self.phase, TASK_ACCEPTANCE: self.acceptance}
        return {**{str(name): value for name, value in named.items() if value is not None}, **self.attributes}

    def check(self, contract: Contract | None) -> None:
        """Raise what is wrong with the values.

        Args:
            contract: what they are checked against, if they are.

        Raises:
            ContractError: a value breaks the contract, or a name is one that only the commands themselves may set.
        """
        ours = [name for name in self.attributes if name.startswith(_OURS)]
        if ours:
            raise ContractError(f"{ours[0]} is not set as an attribute: there is an option or a command for it")
        violations = contract.check_values(self.span_attributes) if contract is not None else ()
        if violations:
            more = f", and {len(violations) - 1} more" if len(violations) > 1 else ""
            raise ContractError(f"{violations[0].message}{more}", violations)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDraft(TaskFacts):
    """A task that is to be started.

    Attributes:
        id: `task.id`.
        parent_id: id of the task that it is a part of; it must be open.
        project_id: `project.id`; else that of its parent, else that of the configuration.
        status: where it begins.
    """

    id: str
    parent_id: str | None = None
    project_id: str | None = None
    status: OpenStatus = "in_progress"
