"""Lines of text with named styles: what every terminal view returns.

Views are pure: they say *what* a piece of text is (an error, a heading), the caller decides whether that has a colour.
A `Segment` makes its text safe when it is made, so no view can put raw recorded text into a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from otel_agenttrace.views.text import cell_width, cut, pad, safe_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Style: TypeAlias = Literal[
    "", "heading", "name", "dim", "ok", "error", "recovered", "running", "bar", "user", "assistant", "tool"
]


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a line. `text` is made safe for terminals on creation, see `safe_text`."""

    text: str
    style: Style = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", safe_text(self.text))


Line: TypeAlias = "tuple[Segment, ...]"


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The signs that views draw with."""

    branch: str
    last: str
    pipe: str
    cross: str
    recovered: str
    running: str
    dot: str
    ellipsis: str
    bar: str
    tick: str
    arrow: str
    reply: str


UNICODE = Glyphs(
    branch="├─ ", last="└─ ", pipe="│  ", cross="✗", recovered="↻", running="▸", dot="·", ellipsis="…",
    bar="█", tick="▏", arrow="→", reply="←",
)  # fmt: skip
ASCII = Glyphs(
    branch="|- ", last="`- ", pipe="|  ", cross="x", recovered="~", running=">", dot="-", ellipsis="...",
    bar="#", tick="|", arrow="->", reply="<-",
)  # fmt: skip


def glyphs_for(encoding: str | None) -> Glyphs:
    """Return UNICODE if text in `encoding` (of stdout; None for unknown) can say all its signs, else ASCII."""
    signs = "".join(getattr(UNICODE, name) for name in Glyphs.__slots__)
    try:
        signs.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


def plain(line: Line) -> str:
    """Return a line without its styles."""
    return "".join(segment.text for segment in line).rstrip()


def render(lines: Iterable[Line], *, paint: Callable[[str, Style], str] | None = None, encoding: str = "utf-8") -> str:
    r"""Return lines as text, each ended by a newline.

    Args:
        lines: what a view returned.
        paint: gives a piece of text the colour of its style; None for no colours.
        encoding: what the output is encoded in; a character that it cannot say is written as `\xe9` or `\u2014`.
    """
    return "".join(_render_line(line, paint, encoding) + "\n" for line in lines)


def line_width(line: Line) -> int:
    """Return how many terminal columns a line takes."""
    return sum(cell_width(segment.text) for segment in line)


def cut_line(line: Line, width: int, glyphs: Glyphs) -> Line:
    """Return a line cut to at most `width` columns."""
    if line_width(line) <= width:
        return line
    kept: list[Segment] = []
    room = width
    for segment in line:
        taken = cell_width(segment.text)
        if taken >= room:
            kept.append(Segment(cut(segment.text + " ", room, glyphs.ellipsis), segment.style))
            break
        kept.append(segment)
        room -= taken
    return tuple(kept)


def cell(text: str, width: int, style: Style = "", *, right: bool = False, glyphs: Glyphs = UNICODE) -> Segment:
    """Return a text of exactly `width` columns, cut or filled up."""
    return Segment(pad(cut(safe_text(text), width, glyphs.ellipsis), width, right=right), style)


def _render_line(line: Line, paint: Callable[[str, Style], str] | None, encoding: str) -> str:
    if paint is None:
        return _say(plain(line), encoding)
    return "".join(paint(_say(segment.text, encoding), segment.style) for segment in line)


def _say(text: str, encoding: str) -> str:
    return text.encode(encoding, "backslashreplace").decode(encoding)
