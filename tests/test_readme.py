"""README.md and docs/: what they tell readers to type works, and what they say is there is there."""

from __future__ import annotations

import ast
import os
import re
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

import otel_agenttrace
from otel_agenttrace.cli.main import cli
from otel_agenttrace.config import _SETTINGS
from tests.snippets import LANGUAGES, NOT_RUN, Reader, commands_of, expression_for, find_snippets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.snippets import Command

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SETTINGS = ROOT / "docs" / "settings.md"
GENERATED = ("contract.md", "performance.md")
PAGES = [README, *(page for page in sorted((ROOT / "docs").glob("*.md")) if page.name not in GENERATED)]
NAMES = [page.name for page in PAGES]

# Read once: the environment of a test is cleaned of our settings.
WRITES_PAGES = bool(os.environ.get("AGENTTRACE_WRITE_PAGES"))

_LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_snippet_does_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    """A page's snippets work as they are typed, in its order; `AGENTTRACE_WRITE_PAGES=1` writes what they print."""
    reader = Reader(tmp_path / "ada", writes=WRITES_PAGES)
    text = page.read_text(encoding="utf-8")

    for snippet in find_snippets(page):
        text = text.replace(snippet.text, reader.try_out(snippet), 1)

    if WRITES_PAGES:
        page.write_text(text, encoding="utf-8")
    assert not reader.unused_files


def test_there_are_snippets_to_try() -> None:
    """Snippets are found: the README has commands and programs, and no fence of any page is overlooked."""
    found = {page: find_snippets(page) for page in PAGES}

    assert sum(command.is_run for command in _commands(README)) >= 15
    assert sum(snippet.language == "python" for snippet in found[README]) >= 4
    for page, snippets in found.items():
        assert len(re.findall("^ *```", page.read_text(encoding="utf-8"), re.MULTILINE)) == 2 * len(snippets)
        assert {snippet.language for snippet in snippets} <= set(LANGUAGES), f"{page.name}: a snippet is not tried"


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("booking  timeout", "booking exception"),
        ("2 of 5 traces failed", "3 of 5 traces failed"),
        ("chat 24→43 tok $0.00077", "chat 24→44 tok $0.00077"),
        ("wrote 1 trace", "wrote 1 trace\nand more"),
        ("one\n...\nthree", "one\ntwo"),
        ("ERROR\ndate '15/02/2026' does not m…", "ERROR\ndate '15/02/2026' is wrong…"),
        ("found 01a1f8a7", "found nothing"),
    ],
)
def test_a_stale_output_is_noticed(shown: str, printed: str) -> None:
    """Words, counts and costs that are not those of the page are seen to differ."""
    assert re.fullmatch(expression_for(shown), f"{printed}\n") is None
    assert re.fullmatch(expression_for(printed), f"{printed}\n")


def test_an_output_may_differ_in_what_differs_each_time() -> None:
    """Ids, times, durations, sizes, bars and the widths of columns are not compared."""
    shown = "01a1f8a7…-fc314258  11:11:35  264ms  ██████  38%  248.0 KiB\n...\nlast"
    printed = "01b2f8a7c001…-00314258  01:02:03  1.2s ▏ 4%  1.1 MiB\nsome\nmore\nlast\n"

    assert re.fullmatch(expression_for(shown), printed)


def test_what_is_not_run_is_used() -> None:
    """Each way in which a command may begin that is not run is one that some page needs."""
    typed = [command.typed for command in _all_commands()]

    assert not [beginning for beginning, _ in NOT_RUN if not any(line.startswith(beginning) for line in typed)]


def test_commands_that_are_not_run_could_be() -> None:
    """What a page has installed is an extra of ours, what it has made a target, what it sets a known variable."""
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    extras = "|".join(re.findall(r"^(\w+) = \[\"", _project_table("optional-dependencies"), re.MULTILINE))
    expected = "|".join(
        (
            rf"pip install 'otel-agenttrace\[(?:{extras})\]'|pip install otel-agenttrace",
            rf"make (?:{'|'.join(targets)})",
            "docker compose up --detach",
            r"OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317 python agent\.py",
        )
    )

    for command in _all_commands():
        if not command.is_run:
            assert re.fullmatch(expected, command.typed.partition("    #")[0]), command.typed


