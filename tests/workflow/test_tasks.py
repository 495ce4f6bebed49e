"""TaskBoard: what commands do to tasks, over a store in memory."""

from __future__ import annotations

import re
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, consumes, invariant, multiple, rule

from otel_agenttrace.contract.validate import Contract
from otel_agenttrace.errors import ContractError, TaskNotFoundError, TaskStateError
from otel_agenttrace.model.record import ENDED_BY, REVISION, LinkRecord, ResourceRecord, ScopeRecord
from otel_agenttrace.model.task import Task, may_follow
from otel_agenttrace.stores.memory import MemorySpanStore
from otel_agenttrace.testing.spans import make_span
from otel_agenttrace.workflow.task_book import TaskBook
from otel_agenttrace.workflow.task_drafts import TaskDraft, TaskFacts
from otel_agenttrace.workflow.task_trees import read_tree
from otel_agenttrace.workflow.tasks import TaskBoard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.model.task import TaskStatus

SHA = "sha256:" + "9f" * 32
START = 1_790_000_000_000_000_000
SECOND = 1_000_000_000


class MemoryTasks:
    """Tasks in a store in memory, every version that was written, and those that still wait for the store."""

    resource = ResourceRecord({"service.name": "tests"})
    scope = ScopeRecord("tests")
    project_id = "plan"

    def __init__(self, *, waits: bool = False) -> None:
        self.store = MemorySpanStore()
        self.versions: list[SpanRecord] = []
        self._waits = waits
        self._contract = Contract.load()

    @property
    def book(self) -> TaskBook:
        """The tasks as they stand."""
        return TaskBook(self.store, self.versions if self._waits else ())

    @contextmanager
    def changing(self) -> Iterator[TaskBook]:
        """Nobody else is here."""
        yield self.book

    def write(self, record: SpanRecord) -> SpanRecord:
        """Keep a version; with `waits`, only every other one gets to the store."""
        self.versions.append(record)
        if not self._waits or len(self.versions) % 2:
            self.store.write_spans([record])
        return record

    def check(self, facts: TaskFacts) -> None:
        """By the package's own contract."""
        facts.check(self._contract)


@pytest.fixture(params=[False, True], ids=["stored", "partly waiting"])
def place(request: pytest.FixtureRequest) -> MemoryTasks:
    """An empty place."""
    return MemoryTasks(waits=request.param)


@pytest.fixture
def board(place: MemoryTasks) -> TaskBoard:
    """Its tasks, by a clock that goes on by a second with each call."""
    ticks = count(START, SECOND)
    return TaskBoard(place, clock=lambda: next(ticks))


def test_a_task_is_one_span(board: TaskBoard, place: MemoryTasks) -> None:
    """Each change writes the same span again, a revision on; the start stays, and the end comes with the last."""
    board.start(TaskDraft(id="T", title="Parse", phase="OTHER"))
    board.update("T", TaskFacts(attributes={"quality.gap_count": 3}))
    board.block("T", "stale", "export again")
    board.unblock("T")
    board.comment("T", "on it", "ada")
    task = board.complete("T", TaskFacts(attributes={"output.artifact_count": 2}))

    assert len({record.identity for record in place.versions}) == 1
    assert [record.attributes[REVISION] for record in place.versions] == [1, 2, 3, 4, 5, 6]
    assert [record.end_time_unix_nano for record in place.versions] == [None] * 5 + [START + 5 * SECOND]
    assert (task.record.name, task.record.start_time_unix_nano) == ("T", START)
    assert task.record.attributes == {
        "task.id": "T",
        "task.title": "Parse",
        "task.phase": "OTHER",
        "task.status": "completed",
        "project.id": "plan",
        "quality.gap_count": 3,
        "output.artifact_count": 2,
        "agenttrace.outlives_process": True,
        "agenttrace.revision": 6,
    }
    events = [(event.name, event.attributes.get("task.status")) for event in task.record.events]
    changed = "task.status_changed"
    assert events == [(changed, "blocked"), (changed, "in_progress"), ("task.comment", None), (changed, "completed")]
    assert place.book.get("T").record == task.record


def test_a_child_is_in_its_parents_trace(board: TaskBoard) -> None:
    """The parent's span is its parent, and it has the parent's phase and project unless it has its own."""
    parent = board.start(TaskDraft(id="P", project_id="mine", phase="TEST_VALIDATE"))
    child = board.start(TaskDraft(id="C", parent_id="P"))
    other = board.start(TaskDraft(id="D", parent_id="P", phase="OTHER"))

    assert (child.record.trace_id, child.record.parent_span_id) == (parent.record.trace_id, parent.record.span_id)
    assert (child.parent_id, child.project_id, child.phase) == ("P", "mine", "TEST_VALIDATE")
    assert other.phase == "OTHER"


