"""What the keys of records say: words, units and numbers."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from otel_agenttrace.grounding.readings import readings_of
from otel_agenttrace.grounding.units import unit_of_key
from otel_agenttrace.grounding.words import stems_of

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Key(NamedTuple):
    """What the keys that lead to a value say: all of them, its own alone, a unit, numbers."""

    stems: tuple[str, ...]
    name: tuple[str, ...]
    unit: str
    numbers: tuple[float, ...]


@lru_cache(maxsize=4096)
def key_of(path: tuple[str, ...]) -> Key:
    """Read the keys that lead to a value, outermost first."""
    last = path[-1:]
    return Key(stems_of_path(path), stems_of_path(last), unit_of_key(*last), _numbers_of_key(*last))


def stems_of_path(path: tuple[str, ...]) -> tuple[str, ...]:
    """The stems of the words of all keys that lead to a value."""
    return tuple(stem for key in path for stem in _stems_of_key(key))


def _numbers_of_key(key: str = "") -> tuple[float, ...]:
    """`fifty_two_week_low` says 52."""
    return tuple(number.values[0] for number in readings_of(key.replace("_", " ")).numbers)


@lru_cache(maxsize=4096)
def _stems_of_key(key: str) -> tuple[str, ...]:
    return tuple(stems_of(_CAMEL.sub(" ", key)))
