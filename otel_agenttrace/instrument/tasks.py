"""`task_span`: a task of this process as a span, with its status, what it is a part of, and what it depends on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.trace import Link, Status, StatusCode

from otel_agenttrace.contract.attributes import (
    EVENT_TASK_COMMENT,
    EVENT_TASK_STATUS_CHANGED,
    PROJECT_ID,
    TASK_ACCEPTANCE,
    TASK_BLOCKED_ON_SPAN_ID,
    TASK_BLOCKED_REASON,
    TASK_COMMENT_AUTHOR,
    TASK_COMMENT_TEXT,
    TASK_DEPENDS_ON,
    TASK_ENDED_REASON,
    TASK_ID,
    TASK_NEXT_ACTION,
    TASK_PARENT_ID,
    TASK_PHASE,
    TASK_STATUS,
    TASK_TIMEOUT_MS,
    TASK_TITLE,
    TASK_TYPE,
)
from otel_agenttrace.errors import BlockedError, TaskStateError
from otel_agenttrace.instrument.capture import capture
from otel_agenttrace.instrument.faults import contained, logger, told
from otel_agenttrace.instrument.inherited import current_inherited
from otel_agenttrace.instrument.spans import start_span
from otel_agenttrace.instrument.task_lookup import KnownTask, known_tasks
from otel_agenttrace.instrument.task_places import below, find_dependencies, find_parent
from otel_agenttrace.model.record import REVISION
from otel_agenttrace.model.task import END_STATUSES, OTHER_PHASE, check_transition
from otel_agenttrace.processors.open_again import record_open_again

if TYPE_CHECKING:
    from types import TracebackType

    from opentelemetry.trace import Span
    from typing_extensions import Self

    from otel_agenttrace.instrument.spans import OpenSpan
    from otel_agenttrace.model.task import EndStatus, TaskStatus

_TASK_KEY = context_api.create_key("agenttrace-task")


def task_span(
    task_id: str,
    *,
    title: str | None = None,
    type: str | None = None,  # noqa: A002 - as the attribute is called
    parent: str | TaskSpan | None = None,
    phase: str | None = None,
    depends_on: Iterable[str | TaskSpan] = (),
    acceptance: str | None = None,
    project: str | None = None,
    timeout_ms: float | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> TaskSpan:
    """Record a block of work as a task.

    ```python
    with task_span("PI-1-S4", title="Parse the export", phase="INGEST_PARSE_ASSESS") as task:
        task.update(attributes={"quality.gap_count": 3})
    ```

    The task is in_progress from the start of the block. With the block it ends completed; failed if the block raises,
    with the exception recorded; blocked if it is blocked then, if a gate blocks it (GateBlockedError), or if a task
    right below it ended so. What the block starts inherits `task.id`, `task.phase` and `project.id`.

    A task that a gate blocks has the exception and the status ERROR as well: failures are found by these, and without
    them the gate's error would count as one that the task has recovered from. One that is blocked by hand has neither.

    Args:
        task_id: `task.id`, and the span's name.
        title: the task in a few words.
        type: story, task, subtask or gate.
        parent: the task that it is a part of, by id or as what `with` gave; by default the one around it. One of
            another process is looked up in the store; if it is not found, that is logged, and the span stands below the
            current one.
        phase: of the pipeline; by default that of the task above, else OTHER.
        depends_on: tasks that must be completed first; the span has a link to each that is found.
        acceptance: what must hold for it to be done.
        project: `project.id`; by default that of the task above, else of `configure_tracing`.
        timeout_ms: milliseconds after which a task that still runs is a timeout failure.
        attributes: checksums, counts and others, as the contract has them.

    Raises:
        TypeError: an argument is of the wrong type.
        TaskStateError: when the block is entered: the task is open already, its parent has ended, or it would wait
            for itself.
        ContractError: when the block is left, in the contract's `enforce` mode, if no other exception is on its way.
    """
    if not isinstance(task_id, str) or not task_id.strip():
        raise TypeError(f"task_span: task_id takes a text that is not empty, not {task_id!r}")
    if attributes is not None and not isinstance(attributes, Mapping):
        raise TypeError(f"task_span: attributes takes a mapping, not {attributes!r}")
    facts = {TASK_TITLE: title, TASK_TYPE: type, TASK_PHASE: phase, TASK_ACCEPTANCE: acceptance, PROJECT_ID: project}
    own: dict[str, Any] = {name: value for name, value in facts.items() if value is not None}
    if timeout_ms is not None:
        own[TASK_TIMEOUT_MS] = float(timeout_ms)
    parent_id = None if parent is None else _id_of(parent, "parent")
    return TaskSpan(task_id, {**own, **(attributes or {})}, parent_id, _ids_of(depends_on))


def current_task_id() -> str | None:
    """The id of the innermost `task_span` around this code."""
    task_id = context_api.get_value(_TASK_KEY)
    return task_id if isinstance(task_id, str) else None


class TaskSpan:
    """What `task_span` gives: a context manager, for `with` and `async with`, to be entered once.

    Attributes:
        id: the task's.
        status: where it stands.
        reason: why it is blocked, or has ended.
        next_action: what unblocks it.
    """

    def __init__(self, task_id: str, attributes: dict[str, Any], parent_id: str | None, depends_on: list[str]) -> None:
        self.id = task_id
        self.status: TaskStatus = "not_started"
        self._attributes = attributes
        self._parent_id = parent_id
        self._depends_on = depends_on
        self.reason = self.next_action = ""
        self._revision = 0
        self._is_ending = self._is_over = False
        self._opened: OpenSpan | None = None

    @property
    def span(self) -> Span:
        """Its span; one that records nothing before the block is entered."""
        return trace.INVALID_SPAN if self._opened is None else self._opened.span

    def __enter__(self) -> Self:
        if self._opened is not None:
            raise TaskStateError(f"task {self.id} is started already: it is {self.status}")
        parent = find_parent(self.id, self._parent_id, current_task_id())
        dependencies = find_dependencies(self.id, self._depends_on, parent)
        known_tasks.begin(KnownTask(self.id, "in_progress", is_open=True, span_context=trace.INVALID_SPAN_CONTEXT))
        self.status = "in_progress"
        self._opened = self._start(parent, dependencies)
        self._note(is_open=True)
        self._opened.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        opened = self._opened
        if opened is None:
            return
        opened.__exit__()
        self._is_ending = True
        self._conclude(error)
        self._is_over = True
        self._note(is_open=False)
        opened.end(None if self.status == "cancelled" else error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def block(self, reason: str, next_action: str, on: str | TaskSpan | None = None) -> None:
        """Say that the task cannot go on.

        Args:
            reason: why.
            next_action: what unblocks it.
            on: what it waits for: another task, or a span id of 16 hex digits.

        Raises:
            TaskStateError: a text is empty, the task waits for itself, or it has ended.
        """
        if not str(reason).strip() or not str(next_action).strip():
            raise TaskStateError(f"task {self.id} cannot be blocked without a reason and a next action")
        details: dict[str, str] = {TASK_BLOCKED_REASON: str(reason), TASK_NEXT_ACTION: str(next_action)}
        if on is not None:
            details[TASK_BLOCKED_ON_SPAN_ID] = _id_of(on, "on")
            if details[TASK_BLOCKED_ON_SPAN_ID] == self.id:
                raise TaskStateError(f"task {self.id} cannot be blocked by itself")
        self._go_to("blocked", details, reason=str(reason))

    def unblock(self) -> None:
        """Say that the task goes on; why it was blocked stays in its events.

        Raises:
            TaskStateError: it is not blocked.
        """
        if self.status != "blocked":
            raise TaskStateError(f"task {self.id} is {self.status}, not blocked")
        self._go_to("in_progress")

    def update(
        self,
        *,
        title: str | None = None,
        phase: str | None = None,
        acceptance: str | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        """Say more of the task.

        Args:
            title: the task in a few words.
            phase: of the pipeline; what was started before keeps the one it has.
            acceptance: what must hold for it to be done.
            attributes: checksums, counts and others.

        Raises:
            TaskStateError: it has not begun, or has ended.
        """
        self._check_open()
        facts = {TASK_TITLE: title, TASK_PHASE: phase, TASK_ACCEPTANCE: acceptance}
        said = {**{str(name): value for name, value in facts.items() if value is not None}, **(attributes or {})}
        with contained("update a task"):
            for name, value in said.items():
                self.span.set_attribute(name, capture(value))
            self._show()

    def comment(self, text: str, author: str = "") -> None:
        """Say something of the task, as an event of its span.

        Raises:
            TaskStateError: it has not begun, or has ended.
        """
        self._check_open()
        said: dict[str, str] = {TASK_COMMENT_TEXT: str(text)}
        if author:
            said[TASK_COMMENT_AUTHOR] = str(author)
        with contained("comment on a task"):
            self.span.add_event(EVENT_TASK_COMMENT, said)
            self._show()

    def complete(self) -> None:
        """Say that the task is done; its span ends with the block.

        Raises:
            TaskStateError: a task below it is open, it is blocked, or has ended.
        """
        undone = [*known_tasks.open_below(self.id), *known_tasks.left_blocked(self.id)]
        if undone:
            named = ", ".join(f"{task.id} ({task.status})" for task in undone[:5])
            raise TaskStateError(f"task {self.id} cannot be completed before those below it: {named}")
        self._go_to("completed")

    def fail(self, reason: str) -> None:
        """Say that the task is given up after an error; its span ends with the block.

        Raises:
            TaskStateError: it has ended.
        """
        self._go_to("failed", {TASK_ENDED_REASON: str(reason)}, reason=str(reason))

    def cancel(self, reason: str = "") -> None:
        """Say that the task is given up on purpose; its span ends with the block.

        Raises:
            TaskStateError: it has ended.
        """
        self._go_to("cancelled", {TASK_ENDED_REASON: str(reason)} if reason else None, reason=str(reason))

    def _start(self, parent: KnownTask | None, dependencies: list[KnownTask]) -> OpenSpan:
        context = context_api.get_current()
        if parent is not None and self._parent_id is not None:
            context = context if parent.id == current_task_id() else below(parent, context)
        parent_id = self._parent_id = self._parent_id if parent is None else parent.id
        attributes: dict[str, Any] = {
            **({} if TASK_PHASE in current_inherited(context) else {TASK_PHASE: OTHER_PHASE}),
            **self._attributes,
            TASK_ID: self.id,
            TASK_STATUS: self.status,
            **({} if parent_id is None else {TASK_PARENT_ID: parent_id}),
            **({TASK_DEPENDS_ON: self._depends_on} if self._depends_on else {}),
        }
        links = [
            Link(task.span_context, {str(TASK_ID): task.id}) for task in dependencies if task.span_context.is_valid
        ]
        opened = start_span(self.id, attributes=attributes, parent=context, links=links)
        opened.context = context_api.set_value(_TASK_KEY, self.id, opened.context)
        return opened

    def _conclude(self, error: BaseException | None) -> None:
        """Bring the task to its end, as the block has left it."""
        with contained("end a task"):
            if isinstance(error, BlockedError):
                if self.status in ("in_progress", "completed"):
                    self.status = "in_progress"  # whatever it said of itself: it did not get past the gate
                    on = error.blocked_on or next((task.id for task in known_tasks.left_blocked(self.id)), None)
                    on = None if on == self.id else on
                    self.block(error.reason or str(error), error.next_action or "see the gate", on)
            elif error is None or _ends_well(error):
                if self.status == "in_progress":
                    self._warn_of_open_tasks()
                    self._finish("completed" if error is None else "cancelled")
            elif self.status not in ("failed", "cancelled"):
                self.status = "in_progress"  # whatever it said of itself: an error ends it
                reason = told(error)
                self._go_to("failed", {TASK_ENDED_REASON: reason}, reason=reason)

    def _finish(self, status: EndStatus) -> None:
        """End the task, or leave it blocked where one below it was left so."""
        blocked = next(iter(known_tasks.left_blocked(self.id)), None)
        if blocked is None:
            self._go_to(status)
        else:
            self.block(f"{blocked.id} is blocked: {blocked.reason}", blocked.next_action, on=blocked.id)

    def _go_to(self, status: TaskStatus, details: Mapping[str, str] | None = None, *, reason: str = "") -> None:
        self._check_begun()
        check_transition(self.id, self.status, status, reason=self.reason)
        self.status, self.reason = status, reason
        self.next_action = (details or {}).get(TASK_NEXT_ACTION, "")
        if not self._is_ending:
            self._note(is_open=status not in END_STATUSES)
        span = self.span
        with contained("change a task"):
            said: dict[str, str] = {TASK_STATUS: status, **(details or {})}
            span.set_attributes(said)
            if status == "failed":
                span.set_status(Status(StatusCode.ERROR, reason or None))
            if not self._is_ending:  # else the end of the span tells of it
                span.add_event(EVENT_TASK_STATUS_CHANGED, said)
                self._show()

    def _check_open(self) -> None:
        self._check_begun()
        if self.status in END_STATUSES:
            raise TaskStateError(f"task {self.id} has ended: it is {self.status}")

    def _check_begun(self) -> None:
        if self._opened is None:
            raise TaskStateError(f"task {self.id} has not begun")
        if self._is_over:
            raise TaskStateError(f"task {self.id} has ended: it is {self.status}")

    def _warn_of_open_tasks(self) -> None:
        still_open = [task.id for task in known_tasks.open_below(self.id)]
        if still_open:
            logger.warning("task %s ends before what is below it: %s", self.id, ", ".join(still_open[:5]))

    def _note(self, *, is_open: bool) -> None:
        context = None if self._opened is None else self._opened.context
        known_tasks.change(
            KnownTask(
                self.id,
                self.status,
                is_open=is_open,
                span_context=self.span.get_span_context(),
                depends_on=tuple(self._depends_on),
                parent_id=self._parent_id,
                context=context,
                reason=self.reason,
                next_action=self.next_action,
            )
        )

    def _show(self) -> None:
        """Have the span recorded as it is now, so that it is seen while it is open."""
        self._revision += 1
        self.span.set_attribute(REVISION, self._revision)
        record_open_again(self.span)


def _ends_well(error: BaseException) -> bool:
    """Whether the block was only left early: a generator that is closed, an exit with status 0."""
    return isinstance(error, GeneratorExit) or (isinstance(error, SystemExit) and not error.code)


def _id_of(task: object, argument: str) -> str:
    if isinstance(task, TaskSpan):
        return task.id
    if not isinstance(task, str) or not task.strip():
        raise TypeError(f"{argument} takes the id of a task, or what task_span gave, not {task!r}")
    return task


def _ids_of(tasks: Iterable[str | TaskSpan]) -> list[str]:
    if isinstance(tasks, str) or not isinstance(tasks, Iterable):
        raise TypeError(f"depends_on takes a list of tasks, not {tasks!r}")
    return list(dict.fromkeys(_id_of(each, "depends_on") for each in tasks))
