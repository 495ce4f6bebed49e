"""The conversations of a trace as lines, like a chat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_agenttrace.pipeline.messages import MediaPart, ReasoningPart, TextPart
from otel_agenttrace.views.conversation import find_conversations
from otel_agenttrace.views.lines import UNICODE, Glyphs, Line, Segment, Style, cut_line
from otel_agenttrace.views.rows import rows_of
from otel_agenttrace.views.text import MOST_COUNTED, cell_width, compact_text, one_line, safe_text, wrap, wrap_counted
from otel_agenttrace.views.tool_uses import ToolUse
from otel_agenttrace.views.units import counted, format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_agenttrace.stores.api import StoredTrace
    from otel_agenttrace.views.conversation import Conversation, Piece, Utterance
    from otel_agenttrace.views.rows import Row, TraceRows

_ROLE_WIDTH = 11
_MIN_ROOM = 16
_ALL = 1_000_000
_MAX_CONVERSATIONS = 10
_MAX_FIRST, _MAX_LAST = 8, 16
"""Utterances of a long conversation that are shown, of its beginning and its end."""

_MOST_LINES = {"system": 2, "reasoning": 2, "call": 2, "result": 3}
_MOST_ERROR_LINES = 2
_MOST_TEXT_LINES = 8

_STYLES: dict[str, Style] = {"system": "dim", "user": "user", "assistant": "assistant", "tool": "tool"}
_NORMAL_ENDS = frozenset(
    ("", "stop", "end", "end_turn", "eos", "completed", "complete", "done", "finished", "success", "stop_sequence",
     "tool_call", "tool_calls", "tool_use", "function_call", "finish_reason_stop")
)  # fmt: skip


def format_chat(
    trace: StoredTrace | TraceRows, *, width: int = 80, glyphs: Glyphs = UNICODE, full: bool = False
) -> list[Line]:
    """Return what was said in a trace, message by message; no lines if the trace tells of no agent and no model.

    A call of a tool stands with its arguments, how long it took, and below it what came back. Several conversations
    have headings. No line is wider than `width` columns.

    Args:
        trace: the trace, or its rows.
        width: terminal columns.
        glyphs: the signs to draw with.
        full: all of it. Otherwise long messages and long conversations are cut, and say what was left out.
    """
    rows = rows_of(trace)
    conversations = [each for each in find_conversations(rows) if any(map(_tells, each.utterances))]
    if not conversations:
        is_silent = any(row.said.operation for row in rows.rows)
        return [(Segment("no content was recorded", "dim"),)] if is_silent else []
    chat = _Chat(width, glyphs, full)
    return [cut_line(line, width, glyphs) for line in chat.lines(conversations)]


@dataclass(slots=True)
class _Chat:
    width: int
    glyphs: Glyphs
    full: bool
    is_cut: bool = False

    def lines(self, conversations: Sequence[Conversation]) -> Iterator[Line]:
        shown = conversations if self.full else conversations[:_MAX_CONVERSATIONS]
        for number, conversation in enumerate(shown):
            if number:
                yield ()
            if len(conversations) > 1:
                yield self._heading(conversation)
            yield from self._conversation(conversation)
        if len(conversations) > len(shown):
            yield ()
            yield self._left_out(counted(len(conversations) - len(shown), "more conversation"))
        if self.is_cut:
            yield (Segment("--full shows all of it", "dim"),)

    def _heading(self, conversation: Conversation) -> Line:
        before = conversation.continues
        rest = () if before is None else (Segment(f"  after {before.title}", "dim"),)
        return Segment(conversation.title, "heading"), *rest

    def _conversation(self, conversation: Conversation) -> Iterator[Line]:
        said = conversation.utterances
        hidden = 0 if self.full else max(len(said) - _MAX_FIRST - _MAX_LAST, 0)
        for number, utterance in enumerate(said):
            if hidden and number == _MAX_FIRST:
                yield self._left_out(counted(hidden, "message"))
            if not _MAX_FIRST <= number < _MAX_FIRST + hidden:
                yield from self._utterance(utterance)

    def _utterance(self, utterance: Utterance) -> Iterator[Line]:
        style = _STYLES.get(utterance.role, "name")
        is_first = True
        for line in self._body(utterance):
            label = f"{utterance.role:<{_ROLE_WIDTH}}" if is_first else " " * _ROLE_WIDTH
            yield Segment(label, style), *line
            is_first = False

    def _body(self, utterance: Utterance) -> Iterator[Line]:
        if utterance.name and utterance.name != utterance.role:
            yield (Segment(f"({utterance.name})", "dim"),)
        for piece in utterance.pieces:
            yield from self._piece(piece, utterance.role)
        if utterance.failed is not None:
            yield from self._error(utterance.failed)
        elif not utterance.pieces:
            yield (Segment("(empty)", "dim"),)
        if not _is_normal(utterance.finish_reason):
            yield (Segment(f"(stopped: {utterance.finish_reason})", "recovered"),)

    def _piece(self, piece: Piece, role: str) -> Iterator[Line]:
        match piece:
            case TextPart(content):
                yield from self._text(compact_text(content), role, "dim" if role == "system" else "")
            case ReasoningPart(content):
                yield from self._text(content, "reasoning", "dim")
            case MediaPart(kind, mime_type, reference):
                told = ", ".join(filter(None, (kind, mime_type, reference)))
                yield (Segment(f"({told})", "dim"),)
            case ToolUse():
                yield from self._use(piece)

    def _use(self, use: ToolUse) -> Iterator[Line]:
        if use.is_asked or use.row is not None:
            yield from self._call(use)
        sign = f"{self.glyphs.reply} "
        if use.row is not None and use.row.mark:
            yield from self._error(use.row)
        elif use.result is not None:
            yield from self._text(compact_text(use.result), "result", "", first=sign)

    def _call(self, use: ToolUse) -> Iterator[Line]:
        duration = use.row.span.duration_nano if use.row is not None else None
        took = "" if duration is None else f" {format_duration(duration)}"
        arguments = "" if use.arguments is None else " " + compact_text(use.arguments)
        first, *rest = self._text(f"{use.name}{took}{arguments}", "call", "", first=f"{self.glyphs.arrow} ")
        yield first[0], *_parted(first[1].text, (safe_text(use.name), "tool"), (took, "dim"))
        yield from rest

    def _error(self, row: Row) -> Iterator[Line]:
        """The error in short: the tree tells it in full where it began."""
        style: Style = "recovered" if row.mark.startswith("recovered") else "error"
        sign = self.glyphs.recovered if style == "recovered" else self.glyphs.cross
        text = "failed" if row.error is None else f"{row.error.type}: {row.error.text}"
        room = max(self.width - _ROLE_WIDTH - 2, _MIN_ROOM)
        lines = wrap(one_line(text), room, most=_ALL if self.full else _MOST_ERROR_LINES, ellipsis=self.glyphs.ellipsis)
        for number, line in enumerate(lines):
            yield Segment("  " if number else f"{sign} ", style), Segment(line, style)

    def _text(self, text: str, kind: str, style: Style, *, first: str = "") -> Iterator[Line]:
        """The text on some lines, with how many were left out; `first` stands before it."""
        indent = cell_width(first)
        room = max(self.width - _ROLE_WIDTH - indent, _MIN_ROOM)
        most = _ALL if self.full else _MOST_LINES.get(kind, _MOST_TEXT_LINES)
        lines, left_out = wrap_counted(text, room, most=most)
        for number, line in enumerate(lines or [""]):
            lead = first if number == 0 else " " * indent
            yield Segment(lead, "dim"), Segment(line, style)
        if left_out:
            what = counted(left_out, "more line")
            yield Segment(" " * indent), *self._left_out(f"over {what}" if left_out == MOST_COUNTED else what)

    def _left_out(self, what: str) -> Line:
        self.is_cut = True
        return (Segment(f"{self.glyphs.ellipsis} {what}", "dim"),)


def _tells(utterance: Utterance) -> bool:
    """Whether more is said than which tool was called, which the tree says as well."""
    return not utterance.pieces or any(
        not isinstance(piece, ToolUse) or piece.arguments is not None or piece.result is not None
        for piece in utterance.pieces
    )


def _is_normal(finish_reason: str) -> bool:
    return finish_reason.lower().replace("-", "_") in _NORMAL_ENDS


def _parted(text: str, *heads: tuple[str, Style]) -> Iterator[Segment]:
    """A line with styles for what it begins with, as far as that was not cut."""
    for head, style in heads:
        if not text.startswith(head):
            break
        yield Segment(head, style)
        text = text[len(head) :]
    yield Segment(text)