def test_dependencies_are_links(board: TaskBoard) -> None:
    """To the span of each task, said again or not; an update adds to them."""
    first, second = (board.start(TaskDraft(id=each)) for each in ("A", "B"))
    board.start(TaskDraft(id="C", depends_on=("A", "A")))
    task = board.update("C", TaskFacts(depends_on=("A", "B")))

    assert task.depends_on == ("A", "B")
    assert [(link.trace_id, link.span_id) for link in task.record.links] == [
        (each.record.trace_id, each.record.span_id) for each in (first, second)
    ]
    assert all(isinstance(link, LinkRecord) and link.attributes["task.id"] for link in task.record.links)


def test_a_failed_task_is_an_error_span(board: TaskBoard) -> None:
    """With its reason; a cancelled one is none."""
    board.start(TaskDraft(id="A"))
    board.start(TaskDraft(id="B"))

    failed, cancelled = board.fail("A", "the export is empty"), board.cancel("B", "not needed")

    assert (failed.record.status_code, failed.record.status_message) == ("ERROR", "the export is empty")
    assert (failed.ended_reason, cancelled.ended_reason) == ("the export is empty", "not needed")
    assert cancelled.record.status_code == "UNSET"


def _prepared(board: TaskBoard) -> None:
    board.start(TaskDraft(id="P"))
    board.start(TaskDraft(id="C", parent_id="P"))
    board.start(TaskDraft(id="G", parent_id="C"))
    board.start(TaskDraft(id="W", depends_on=("C",)))
    board.start(TaskDraft(id="N", status="not_started"))
    board.start(TaskDraft(id="B"))
    board.block("B", "stale", "export again", on="P")
    board.start(TaskDraft(id="E"))
    board.complete("E")


NOT_FOUND: dict[str, Callable[[TaskBoard], object]] = {
    "updated": lambda board: board.update("X", TaskFacts(title="x")),
    "blocked": lambda board: board.block("X", "a", "b"),
    "unblocked": lambda board: board.unblock("X"),
    "completed": lambda board: board.complete("X"),
    "failed": lambda board: board.fail("X", "a"),
    "cancelled": lambda board: board.cancel("X"),
    "commented on": lambda board: board.comment("X", "a"),
    "as a parent": lambda board: board.start(TaskDraft(id="Y", parent_id="X")),
    "as a dependency": lambda board: board.start(TaskDraft(id="Y", depends_on=("X",))),
    "as a further dependency": lambda board: board.update("P", TaskFacts(depends_on=("X",))),
    "waited for": lambda board: board.block("P", "a", "b", on="X"),
}


@pytest.mark.parametrize("what", NOT_FOUND)
def test_an_unknown_task_is_an_error(board: TaskBoard, place: MemoryTasks, what: str) -> None:
    """Whatever is done with it; nothing is written."""
    _prepared(board)
    written = len(place.versions)

    with pytest.raises(TaskNotFoundError, match="there is no task X"):
        NOT_FOUND[what](board)

    assert len(place.versions) == written


