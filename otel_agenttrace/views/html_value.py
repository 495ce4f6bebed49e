"""Recorded values as HTML: escaped, readable, and bounded."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import orjson

from otel_agenttrace.views.text import safe_text, to_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from otel_agenttrace.model.record import AnyValue

MAX_TEXT = 50_000
"""Characters of one value on a page."""

MAX_ITEMS = 500
"""Attributes, events, links or messages of one span on a page."""


def escape(text: str) -> str:
    """Return `text` for a place between tags or in a quoted attribute; invisible and control characters spelled out."""
    return html.escape(safe_text(text))


def escape_lines(text: str) -> str:
    """Return `text` for a `<pre>`: like `escape`, with its lines and tabs kept."""
    return "\n".join(escape(line.expandtabs(4)) for line in text.splitlines())


def text_block(text: str, css: str = "") -> str:
    """Return `text` in a `<pre>`; what is beyond MAX_TEXT characters is left out and counted."""
    attribute = f' class="{css}"' if css else ""
    block = f"<pre{attribute}>{escape_lines(text[:MAX_TEXT])}</pre>"
    hidden = len(text) - MAX_TEXT
    return block + (f'<p class="cut">{hidden:,} more characters are in the store.</p>' if hidden > 0 else "")


def value_block(value: AnyValue) -> str:
    """Return any attribute value: chat messages as such, JSON indented, text as it is."""
    value = parsed(value)
    if isinstance(value, list) and value and all(_is_message(item) for item in value):
        return "".join(_message(item) for item in value[:MAX_ITEMS]) + more_items(len(value))
    return _plain_block(value)


def _plain_block(value: AnyValue) -> str:
    if isinstance(value, bytes):
        return text_block(f"{len(value)} bytes: {value[:64].hex(' ')}{' …' if len(value) > 64 else ''}")
    return text_block(value if isinstance(value, str) else to_json(value, indent=True))


def attribute_table(attributes: Mapping[str, AnyValue]) -> str:
    """Return attributes as a table, sorted by name; nothing if there are none."""
    rows = "".join(
        f"<tr><td>{escape(str(name))}</td><td>{value_block(value)}</td></tr>"
        for name, value in sorted(attributes.items())[:MAX_ITEMS]
    )
    return f"<table>{rows}</table>{more_items(len(attributes))}" if rows else ""


def parsed(value: AnyValue) -> AnyValue:
    """Return what a JSON text says, if it is an object or a list; any other value as it is."""
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return value
    try:
        content: AnyValue = orjson.loads(value)
    except ValueError:
        return value
    return content


def more_items(count: int) -> str:
    """Return the note that says how many of `count` items are beyond MAX_ITEMS; empty if none are."""
    hidden = count - MAX_ITEMS
    return f'<p class="cut">{hidden:,} more are in the store.</p>' if hidden > 0 else ""


def _is_message(item: AnyValue) -> bool:
    return isinstance(item, dict) and isinstance(item.get("role"), str)


def _message(item: AnyValue) -> str:
    assert isinstance(item, dict)  # noqa: S101  `_is_message` said so
    content = item.get("parts", item.get("content"))
    parts = content if isinstance(content, list) else [content]
    rest = {key: value for key, value in item.items() if key not in ("role", "parts", "content") and value is not None}
    # Short facts such as a finish reason stand beside the role; what is more than that gets a place of its own.
    facts = "".join(f" · {escape(f'{key} {value!s}'[:80])}" for key, value in rest.items() if _is_short(value))
    blocks = [_part(part) for part in parts[:MAX_ITEMS] if part is not None] + [
        f"<b>{escape(key)}</b>{_plain_block(value)}" for key, value in rest.items() if not _is_short(value)
    ]
    return f'<div class="message"><b>{escape(str(item["role"]))}{facts}</b>{"".join(blocks)}</div>'


def _is_short(value: AnyValue) -> bool:
    return isinstance(value, (str, bool, int, float)) and len(str(value)) <= 60


def _part(part: AnyValue) -> str:
    """A part of a message: the text of a text part, anything else whole."""
    if isinstance(part, dict) and part.get("type") == "text":
        for text in _texts(part):
            return text_block(text)
    return _plain_block(part)


def _texts(part: Mapping[str, AnyValue]) -> Iterator[str]:
    for key in ("content", "text"):
        if isinstance(text := part.get(key), str) and len(part) == 2:
            yield text
