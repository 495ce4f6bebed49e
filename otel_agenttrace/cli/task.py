"""`agenttrace task`: work that is driven from outside, by one command after the other."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from otel_agenttrace.cli.before_reading import deliver_before_reading
from otel_agenttrace.cli.options import Moment, json_option, store_option
from otel_agenttrace.cli.output import glyphs, print_json, print_lines, print_more, print_nothing, width
from otel_agenttrace.cli.task_options import (
    attributes_of,
    chosen_id,
    fact_options,
    facts_of,
    measure_options,
    status_option,
    task_id_option,
)
from otel_agenttrace.driving import driven_tasks, task_book
from otel_agenttrace.errors import ContractError, TaskNotFoundError
from otel_agenttrace.model.task import TASK_STATUSES
from otel_agenttrace.views.task import format_task, format_task_list, task_line
from otel_agenttrace.views.task_shapes import task_shape, task_tree_shape
from otel_agenttrace.workflow.task_drafts import TaskDraft, TaskFacts
from otel_agenttrace.workflow.task_trees import read_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_agenttrace.model.task import OpenStatus, Task
    from otel_agenttrace.workflow.tasks import TaskBoard

_STANDINGS = (*TASK_STATUSES, "abandoned")


@click.group()
def task() -> None:
    """Drive tasks: each is one span, written by several commands."""


@task.command(short_help="Start a task.")
@task_id_option
@click.option("--parent", "parent_id", metavar="TASK_ID", help="The task that it is a part of.")
@click.option("--project", "project_id", help="Its project. [AGENTTRACE_PROJECT]")
@status_option("in_progress", "not_started or in_progress.")
@click.option("--again", is_flag=True, help="Even if a task of this id has ended.")
@fact_options
@store_option
@json_option
def start(
    *,
    argument_id: str | None,
    option_id: str | None,
    parent_id: str | None,
    project_id: str | None,
    status: OpenStatus,
    again: bool,
    store_url: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Start a task, which stays open until a command ends it."""
    facts = facts_of(given)
    draft = TaskDraft(
        id=chosen_id(argument_id, option_id),
        parent_id=parent_id,
        project_id=project_id,
        status=status,
        title=facts.title,
        type=facts.type,
        phase=facts.phase,
        acceptance=facts.acceptance,
        depends_on=facts.depends_on,
        attributes=facts.attributes,
    )
    _change(store_url, lambda board: board.start(draft, again=again), as_json=as_json)


