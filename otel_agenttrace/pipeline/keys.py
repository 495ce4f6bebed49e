"""Keys of mappings that are rewritten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def unused_key(key: str, taken: Mapping[str, Any]) -> str:
    """`key`, numbered if it is taken: two keys may have become one, and neither value is to be lost."""
    number = 2
    free = key
    while free in taken:
        free = f"#{number} {key}"
        number += 1
    return free
