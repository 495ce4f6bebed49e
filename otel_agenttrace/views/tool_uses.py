"""Calls of tools, put together from all that tells of them: who asked, the span of the call, what a model was told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_agenttrace.views.text import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otel_agenttrace.model.record import AnyValue
    from otel_agenttrace.pipeline.messages import ToolCallPart, ToolResultPart
    from otel_agenttrace.views.rows import Row


@dataclass(slots=True, eq=False)
class ToolUse:
    """One call of a tool.

    Attributes:
        id: of the call; empty if none was told.
        row: the span of the call, if there is one.
        is_asked: a model asked for it, as far as is recorded.
        is_told: a model was told what came back: `told`.
    """

    id: str
    name: str
    arguments: AnyValue = None
    row: Row | None = None
    is_asked: bool = False
    is_told: bool = False
    told: AnyValue = None

    @property
    def result(self) -> AnyValue:
        """What came back; None where nothing says."""
        if self.told is not None or self.row is None:
            return self.told
        return self.row.said.output


class ToolUses:
    """The calls of one conversation, in the order in which they became known."""

    def __init__(self, known: Iterable[ToolUse] = ()) -> None:
        self._uses = list(known)

    def __iter__(self) -> Iterator[ToolUse]:
        return iter(self._uses)

    def copy(self) -> ToolUses:
        """Return the same calls, to which others may be added."""
        return ToolUses(self._uses)

    def ask(self, part: ToolCallPart, *, is_new: bool) -> ToolUse | None:
        """Add a call that a model asks for.

        Args:
            part: what asks for it.
            is_new: it is an answer. Part of a history, it may be there by its span: no answer asked for it.

        Returns:
            None if it is there already.
        """
        use = (
            None
            if is_new
            else self._find((use for use in self if not use.is_asked), part.id, part.name, part.arguments)
        )
        if use is not None:
            use.is_asked = True
            return None
        self._uses.append(ToolUse(part.id, part.name, part.arguments, is_asked=True))
        return self._uses[-1]

    def tell(self, part: ToolResultPart) -> ToolUse | None:
        """Put a result to its call; return one of its own if that is not there."""
        waiting = [use for use in self if not use.is_told]
        use = self._find(waiting, part.id, part.name, None)
        if use is None and not part.name:
            use = next((use for use in waiting if not (use.id and part.id)), None)
        if use is None:
            return ToolUse(part.id, part.name, is_told=True, told=part.result)
        use.is_told, use.told = True, part.result
        return None

    def run(self, row: Row) -> ToolUse | None:
        """Put the span of a call to what asked for it; where nothing did, return it as a call of its own."""
        said = row.said
        id_, name, arguments = said.tool_call_id or "", said.tool_name or row.span.name, said.input
        use = self._find((use for use in self if use.row is None), id_, name, arguments)
        if use is None:
            self._uses.append(ToolUse(id_, name, arguments, row))
            return self._uses[-1]
        use.row = row
        use.arguments = use.arguments or arguments
        return None

    def has_arguments(self, value: AnyValue) -> bool:
        """Whether a model handed an object in by a tool call, as it does with answers that have a schema."""
        return isinstance(value, dict) and any(use.arguments == value for use in self)

    @staticmethod
    def _find(uses: Iterable[ToolUse], id_: str, name: str, arguments: AnyValue) -> ToolUse | None:
        """By the call's id; where that is not told on both sides, by name and arguments, else by name."""
        named = []
        for use in uses:
            if id_ and use.id == id_:
                return use
            if use.name == name and not (use.id and id_):
                named.append(use)
        written = to_json(arguments)
        same = (use for use in named if arguments is not None and to_json(use.arguments) == written)
        return next(same, next(iter(named), None))
