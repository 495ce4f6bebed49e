"""Options of the `agenttrace task` commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import click
import orjson

from otel_agenttrace.contract.attributes import (
    INPUT_ARTIFACT_MANIFEST_CHECKSUM,
    INPUT_PROJECT_CONTEXT_CHECKSUM,
    INPUT_SOURCE_CHECKSUM,
    OUTPUT_ARTIFACT_CHECKSUMS,
    OUTPUT_ARTIFACT_COUNT,
    OUTPUT_FINALIZE_STATUS,
    OUTPUT_PATH_COUNT,
    QUALITY_COVERAGE_PERCENT,
    QUALITY_FEATURE_COUNT,
    QUALITY_GAP_COUNT,
    ROUTING_COMPLEXITY_SCORE,
    ROUTING_SELECTED_PATH,
)
from otel_agenttrace.workflow.task_drafts import TaskFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_agenttrace.model.record import Attributes

    _F = TypeVar("_F", bound=Callable[..., Any])

_OPEN_STATUSES = ("not_started", "in_progress")
_COMMANDS = {"blocked": "block", "completed": "complete", "failed": "fail", "cancelled": "cancel"}

_MEASURES: Mapping[str, tuple[str, Any, str]] = {
    "source_checksum": (INPUT_SOURCE_CHECKSUM, str, "Of the source that it works from: sha256:HEX."),
    "artifact_manifest_checksum": (INPUT_ARTIFACT_MANIFEST_CHECKSUM, str, "Of the artifact manifest."),
    "project_context_checksum": (INPUT_PROJECT_CONTEXT_CHECKSUM, str, "Of the project context."),
    "coverage_percent": (QUALITY_COVERAGE_PERCENT, float, "How much is covered, 0 to 100."),
    "gap_count": (QUALITY_GAP_COUNT, int, "Gaps that are known."),
    "feature_count": (QUALITY_FEATURE_COUNT, int, "Features planned or made."),
    "complexity_score": (ROUTING_COMPLEXITY_SCORE, float, "How hard the work looks, 0 to 100."),
    "selected_path": (ROUTING_SELECTED_PATH, str, "The path that the work takes: prime, artisan."),
    "path_count": (OUTPUT_PATH_COUNT, int, "Paths written."),
    "artifact_count": (OUTPUT_ARTIFACT_COUNT, int, "Artifacts made."),
    "finalize_status": (OUTPUT_FINALIZE_STATUS, str, "What was made of it all: complete, partial, failed."),
}
_CHECKSUMS = "artifact_checksum"


class _OpenStatus(click.ParamType[str]):
    """A status that a task may be given without a command of its own."""

    name = "status"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse the others, and say how they are set."""
        if value in _COMMANDS:
            self.fail(f"{value} is set by `agenttrace task {_COMMANDS[value]}`", param, ctx)
        if value not in _OPEN_STATUSES:
            self.fail(f"{value!r} is none of {', '.join(_OPEN_STATUSES)}", param, ctx)
        return str(value)


class _Pair(click.ParamType[tuple[str, Any]]):
    """An attribute: NAME=VALUE; a value that is a JSON number, boolean or list of texts is one."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        """Split it at the first `=`."""
        if isinstance(value, tuple):
            return value
        name, equals, text = value.partition("=")
        if not equals or not name.strip():
            self.fail(f"{value!r} is not NAME=VALUE", param, ctx)
        return name.strip(), _value(text)


class TaskFactOptions(TypedDict):
    """What `fact_options` gives a command."""

    title: str | None
    task_type: str | None
    phase: str | None
    acceptance: str | None
    depends_on: tuple[str, ...]
    attributes: tuple[tuple[str, Any], ...]


def task_id_option(function: _F) -> _F:
    """Add `--id`, which may also stand alone as an argument; the command gets `task_id`."""
    function = click.option("--id", "option_id", metavar="TASK_ID", help="The task.")(function)
    return click.argument("argument_id", metavar="[TASK_ID]", required=False)(function)


def chosen_id(argument_id: str | None, option_id: str | None) -> str:
    """The one id that was given.

    Raises:
        click.UsageError: none was, or two.
    """
    given = {each for each in (argument_id, option_id) if each is not None}
    if len(given) > 1:
        raise click.UsageError("two tasks are named: give one id")
    chosen = next(iter(given), "").strip()
    if not chosen:
        raise click.UsageError("no task is named: give its id, as --id TASK_ID")
    return chosen


def status_option(default: str | None, text: str) -> Callable[[_F], _F]:
    """Add `--status`, for those that need no command of their own."""
    return click.option("--status", type=_OpenStatus(), default=default, show_default=default is not None, help=text)


def fact_options(function: _F) -> _F:
    """Add what may be said of a task at its start and later."""
    function = measure_options(function)
    options = (
        click.option("--title", help="The task in a few words."),
        click.option("--type", "task_type", metavar="TYPE", help="story, task, subtask, gate."),
        click.option("--phase", help="The phase of the pipeline, as `agenttrace contract show` lists them."),
        click.option("--acceptance", help="What must hold for it to be done."),
        click.option("--depends-on", multiple=True, metavar="TASK_ID", help="Waits for this one; may be repeated."),
    )
    for option in options[::-1]:
        function = option(function)
    return function


def measure_options(function: _F) -> _F:
    """Add checksums, metrics and other attributes."""
    function = click.option(
        "--attr", "attributes", type=_Pair(), multiple=True, help="Another attribute; may be repeated."
    )(function)
    text = "Of an artifact that was made; may be repeated."
    function = click.option(f"--{_dashed(_CHECKSUMS)}", _CHECKSUMS, multiple=True, help=text)(function)
    for name, (_, type_, said) in reversed(tuple(_MEASURES.items())):
        function = click.option(f"--{_dashed(name)}", name, type=type_, help=said)(function)
    return function


def facts_of(given: Mapping[str, Any]) -> TaskFacts:
    """What the options of `fact_options` or `measure_options` say."""
    return TaskFacts(
        title=given.get("title"),
        type=given.get("task_type"),
        phase=given.get("phase"),
        acceptance=given.get("acceptance"),
        depends_on=tuple(given.get("depends_on", ())),
        attributes=attributes_of(given),
    )


def attributes_of(given: Mapping[str, Any]) -> Attributes:
    """The attributes among them."""
    found: Attributes = dict(given.get("attributes", ()))
    for name, (attribute, _, _) in _MEASURES.items():
        if given.get(name) is not None:
            found[str(attribute)] = given[name]
    if given.get(_CHECKSUMS):
        found[str(OUTPUT_ARTIFACT_CHECKSUMS)] = list(given[_CHECKSUMS])
    return found


def _value(text: str) -> Any:
    try:
        value = orjson.loads(text)
    except ValueError:
        return text
    is_texts = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return value if isinstance(value, (bool, int, float)) or is_texts else text


def _dashed(name: str) -> str:
    return name.replace("_", "-")
