"""An answer in JSON as prose, so that it can be held against sources like any other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from otel_agenttrace.pipeline.message_parts import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MAX_LINES = 1000
_MAX_DEPTH = 20
_ORDINALS = frozenset({"id", "index", "no", "number", "order", "position", "rank", "step"})
_WORD = re.compile(r"[A-Za-z][a-z]{2,}|[A-Z]{3,}|[a-z]{3,}")


def as_prose(output: str, sources: Sequence[str]) -> str:
    """The texts of an answer in JSON as a list; an answer that is not JSON as it is.

    A number is put behind the name of its field, and only where the sources use a word of that name: an agent's own
    counts and confidences stand in no source, and are no claims about one. Nor are the numbers of a list's items.
    """
    value = parsed(output.strip().removeprefix("```json").strip("`"))
    if isinstance(value, str):
        return output
    known = {word.lower() for source in sources for word in _WORD.findall(source)}
    lines = []
    for line in _lines(value, "", known, _MAX_DEPTH):
        lines.append(line)
        if len(lines) == _MAX_LINES:
            break
    return "\n".join(f"- {line}" for line in lines)


def _lines(value: Any, name: str, known: set[str], depth: int) -> Iterator[str]:
    if depth == 0:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _lines(item, str(key), known, depth - 1)
    elif isinstance(value, list):
        for item in value:
            yield from _lines(item, name, known, depth - 1)
    elif isinstance(value, str):
        if value.strip():
            yield value
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        words = [word.lower() for word in _WORD.findall(name)]
        if name.lower() not in _ORDINALS and any(word in known for word in words):
            yield f"{' '.join(words)}: {value}"