def test_extras_that_the_text_names_exist() -> None:
    """What stands between the lines can be installed, too."""
    named = set(re.findall(r"otel-agenttrace\[(\w+)\]", _all_text()))

    assert named
    assert named <= set(re.findall(r"^(\w+) = \[\"", _project_table("optional-dependencies"), re.MULTILINE))


def test_every_command_appears_in_the_readme() -> None:
    """The README lists each command, and no other."""
    text = README.read_text(encoding="utf-8")
    commands = {" ".join(path) for path in _command_paths(cli, ("agenttrace",))}

    assert len(commands) > 15
    assert {command for command in commands if f"`{command}`" not in text} == set()
    assert set(re.findall("`(agenttrace [a-z]+(?: [a-z]+)?)`", text)) - {"agenttrace_jsonl"} <= commands


def test_every_option_that_the_text_names_exists() -> None:
    """An option in the text of the README or the page about commands is one of some command."""
    known = {"--help", "--version", "--detach"}
    for path in _command_paths(cli, ()):
        known.update(option for parameter in _command(path).params for option in parameter.opts)

    text = README.read_text(encoding="utf-8") + (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)) <= known


def test_the_settings_page_says_what_the_code_does() -> None:
    """Each argument of configure_tracing has a row with its variables, in their order, and its default."""
    rows = {row[0]: row for row in _rows(SETTINGS) if row[0] in signature(otel_agenttrace.configure_tracing).parameters}

    assert set(rows) == {setting.name for setting in _SETTINGS}
    assert set(rows) == set(signature(otel_agenttrace.configure_tracing).parameters)
    for setting in _SETTINGS:
        _, variables, default, _ = rows[setting.name]
        # The first one of service_name is read by the SDK.
        assert tuple(variables.split(", "))[-len(setting.variables) :] == setting.variables
        assert default == {True: "on", None: "-"}.get(setting.default, str(setting.default))


def test_every_variable_of_the_code_is_documented() -> None:
    """The settings page has each environment variable that the package reads, and none of ours that it does not."""
    documented = set(re.findall(r"`([A-Z][A-Z0-9_]+)[`=]", SETTINGS.read_text(encoding="utf-8")))
    used = set(_variables_of_the_code())

    assert used - documented == set()
    assert set(re.findall("AGENTTRACE_[A-Z_]*[A-Z]", _all_text())) - used == set()


def test_every_public_name_is_documented() -> None:
    """README and docs have each name that the package offers."""
    text = _all_text()

    assert [name for name in otel_agenttrace.__all__ if not re.search(rf"\b{name}\b", text)] == []


@pytest.mark.parametrize("page", [*PAGES, *sorted((ROOT / "docs" / "decisions").glob("*.md"))], ids=lambda p: p.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """A link within the project is to a file that is there, or to a heading of the page."""
    text = page.read_text(encoding="utf-8")
    titles = re.findall("^#+ (.*)$", text, re.MULTILINE)
    headings = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}

    for target, heading in _LINK.findall(text):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
        assert target or heading in headings, f"{page.name} has no heading {heading}"


def test_the_decisions_are_listed() -> None:
    """The index of decisions has each of them."""
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"\]\(([\w-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8"))

    assert listed == sorted(path.name for path in folder.glob("0*.md"))


def _commands(page: Path) -> Iterator[Command]:
    for snippet in find_snippets(page):
        if snippet.language == "console":
            yield from commands_of(snippet)


def _all_commands() -> list[Command]:
    return [command for page in PAGES for command in _commands(page)]


def _all_text() -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def _project_table(name: str) -> str:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return text.partition(f"[project.{name}]\n")[2].partition("\n[")[0]


def _command(path: tuple[str, ...]) -> click.Command:
    command: click.Command = cli
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    return command


def _command_paths(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        yield path
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from _command_paths(below, (*path, name))


def _rows(page: Path) -> Iterator[list[str]]:
    """The rows of a page's tables, cells without backticks."""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("|"):
            yield [cell.strip().replace("`", "") for cell in line.strip("|").split(" | ")]


def _variables_of_the_code() -> Iterator[str]:
    """Names of environment variables: texts of their form in the package's code."""
    for path in (ROOT / "otel_agenttrace").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and re.fullmatch(
                "(?:AGENTTRACE|OTEL|APPLICATIONINSIGHTS|NO_COLOR)[A-Z0-9_]*", text
            ):
                yield text
