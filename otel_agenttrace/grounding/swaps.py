"""Values that stand in the sources, but with something else: the price of one hotel given to another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from otel_agenttrace.grounding.dates import Clock
from otel_agenttrace.grounding.numbers import Number
from otel_agenttrace.grounding.sources import stems_of_value
from otel_agenttrace.grounding.units import unit_of
from otel_agenttrace.grounding.words import stems_of

if TYPE_CHECKING:
    from otel_agenttrace.grounding.details import Detail
    from otel_agenttrace.grounding.sources import Material

_CLAUSE = re.compile(r"[,;](?!\d)|\b(?:and|while|but|whereas|und|aber|or)\b", re.IGNORECASE)
_TIME = "\0time"  # before the key of a time of day
_SPANS = frozenset(("second", "minute", "hour", "day", "week", "month", "year"))  # mostly worked out
_MAX_AMOUNTS = 5_000


class Swaps:
    """Knows which values of records belong to which names."""

    def __init__(self, material: Material) -> None:
        self._values: dict[tuple[str, ...], dict[int, set[float]]] = {}
        for amount in material.amounts[:_MAX_AMOUNTS]:
            if amount.key:
                self._values.setdefault(amount.key, {}).setdefault(amount.passage, set()).update(amount.worth())
        for field, minutes in material.clocks_of_fields[:_MAX_AMOUNTS]:
            # Keys of times are marked, so that `at 9` is not held against a price of 540.
            key = (_TIME, *field.key)
            self._values.setdefault(key, {}).setdefault(field.passage, set()).add(float(minutes))
        self._places: dict[float, list[tuple[tuple[str, ...], int]]] = {}
        for key, by_passage in self._values.items():
            for passage, values in by_passage.items():
                for value in values:
                    self._places.setdefault(value, []).append((key, passage))
        siblings = {passage for values in self._values.values() if len(values) > 1 for passage in values}
        owners: dict[str, set[int]] = {}
        for field in material.fields[:_MAX_AMOUNTS] if siblings else ():
            if isinstance(field.content, str) and field.passage in siblings:
                for stem in stems_of_value(field.content):
                    owners.setdefault(stem, set()).add(field.passage)
        # A word tells records apart only if some of them lack it.
        self._owners = {
            stem: passages for stem, passages in owners.items() if stem.isalpha() and len(passages) < len(siblings)
        }

    def owner_of(self, detail: Detail, sentence: str) -> int | None:
        """The passage of the record that a value really belongs to; None unless it is another than the one named."""
        found = detail.found
        if isinstance(found, Clock):
            values = _minutes(found)
        elif isinstance(found, Number) and not (
            found.is_percent or found.is_word or unit_of(found, sentence) in _SPANS
        ):
            values = found.values
        else:
            return None
        is_time = isinstance(found, Clock)
        owners = [
            (key, passage)
            for value in dict.fromkeys(values)
            for key, passage in self._places.get(value, ())
            if (key[0] == _TIME) is is_time
        ]
        named = self._named(detail, sentence) if owners else set()
        if not named or any(passage in named for _, passage in owners):
            return None
        for key, passage in owners:
            if all(record in self._values[key] for record in named):
                return passage
        return None

    def _named(self, detail: Detail, sentence: str) -> set[int]:
        """The records that the words around a value name: of its clause, else of the whole sentence."""
        borders = [0, *(match.end() for match in _CLAUSE.finditer(sentence)), len(sentence)]
        start = max(border for border in borders if border <= detail.start)
        end = min(border for border in borders if border >= detail.end)
        return self._owners_of(sentence[start:end]) or self._owners_of(sentence)

    def _owners_of(self, text: str) -> set[int]:
        votes: dict[int, int] = {}
        for stem in set(stems_of(text)):
            for passage in self._owners.get(stem, ()):
                votes[passage] = votes.get(passage, 0) + 1
        most = max(votes.values(), default=0)
        return {passage for passage, count in votes.items() if count == most}


def _minutes(clock: Clock) -> tuple[float, ...]:
    """What a time of day may be on a clock of 24 hours."""
    return tuple(
        float(said) for minutes in clock.minutes for said in (minutes, (minutes + 720) % 1440)[: 1 + (minutes < 780)]
    )