WRONG: dict[str, tuple[str, Callable[[TaskBoard], object]]] = {
    "started twice": ("P is started already: it is in_progress", lambda board: board.start(TaskDraft(id="P"))),
    "started after its end": ("has ended already: it is completed; --again", lambda b: b.start(TaskDraft(id="E"))),
    "started again while open": ("is started already", lambda board: board.start(TaskDraft(id="P"), again=True)),
    "completed twice": ("E is completed and has ended already", lambda board: board.complete("E")),
    "failed after its end": ("E has ended: it is completed", lambda board: board.fail("E", "a")),
    "updated after its end": ("nothing changes it", lambda board: board.update("E", TaskFacts(title="x"))),
    "commented on after its end": ("nothing changes it", lambda board: board.comment("E", "x")),
    "completed before its children": (r"before 1 task below it: C \(in_progress\)", lambda b: b.complete("P")),
    "completed while blocked": ("stale.: unblock it first", lambda board: board.complete("B")),
    "completed before it began": ("set it in_progress first", lambda board: board.complete("N")),
    "unblocked while in progress": ("P is in_progress, not blocked", lambda board: board.unblock("P")),
    "set back": ("cannot go back", lambda b: b.update("P", TaskFacts(), status="not_started")),
    "blocked without a reason": ("without a reason", lambda board: board.block("P", " ", "b")),
    "blocked without a next action": ("without a reason", lambda board: board.block("P", "a", "")),
    "blocked by itself": ("blocked by itself", lambda board: board.block("P", "a", "b", on="P")),
    "an empty comment": ("says nothing", lambda board: board.comment("P", "  ")),
    "below one that has ended": ("has ended: it is completed", lambda b: b.start(TaskDraft(id="Y", parent_id="E"))),
    "its own parent": ("its own parent", lambda board: board.start(TaskDraft(id="Y", parent_id="Y"))),
    "its own dependency": ("depend on itself", lambda board: board.start(TaskDraft(id="Y", depends_on=("Y",)))),
    "on its parent": (
        "C cannot depend on P, which it is a part of",
        lambda board: board.update("C", TaskFacts(depends_on=("P",))),
    ),
    "on its grandparent": ("which it is a part of", lambda b: b.update("G", TaskFacts(depends_on=("P",)))),
    "in a circle": ("C cannot depend on W: that waits for C", lambda b: b.update("C", TaskFacts(depends_on=("W",)))),
    "in a circle by a child": (
        "G cannot depend on W: that waits for C, which waits for G",
        lambda board: board.update("G", TaskFacts(depends_on=("W",))),
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_a_state_does_not_allow_is_an_error(board: TaskBoard, place: MemoryTasks, what: str) -> None:
    """The error says what is wrong, and nothing is written."""
    message, wrong = WRONG[what]
    _prepared(board)
    written = len(place.versions)

    with pytest.raises(TaskStateError, match=message):
        wrong(board)

    assert len(place.versions) == written


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (TaskFacts(phase="NO_SUCH"), "task.phase"),
        (TaskFacts(attributes={"input.source_checksum": "sha256:12"}), "algo:hex"),
        (TaskFacts(attributes={"quality.gap_count": -1}), "quality.gap_count"),
        (TaskFacts(attributes={"quality.coverage_percent": 101.0}), "quality.coverage_percent"),
        (TaskFacts(attributes={"task.status": "completed"}), "not set as an attribute"),
    ],
)
def test_a_value_that_breaks_the_contract_is_refused(
    board: TaskBoard, place: MemoryTasks, facts: TaskFacts, message: str
) -> None:
    """At the start of a task, later, and at its end."""
    board.start(TaskDraft(id="T"))

    with pytest.raises(ContractError, match=re.escape(message)) as caught:
        board.update("T", facts)
    with pytest.raises(ContractError, match=re.escape(str(caught.value))):
        board.complete("T", facts)

    assert len(place.versions) == 1


def test_a_task_of_a_process_is_left_to_it(board: TaskBoard, place: MemoryTasks) -> None:
    """Commands neither change nor end it, and may start tasks below it."""
    span = make_span(name="T", end_time_unix_nano=None, attributes={"task.id": "T", "task.status": "in_progress"})
    place.store.write_spans([span])

    changes: list[Callable[[], object]] = [
        lambda: board.complete("T"),
        lambda: board.comment("T", "hm"),
        lambda: board.block("T", "a", "b"),
    ]
    for change in changes:
        with pytest.raises(TaskStateError, match="driven by the process that started it"):
            change()
    child = board.start(TaskDraft(id="C", parent_id="T"))

    assert child.record.parent_span_id == span.span_id


def test_a_task_that_a_program_left_blocked_is_not_done(board: TaskBoard, place: MemoryTasks) -> None:
    """Its span has ended, but what is above it waits until a later task of its id is done."""
    parent = board.start(TaskDraft(id="P")).record
    said = {"task.id": "C", "task.parent_id": "P"}
    ids = {"trace_id": parent.trace_id, "parent_span_id": parent.span_id}
    left = make_span(**ids, start_time_unix_nano=START + 1, attributes={**said, "task.status": "blocked"})
    place.store.write_spans([left])

    with pytest.raises(TaskStateError, match=r"before 1 task below it: C \(blocked\)"):
        board.complete("P")
    done = {**said, "task.status": "completed"}
    place.store.write_spans([make_span(**ids, span_id="c" * 16, start_time_unix_nano=START + 2, attributes=done)])

    assert board.complete("P").status == "completed"


def test_an_abandoned_task_may_be_started_again(board: TaskBoard, place: MemoryTasks) -> None:
    """Its process is gone; nothing changes what it left behind, and the new one is another span."""
    attributes = {"task.id": "T", "task.status": "in_progress", ENDED_BY: "spool"}
    place.store.write_spans([make_span(name="T", start_time_unix_nano=1, attributes=attributes)])

    with pytest.raises(TaskStateError, match="T is abandoned"):
        board.complete("T")
    with pytest.raises(TaskStateError, match="it is abandoned; --again"):
        board.start(TaskDraft(id="T"))
    task = board.start(TaskDraft(id="T"), again=True)

    assert place.book.get("T") == task
    assert not task.is_abandoned


