"""What the sources say: passages of prose, records of JSON, and the facts in them."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.grounding.dates import day_of_timestamp
from otel_agenttrace.grounding.json_text import find_json, read_json
from otel_agenttrace.grounding.keys import key_of, stems_of_path
from otel_agenttrace.grounding.readings import Readings, readings_of
from otel_agenttrace.grounding.sentences import pieces_of
from otel_agenttrace.grounding.units import unit_named, unit_of
from otel_agenttrace.grounding.words import stem, stems_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_agenttrace.grounding.dates import Day
    from otel_agenttrace.grounding.json_text import Document, Scalar, Value

_SMALLEST_UNITS = frozenset(("cent", "cents", "pence", "minor"))
_SMALLEST_WORDS = frozenset(map(stem, _SMALLEST_UNITS - {"cent"}))
_SMALLEST_KEY = (stem("unit"), stem("amount"))  # of payments
_UNIT_KEYS = frozenset(("unit", "units", "unit_of_measurement"))
_LONG_STRING = 100  # characters; a longer string of a record is prose of its own
_SHOWN = 600  # characters of a passage that a report shows
_MAX_NESTED = 3  # JSON in a string in JSON, as tools' results often are


class Field(NamedTuple):
    """One value of a record.

    Attributes:
        key: stems of its key, and of the keys above it.
        name: stems of its own key alone.
        content: string, number, truth value or None.
        passage: index of the passage of its record.
        unit: what its key, or a field `unit` beside it, says it is in; empty if nothing does.
    """

    key: tuple[str, ...]
    name: tuple[str, ...]
    content: Scalar
    passage: int
    unit: str = ""


class Passage(NamedTuple):
    """A sentence, line or record of a source.

    Attributes:
        text: as it stands in the source; put together where a record is spread over it.
        source_index: which source.
        stems: of its words in order.
        is_record: its words come from keys and values, so their order says little.
    """

    text: str
    source_index: int
    stems: list[str]
    is_record: bool


class Amount(NamedTuple):
    """A number of the sources.

    Attributes:
        value: what it is worth.
        passage: index of its passage.
        key: stems of its key if it is a value of a record.
        unit: the word after it, or what its key says it is in.
    """

    value: float
    passage: int
    key: tuple[str, ...] = ()
    unit: str = ""

    def worth(self) -> tuple[float, ...]:
        """The value; of one in the smallest unit of a currency in the whole unit too."""
        is_smallest = self.unit in _SMALLEST_UNITS or self.key[-2:] == _SMALLEST_KEY
        if is_smallest or not _SMALLEST_WORDS.isdisjoint(self.key):
            return (self.value, self.value / 100)
        return (self.value,)


class _Block(NamedTuple):
    """A stretch of prose: its text, the index of its first passage, and where in the text each of them starts."""

    text: str
    first: int
    starts: list[int]

    def passage_at(self, position: int) -> int:
        return self.first + max(0, bisect_right(self.starts, position) - 1)


class Material:
    """All the sources, read once for all claims."""

    def __init__(self, sources: Sequence[str]) -> None:
        self.sources = sources
        self.passages: list[Passage] = []
        self.fields: list[Field] = []
        self.lists: list[tuple[tuple[str, ...], int]] = []
        self._blocks: list[_Block] = []
        self._key_numbers: dict[float, int] = {}
        for index, source in enumerate(sources):
            self._read(source, index, 0)

    def _read(self, text: str, source: int, depth: int) -> None:
        position = 0
        while position < len(text):
            start = find_json(text, position) if depth < _MAX_NESTED else len(text)
            self._read_prose(text[position:start], source)
            if start < len(text):
                document = read_json(text, start)
                self._read_records(text, document, source, depth)
                position = document.end
            else:
                position = start

    def _read_prose(self, text: str, source: int) -> None:
        block = _Block(text, len(self.passages), [])
        for piece in pieces_of(text):
            chunk = text[piece.start : piece.end]
            stems = stems_of(chunk)
            if stems:
                self.passages.append(Passage(chunk, source, stems, is_record=False))
                block.starts.append(piece.start)
        if block.starts:
            self._blocks.append(block)

    def _read_records(self, text: str, document: Document, source: int, depth: int) -> None:
        records: dict[int, list[Value]] = {}
        for value in document.values:
            records.setdefault(value.record, []).append(value)
        for values in records.values():
            self._read_record(text, values, source, depth)
        for container in document.containers:
            if container.items is not None:
                self.lists.append((stems_of_path(container.path), container.items))

    def _read_record(self, text: str, values: list[Value], source: int, depth: int) -> None:
        number = len(self.passages)
        stems: list[str] = []
        shown: list[str] = []
        prose: list[str] = []
        common = _unit_beside(values)
        for value in values:
            key, name, unit, numbers = key_of(value.path)
            content = value.content
            stems.extend(name)
            for found in numbers:
                self._key_numbers.setdefault(found, number)
            if isinstance(content, str) and (len(content) > _LONG_STRING or find_json(content, 0) == 0):
                prose.append(content)
                continue
            self.fields.append(Field(key, name, content, number, unit or common))
            stems.extend(_content_stems(content))
            shown.append(text[value.start : value.end])
        stems.extend(stems_of_path(values[0].path[:-1]))
        whole = text[values[0].start : values[-1].end]
        self.passages.append(
            Passage(whole if len(whole) <= _SHOWN else ", ".join(shown)[:_SHOWN], source, stems, is_record=True)
        )
        for content in prose:
            self._read(content, source, depth + 1)

    @cached_property
    def amounts(self) -> list[Amount]:
        """All numbers but those that are parts of dates, times and identifiers."""
        found = [
            Amount(value, passage, (), unit)
            for block, facts in self._prose_facts
            for number in facts.numbers
            for passage, unit in ((block.passage_at(number.start), unit_of(number, block.text)),)
            for value in number.values
        ]
        for field, facts in self._field_facts:
            found += [
                Amount(value, field.passage, field.key, unit_of(number, str(field.content)) or field.unit)
                for number in facts.numbers
                for value in number.values
            ]
        for field in self.fields:
            if isinstance(field.content, float):
                found.append(Amount(field.content, field.passage, field.key, field.unit))
        found += [Amount(value, passage) for value, passage in self._key_numbers.items()]
        return found

    @cached_property
    def amounts_by_passage(self) -> dict[int, list[float]]:
        """The values of all numbers, by the passage they stand in."""
        found: dict[int, list[float]] = {}
        for amount in self.amounts:
            found.setdefault(amount.passage, []).append(amount.value)
        return found

    @cached_property
    def days(self) -> list[Day]:
        """All dates, each once, with each reading of those that can be read in several ways."""
        found = {day[:4]: day for _, facts in (*self._prose_facts, *self._field_facts) for day in facts.days}
        for field in self.fields:
            if isinstance(field.content, float) and (day := day_of_timestamp(field.content)):
                found[day[:4]] = day
        return list(found.values())

    @cached_property
    def clocks(self) -> frozenset[int]:
        """All times of day, in minutes since midnight."""
        return frozenset(minutes for _, facts in (*self._prose_facts, *self._field_facts) for minutes in facts.clocks)

    @cached_property
    def clocks_of_fields(self) -> list[tuple[Field, int]]:
        """The times of day that are values of records."""
        return [(field, minutes) for field, facts in self._field_facts for minutes in facts.clocks]

    @cached_property
    def _prose_facts(self) -> list[tuple[_Block, Readings]]:
        return [(block, readings_of(block.text)) for block in self._blocks]

    @cached_property
    def _field_facts(self) -> list[tuple[Field, Readings]]:
        return [(field, readings_of(field.content)) for field in self.fields if isinstance(field.content, str)]

    def texts(self) -> Iterator[str]:
        """All that the sources say, decoded: sentences of prose, and strings of records."""
        for passage in self.passages:
            if not passage.is_record:
                yield passage.text
        for field in self.fields:
            if isinstance(field.content, str):
                yield field.content


def _unit_beside(values: list[Value]) -> str:
    """What a record says its numbers are in: `{"amount": 8900, "unit": "cents"}`."""
    for value in values:
        if value.path and isinstance(value.content, str) and value.path[-1].lower() in _UNIT_KEYS:
            return unit_named(value.content)
    return ""


@lru_cache(maxsize=4096)
def stems_of_value(text: str) -> tuple[str, ...]:
    """The stems of a string of a record, which often is the same as in the next."""
    return tuple(stems_of(text))


def _content_stems(content: Scalar) -> Sequence[str]:
    if isinstance(content, str):
        return stems_of_value(content)
    if isinstance(content, float):
        return [f"{content:.15g}"]
    return [] if content is True else [stem("not")]