@task.command(short_help="Say more of a task.")
@task_id_option
@status_option(None, "not_started or in_progress; the others have commands.")
@fact_options
@store_option
@json_option
def update(
    *,
    argument_id: str | None,
    option_id: str | None,
    status: OpenStatus | None,
    store_url: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Say more of a task: checksums, counts, another title; what it depends on besides."""
    task_id, facts = chosen_id(argument_id, option_id), facts_of(given)
    if status is None and not facts.span_attributes and not facts.depends_on:
        raise click.UsageError("nothing is said of the task: see --help")
    _change(store_url, lambda board: board.update(task_id, facts, status=status), as_json=as_json)


@task.command(short_help="A task cannot go on.")
@task_id_option
@click.option("--reason", required=True, help="Why.")
@click.option("--next-action", required=True, help="What unblocks it.")
@click.option("--on", metavar="TASK_ID", help="The task, or the span of 16 hex digits, that it waits for.")
@store_option
@json_option
def block(
    *,
    argument_id: str | None,
    option_id: str | None,
    reason: str,
    next_action: str,
    on: str | None,
    store_url: str | None,
    as_json: bool,
) -> None:
    """Say that a task cannot go on, why, and what unblocks it."""
    task_id = chosen_id(argument_id, option_id)
    if not reason.strip() or not next_action.strip():
        raise click.UsageError("a blocked task has a reason and a next action: neither may be empty")
    _change(store_url, lambda board: board.block(task_id, reason, next_action, on=on), as_json=as_json)


@task.command(short_help="A blocked task goes on.")
@task_id_option
@store_option
@json_option
def unblock(*, argument_id: str | None, option_id: str | None, store_url: str | None, as_json: bool) -> None:
    """Say that a blocked task goes on."""
    task_id = chosen_id(argument_id, option_id)
    _change(store_url, lambda board: board.unblock(task_id), as_json=as_json)


@task.command(short_help="A task is done.")
@task_id_option
@measure_options
@store_option
@json_option
def complete(
    *, argument_id: str | None, option_id: str | None, store_url: str | None, as_json: bool, **given: Any
) -> None:
    """End a task that is done; the tasks below it must have ended before."""
    task_id, facts = chosen_id(argument_id, option_id), TaskFacts(attributes=attributes_of(given))
    _change(store_url, lambda board: board.complete(task_id, facts), as_json=as_json)


@task.command(short_help="A task is given up after an error.")
@task_id_option
@click.option("--reason", required=True, help="What went wrong.")
@measure_options
@store_option
@json_option
def fail(
    *, argument_id: str | None, option_id: str | None, reason: str, store_url: str | None, as_json: bool, **given: Any
) -> None:
    """End a task that went wrong; the tasks below it stay as they are."""
    task_id, facts = chosen_id(argument_id, option_id), TaskFacts(attributes=attributes_of(given))
    _change(store_url, lambda board: board.fail(task_id, reason, facts), as_json=as_json)


@task.command(short_help="A task is given up on purpose.")
@task_id_option
@click.option("--reason", default="", help="Why.")
@measure_options
@store_option
@json_option
def cancel(
    *, argument_id: str | None, option_id: str | None, reason: str, store_url: str | None, as_json: bool, **given: Any
) -> None:
    """End a task that is not wanted any more; the tasks below it stay as they are."""
    task_id, facts = chosen_id(argument_id, option_id), TaskFacts(attributes=attributes_of(given))
    _change(store_url, lambda board: board.cancel(task_id, reason, facts), as_json=as_json)


@task.command(short_help="Say something of a task.")
@task_id_option
@click.option("--text", required=True, help="What is to be said.")
@click.option("--author", default="", help="Who says it.")
@store_option
@json_option
def comment(
    *, argument_id: str | None, option_id: str | None, text: str, author: str, store_url: str | None, as_json: bool
) -> None:
    """Say something of a task, as an event of its span."""
    task_id = chosen_id(argument_id, option_id)
    if not text.strip():
        raise click.UsageError("--text is empty")
    _change(store_url, lambda board: board.comment(task_id, text, author), as_json=as_json)


@task.command("list", short_help="List tasks.")
@click.option("--status", type=click.Choice(_STANDINGS), help="Only tasks that stand there.")
@click.option("--phase", help="Only of this phase.")
@click.option("--project", help="Only of this project.")
@click.option("--parent", metavar="TASK_ID", help="Only those right below this one.")
@click.option("--since", type=Moment(), help="Only what started at or after: 15m, 2h, 3d or a date.")
@click.option("--until", type=Moment(), help="Only what started before.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many.")
@click.option("--after", metavar="TASK_ID", help="Continue a list behind this task.")
@store_option
@json_option
def list_(
    *,
    status: str | None,
    phase: str | None,
    project: str | None,
    parent: str | None,
    since: int | None,
    until: int | None,
    limit: int,
    after: str | None,
    store_url: str | None,
    as_json: bool,
) -> None:
    """List tasks, the one started last first."""
    wanted = (("standing", status), ("phase", phase), ("project_id", project), ("parent_id", parent))
    deliver_before_reading(store_url)
    with task_book(store_url) as book:
        tasks = (
            each
            for each in _behind(book.walk(since=since, until=until), after)
            if all(value is None or getattr(each, name) == value for name, value in wanted)
        )
        found = list(islice(tasks, limit))
        url = book.url
    if as_json:
        print_json([task_shape(each) for each in found])
        return
    if not found:
        print_nothing("no task", url)
        return
    print_lines(format_task_list(found, width=width(), glyphs=glyphs()))
    print_more(found[-1].id if len(found) == limit else None)


@task.command(short_help="Show one task, and those below it.")
@task_id_option
@store_option
@json_option
def show(*, argument_id: str | None, option_id: str | None, store_url: str | None, as_json: bool) -> None:
    """Show one task: where it stands, what is said of it, and the tasks below it as a tree."""
    deliver_before_reading(store_url)
    with task_book(store_url) as book:
        tree = read_tree(book, book.get(chosen_id(argument_id, option_id)))
    if as_json:
        print_json(task_tree_shape(tree))
        return
    print_lines(format_task(tree, width=width(), glyphs=glyphs()))


def _change(store_url: str | None, change: Callable[[TaskBoard], Task], *, as_json: bool) -> None:
    deliver_before_reading(store_url)  # so that tasks of processes that are gone do not count as open
    with _usage_errors(), driven_tasks(store_url) as (board, place):
        changed = change(board)
    if as_json:
        print_json(task_shape(changed))
    else:
        print_lines([task_line(changed, width=width(), glyphs=glyphs())])
    if place.is_waiting:
        click.echo("agenttrace: recorded, but not stored yet: the store is locked or away, and gets it later", err=True)


@contextmanager
def _usage_errors() -> Iterator[None]:
    """A value that breaks the contract is a wrong option here."""
    try:
        yield
    except ContractError as error:
        raise click.UsageError(str(error)) from error


def _behind(tasks: Iterator[Task], after: str | None) -> Iterator[Task]:
    if after is None:
        yield from tasks
        return
    is_behind = False
    for each in tasks:
        if is_behind:
            yield each
        is_behind = is_behind or each.id == after
    if not is_behind:
        raise TaskNotFoundError(f"there is no task {after} in the list")
