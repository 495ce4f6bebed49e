"""Cutting one value to a number of bytes."""

from __future__ import annotations

import base64
import json
from typing import Any

from otel_agenttrace.pipeline.keys import unused_key

_REDACTED = "[REDACTED:"
_MARKER_BYTES = 32
_ENTRY_BYTES = 64
"""Room for a marker as the last item of a list or mapping."""
_LEAST_LEAF_BYTES = 64


def cut_text(text: str, limit: int) -> str:
    """`text` in at most `limit` bytes of UTF-8, with a marker that says how many were cut."""
    encoded = text.encode("utf-8", "surrogatepass")
    if len(encoded) <= limit:
        return text
    kept = _without_half_marker(encoded[: limit - _MARKER_BYTES].decode("utf-8", "ignore"))
    return f"{kept}[TRUNCATED:{len(encoded) - len(kept.encode())} bytes]"


def _without_half_marker(text: str) -> str:
    """`text` without the start of a redaction's marker at its end, which would look like the secret itself."""
    start = max(text.rfind("["), 0)
    end = text[start:]
    is_half = "]" not in end and (end.startswith(_REDACTED) or (end and _REDACTED.startswith(end)))
    return text[:start] if is_half else text


def cut_value(value: Any, limit: int, cuts: list[str]) -> Any:
    """An attribute value in at most `limit` bytes, structured ones as JSON; adds to `cuts` once for each cut.

    JSON keeps its shape and loses text where most of it is, so that a conversation with an image stays readable.
    """
    if isinstance(value, str):
        return _cut_string(value, limit, cuts)
    if isinstance(value, bytes):
        return _cut_bytes(value, limit, cuts)
    if isinstance(value, (list, dict)) and len(_dump(value)) > limit:
        return _fit(value, limit, cuts, is_ascii=False)
    return value


def _cut_string(text: str, limit: int, cuts: list[str]) -> str:
    if len(text.encode("utf-8", "surrogatepass")) <= limit:
        return text
    if text.lstrip()[:1] in ("{", "["):
        before = len(cuts)
        try:
            return _dump(_fit(json.loads(text), limit, cuts, is_ascii=text.isascii()), is_ascii=text.isascii()).decode()
        except (ValueError, RecursionError):  # not JSON, or nested too deeply to be walked
            del cuts[before:]
    cuts.append("values")
    return cut_text(text, limit)


def _cut_bytes(value: bytes, limit: int, cuts: list[str]) -> bytes:
    if len(value) <= limit:
        return value
    cuts.append("values")
    kept = limit - _MARKER_BYTES
    return value[:kept] + b"[TRUNCATED:%d bytes]" % (len(value) - kept)


def _fit(value: Any, limit: int, cuts: list[str], *, is_ascii: bool) -> Any:
    """Cut the texts in `value` shorter and shorter until it fits, at last leave items out."""
    leaf = limit // 2
    tried: list[str] = []
    smaller = value
    while leaf >= _LEAST_LEAF_BYTES:
        tried = []
        smaller = _cut_leaves(value, leaf, tried)
        if len(_dump(smaller, is_ascii=is_ascii)) <= limit:
            cuts += tried
            return smaller
        leaf //= 4
    cuts += [*tried, "values"]
    return _first_items(smaller, limit, is_ascii=is_ascii)


def _cut_leaves(value: Any, limit: int, cuts: list[str]) -> Any:
    if isinstance(value, str):
        cut = cut_text(value, limit)
        cuts += ["values"] * (cut != value)
        return cut
    if isinstance(value, bytes):
        return _cut_bytes(value, limit, cuts)
    if isinstance(value, list):
        return [_cut_leaves(item, limit, cuts) for item in value]
    if isinstance(value, dict):
        smaller: dict[str, Any] = {}
        for key, item in value.items():
            smaller[unused_key(_cut_leaves(key, limit, cuts), smaller)] = _cut_leaves(item, limit, cuts)
        return smaller
    return value


def _first_items(value: Any, limit: int, *, is_ascii: bool) -> Any:
    """As much from the start of a list or mapping as fits, its last item in part if that is a list or mapping."""
    is_list = isinstance(value, list)
    items = list(enumerate(value)) if is_list else list(value.items())
    room = limit - _ENTRY_BYTES
    kept = []
    for position, (key, item) in enumerate(items):
        key_bytes = 2 if is_list else len(_dump(key, is_ascii=is_ascii)) + 2
        item_bytes = len(_dump(item, is_ascii=is_ascii))
        if key_bytes + item_bytes <= room:
            kept.append((key, item))
            room -= key_bytes + item_bytes
            continue
        left_out = len(items) - position
        if isinstance(item, (list, dict)) and room - key_bytes > 2 * _ENTRY_BYTES:
            kept.append((key, _first_items(item, room - key_bytes, is_ascii=is_ascii)))
            left_out -= 1
        if left_out:
            kept.append(("[TRUNCATED]", f"[TRUNCATED:{left_out} items]"))
        break
    return [item for _, item in kept] if is_list else dict(kept)


def _dump(value: Any, *, is_ascii: bool = False) -> bytes:
    text = json.dumps(value, ensure_ascii=is_ascii, separators=(",", ":"), default=_bytes_as_text)
    return text.encode("utf-8", "surrogatepass")


def _bytes_as_text(value: bytes) -> dict[str, str]:
    return {"bytesValue": base64.b64encode(value).decode()}
