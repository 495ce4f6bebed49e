"""The snippets of the documentation: found in its pages, tried as a reader would, compared with what the pages show.

A page is one story, told in one folder: what a snippet leaves behind is there for the next. A `python` or `yaml`
snippet that begins with a comment of a file name, such as `# agent.py`, is that file; any other `python` snippet is run
as it is. A `console` snippet holds commands behind `$ ` and what they print. There, a line `...` stands for any lines.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

LANGUAGES = ("console", "python", "yaml")

NOT_RUN = (
    ("pip install ", "a test installs nothing"),
    ("make ", "it would run these tests, or make another environment"),
    ("docker compose ", "it needs Docker, and images from the network"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT=", "it needs a Collector that listens"),
)
"""How the commands begin that no test can run, and why. They show no output, for nobody would notice it going stale."""

_FENCE = re.compile(r"^```(?P<language>\S*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE_NAME = re.compile(r"# ([\w.-]+\.\w+)\n")
_TIMEOUT_S = 120
_SHOWN_HOME = "/home/ada"

_ID = (
    "(?:[0-9a-f]{8,32}…-[0-9a-f]{8,16}"  # of a failure, as tables show it
    "|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|\b[0-9a-f]{32}-[0-9a-f]{16}\b"
    r"|\b[0-9a-f]{8,32}\b)"
)
_VARYING = {
    "date": r"\d{4}-\d\d-\d\d|STARTED",
    "time": r"(?:\d\d-\d\d )?\d\d:\d\d(?::\d\d)?(?:\.\d+)?",
    "duration": r"<?\d+(?:\.\d+)? ?(?:ms|s\b|m\d\ds)",
    "share": r"\b\d+%",
    "size": r"\b\d+(?:\.\d)? (?:[KMG]i)?B\b",
    "version": r"\b\d+\.\d+\.\d+\w*",
    "bar": "[█▏]+",
    "libraries": r"\((?:[a-z0-9_, ]+; )?content",
}
"""What is different each time, or on each machine; costs and counts are not, as the demo's model is a script."""

_TOKEN = re.compile("|".join(f"(?P<{kind}>{form})" for kind, form in {"id": _ID, **_VARYING}.items()))
_CUT_LEEWAY = 6


@dataclass(frozen=True)
class Snippet:
    """A fenced block of a page; `line` is that of its first line of text."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def file_name(self) -> str | None:
        """The file that it is, if it says so."""
        match = _FILE_NAME.match(self.text)
        return match[1] if match else None


@dataclass(frozen=True)
class Command:
    """A line that readers type, and what the page shows below it."""

    line: int
    typed: str
    shown: str

    @property
    def is_run(self) -> bool:
        """Whether tests run it."""
        return not self.typed.startswith(tuple(beginning for beginning, _ in NOT_RUN))


def find_snippets(page: Path) -> list[Snippet]:
    """All fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return [
        Snippet(page, text.count("\n", 0, match.start("text")) + 1, match["language"], match["text"])
        for match in _FENCE.finditer(text)
    ]


def commands_of(snippet: Snippet) -> Iterator[Command]:
    """The commands of a console snippet."""
    typed, shown, first = "", [], snippet.line
    for number, line in enumerate([*snippet.text.splitlines(), "$ "], start=snippet.line):
        if not line.startswith("$ "):
            shown.append(line)
            continue
        if typed:
            yield Command(first, typed, "\n".join(shown))
        assert typed or not shown, f"{snippet.page.name}:{snippet.line}: output before the first command"
        typed, shown, first = line[2:], [], number