def test_a_task_that_was_started_again_has_its_own_children(board: TaskBoard, place: MemoryTasks) -> None:
    """Those of the one before stay with that."""
    board.start(TaskDraft(id="P"))
    board.start(TaskDraft(id="C", parent_id="P"))
    board.fail("P", "no")
    again = board.start(TaskDraft(id="P"), again=True)
    board.start(TaskDraft(id="D", parent_id="P"))

    tree = read_tree(place.book, again)

    assert [child.task.id for child in tree.children] == ["D"]


def test_a_clock_that_jumps_back_ends_no_task_before_its_start(place: MemoryTasks) -> None:
    """It then took no time."""
    times = iter([START, START - 5])
    board = TaskBoard(place, clock=lambda: next(times))
    board.start(TaskDraft(id="T"))

    assert board.complete("T").record.duration_nano == 0


class Tasks(RuleBasedStateMachine):
    """Any sequence of commands: what the board says is what a plain model of the rules says."""

    tasks: Bundle[str] = Bundle("tasks")

    def __init__(self) -> None:
        super().__init__()
        self.place = MemoryTasks(waits=True)
        ticks = count(START)
        self.board = TaskBoard(self.place, clock=lambda: next(ticks))
        self.status: dict[str, TaskStatus] = {}
        self.parents: dict[str, str | None] = {}
        self.numbers = count()

    def _is_open(self, task_id: str) -> bool:
        return self.status[task_id] in ("not_started", "in_progress", "blocked")

    def _go(self, task_id: str, wanted: TaskStatus, change: Callable[[], Task], *, may: bool = True) -> None:
        if may and may_follow(self.status[task_id], wanted):
            assert change().status == wanted
            self.status[task_id] = wanted
            return
        with pytest.raises(TaskStateError):
            change()

    @rule(target=tasks, parent=st.none() | tasks, begins=st.booleans())
    def start(self, parent: str | None, begins: bool) -> str | MultipleResults[str]:
        """Start a task, below another or not."""
        task_id = f"T{next(self.numbers)}"
        draft = TaskDraft(id=task_id, parent_id=parent, status="in_progress" if begins else "not_started")
        if parent is not None and not self._is_open(parent):
            with pytest.raises(TaskStateError):
                self.board.start(draft)
            return multiple()
        self.board.start(draft)
        self.status[task_id], self.parents[task_id] = draft.status, parent
        return task_id

    @rule(task=tasks)
    def begin(self, task: str) -> None:
        """Let one begin that has not; nothing changes for one that has, and one that is blocked goes on."""
        if self.status[task] == "in_progress":
            assert self.board.update(task, TaskFacts(), status="in_progress").status == "in_progress"
        else:
            self._go(task, "in_progress", lambda: self.board.update(task, TaskFacts(), status="in_progress"))

    @rule(task=tasks)
    def block(self, task: str) -> None:
        """Block one."""
        self._go(task, "blocked", lambda: self.board.block(task, "reason", "action"))

    @rule(task=tasks)
    def unblock(self, task: str) -> None:
        """Unblock one."""
        may = self.status[task] == "blocked"
        self._go(task, "in_progress", lambda: self.board.unblock(task), may=may)

    @rule(task=tasks)
    def complete(self, task: str) -> None:
        """Complete one, if nothing below it is open."""
        below = [each for each, parent in self.parents.items() if parent == task and self._is_open(each)]
        self._go(task, "completed", lambda: self.board.complete(task), may=not below)

    @rule(task=tasks)
    def fail(self, task: str) -> None:
        """Fail one."""
        self._go(task, "failed", lambda: self.board.fail(task, "reason"))

    @rule(task=consumes(tasks))
    def cancel(self, task: str) -> None:
        """Cancel one, and forget it."""
        self._go(task, "cancelled", lambda: self.board.cancel(task))

    @invariant()
    def each_task_is_one_span_below_its_parent(self) -> None:
        """Statuses, parents and traces are those of the model, and only what has ended has an end."""
        found = {task.id: task for task in self.place.book.walk()}
        assert {task_id: task.status for task_id, task in found.items()} == self.status
        for task_id, task in found.items():
            parent_id = self.parents[task_id]
            parent = None if parent_id is None else found[parent_id].record
            assert task.record.parent_span_id == (None if parent is None else parent.span_id)
            assert parent is None or task.record.trace_id == parent.trace_id
            assert task.is_open == self._is_open(task_id)
        assert len({record.identity for record in self.place.versions}) == len(self.status)


TestTasks = Tasks.TestCase
TestTasks.settings = settings(max_examples=30, stateful_step_count=20)
