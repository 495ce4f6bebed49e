"""What commands print: lines with colours where they are wanted, JSON in one form, the store they read."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click
import orjson

from otel_agenttrace.views.lines import glyphs_for, render
from otel_agenttrace.views.text import safe_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from otel_agenttrace.stores.trace_store import TraceStore
    from otel_agenttrace.views.lines import Glyphs, Line, Style

_Item = TypeVar("_Item")

_COLOURS: dict[Style, dict[str, Any]] = {
    "heading": {"bold": True},
    "name": {},
    "dim": {"dim": True},
    "ok": {"fg": "green"},
    "error": {"fg": "red", "bold": True},
    "recovered": {"fg": "yellow"},
    "running": {"fg": "cyan"},
    "bar": {"fg": "blue"},
    "user": {"fg": "cyan"},
    "assistant": {"fg": "magenta"},
    "tool": {"fg": "blue"},
}
_MIN_WIDTH, _MAX_WIDTH = 40, 200


def width() -> int:
    """Columns to fill: the terminal's, 80 where there is none; `COLUMNS` wins."""
    return min(max(shutil.get_terminal_size((80, 24)).columns, _MIN_WIDTH), _MAX_WIDTH)


def glyphs() -> Glyphs:
    """The signs that stdout can print."""
    return glyphs_for(sys.stdout.encoding)


def print_lines(lines: Iterable[Line]) -> None:
    """Print what a view returned, with colours on a terminal unless `NO_COLOR` is set (https://no-color.org)."""
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    text = render(lines, paint=_paint if coloured else None, encoding=sys.stdout.encoding or "ascii")
    click.echo(text, nl=False, color=coloured)


def print_json(value: Any) -> None:
    """Print one JSON document, indented."""
    _write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS))


def print_json_line(value: Any) -> None:
    """Print one JSON document on one line, at once: for what runs on."""
    _write(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))
    sys.stdout.flush()


def print_more(last_id: str | None) -> None:
    """Say how a list that was cut goes on."""
    if last_id is not None:
        click.echo(f"more: --after {safe_text(last_id)}", err=True)


def print_nothing(what: str, url: str) -> None:
    """Say that a list is empty, and where it was looked for."""
    click.echo(f"{what} in {safe_text(url)}", err=True)


def progress(items: Sequence[_Item], label: str) -> Iterator[_Item]:
    """Yield the items; a terminal is shown on stderr how far that is."""
    if not sys.stderr.isatty():
        yield from items
        return
    with click.progressbar(items, label=label, file=sys.stderr) as bar:
        yield from bar


@contextmanager
def reading(store_url: str | None) -> Iterator[TraceStore]:
    """The store of a command that only reads; what dead processes left for it is delivered first, for a second."""
    from otel_agenttrace.cli.before_reading import deliver_before_reading  # noqa: PLC0415  `--help` needs no store
    from otel_agenttrace.stores.open import open_store  # noqa: PLC0415  as above

    deliver_before_reading(store_url)
    with open_store(store_url, read_only=True, setting="--store") as store:
        yield store


@contextmanager
def writing(store_url: str | None) -> Iterator[TraceStore]:
    """The store of a command that writes; created when it is not there."""
    from otel_agenttrace.stores.open import open_store  # noqa: PLC0415  as above

    with open_store(store_url, setting="--store") as store:
        yield store


def store_argument(store_url: str | None) -> str:
    """What a command that is printed needs besides, to look into the same store; empty for the default one."""
    return f" --store {shlex.quote(store_url)}" if store_url else ""


def _paint(text: str, style: Style) -> str:
    return click.style(text, **_COLOURS[style]) if style in _COLOURS and text else text


def _write(text: bytes) -> None:
    # JSON is ASCII-safe to read everywhere only as UTF-8, whatever the terminal's encoding.
    sys.stdout.buffer.write(text + b"\n")