class Reader:
    """Tries the snippets of one page, in order.

    Args:
        home: the reader's home, empty as yet.
        writes: put what is printed into the page where it shows something else, instead of raising.
    """

    def __init__(self, home: Path, *, writes: bool = False) -> None:
        self._home = home.resolve()
        self._folder = self._home / "agents"
        self._folder.mkdir(parents=True)
        self._writes = writes
        self._real_ids: dict[str, str] = {}
        self._files: dict[str, str] = {}

    @property
    def unused_files(self) -> list[str]:
        """The files of the page that no command has named yet."""
        return list(self._files.values())

    def try_out(self, snippet: Snippet) -> str:
        """Do what a snippet says, and return its text: the same, unless this reader writes.

        Raises:
            AssertionError: it does not work, or does not do what the page shows.
        """
        if snippet.language == "console":
            return "".join(self._try_command(snippet.page, command) for command in commands_of(snippet))
        if snippet.file_name is not None:
            self._files[snippet.file_name] = f"{snippet.page.name}:{snippet.line} {snippet.file_name}"
            (self._folder / snippet.file_name).write_text(snippet.text, encoding="utf-8")
        elif snippet.language == "python":
            self._run_python(snippet)
        if snippet.language == "yaml":
            yaml.safe_load(snippet.text)
        return snippet.text

    def _run_python(self, snippet: Snippet) -> None:
        ended = self._run([sys.executable, "-c", snippet.text])
        place = f"{snippet.page.name}:{snippet.line}"
        assert ended.returncode == 0, f"{place} failed:\n{ended.stdout}"
        # A warning, or a span that was lost, would go unnoticed in a snippet that shows no output.
        odd = [line for line in ended.stdout.splitlines() if not re.match(r"agenttrace: .* (->|traces?\b)", line)]
        assert not odd, f"{place} printed:\n{ended.stdout}"

    def _try_command(self, page: Path, command: Command) -> str:
        place = f"{page.name}:{command.line}: {command.typed}"
        if not command.is_run:
            assert not command.shown, f"{place} is not run, so it must not show what it prints"
            return f"$ {command.typed}\n"
        for name in [name for name in self._files if name in command.typed]:
            del self._files[name]
        ended = self._run(self._with_real_ids(command.typed))
        printed = _trimmed(ended.stdout.replace(str(self._home), _SHOWN_HOME))
        is_crash = "Traceback (most recent call last)" in command.shown or command.shown.endswith("Killed")
        assert is_crash or ended.returncode == 0, f"{place} ended with {ended.returncode}:\n{printed}"
        shown = command.shown
        if not self._learn(shown, printed):
            assert self._writes, f"{place} printed:\n{printed}\nand the page shows:\n{shown}"
            shown = self._with_shown_ids(printed)
        return f"$ {command.typed}\n{shown}\n" if shown else f"$ {command.typed}\n"

    def _run(self, command: str | list[str]) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "HOME": str(self._home),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "COLUMNS": "80",
            "PYTHONUNBUFFERED": "1",  # as on a terminal: what is printed comes in its order
            "PYTHONIOENCODING": "utf-8",
        }
        return subprocess.run(
            command,
            shell=isinstance(command, str),
            cwd=self._folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=_TIMEOUT_S,
            check=False,
        )

    def _learn(self, shown: str, printed: str) -> bool:
        """Whether a text shows what was printed; then note which ids stand for which."""
        match = re.fullmatch(expression_for(shown), "".join(f"{line}\n" for line in printed.splitlines()))
        if match is None:
            return False
        shown_ids = [found[0] for found in _TOKEN.finditer(shown) if found["id"]]
        pairs = [pair for ids in zip(shown_ids, match.groups(), strict=True) for pair in _with_trace_ids(*ids)]
        if any(self._real_ids.get(id_, real) != real for id_, real in pairs):
            return False
        self._real_ids.update(pairs)
        return True

    def _with_real_ids(self, typed: str) -> str:
        return re.sub(_ID, partial(self._real_id, typed), typed)

    def _real_id(self, typed: str, match: re.Match[str]) -> str:
        assert match[0] in self._real_ids, f"{typed}: nothing above shows the id {match[0]}"
        return self._real_ids[match[0]]

    def _with_shown_ids(self, printed: str) -> str:
        shown_ids = {real: id_ for id_, real in self._real_ids.items()}
        return re.sub(_ID, lambda match: shown_ids.get(match[0], match[0]), printed)


def _with_trace_ids(shown: str, real: str) -> list[tuple[str, str]]:
    """Two ids that stand for each other, and the trace ids in them if they are ids of failures."""
    parts = [re.split("…?-", id_) for id_ in (shown, real)]
    return [(shown, real), *(zip(*parts, strict=True) if len(parts[0]) == 2 else ())]


def expression_for(shown: str) -> str:
    """A regular expression for what a page shows, with a group for each id in it."""
    return "".join(map(_line_expression, shown.splitlines()))


def _line_expression(line: str) -> str:
    if line.strip() == "...":
        return r"(?:.*\n)*?"
    # Where a sentence is wrapped depends on the ids and durations in it.
    line, rest = line.lstrip(), r"\s+"
    if line.endswith("…"):
        # How much of a text there is room for depends on the ids and durations before it.
        line, rest = line[:-_CUT_LEEWAY], r".*\n"
    expression, end = r"\s*", 0
    for token in _TOKEN.finditer(line):
        form = f"({_ID})" if token["id"] else f"(?:{_VARYING[str(token.lastgroup)]})"
        expression += _literal(line[end : token.start()]) + form
        end = token.end()
    return expression + _literal(line[end:]) + rest


def _literal(text: str) -> str:
    """The text itself, with any white space where it has some: columns are as wide as what stands in them."""
    return re.sub(r"(?:\\ )+", r"\\s+", re.escape(text))


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines())
