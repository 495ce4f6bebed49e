"""What the sources say: passages of prose, records of JSON, and the facts in them."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.grounding.dates import clocks_of, day_of_timestamp, days_of
from otel_agenttrace.grounding.json_text import find_json, read_json
from otel_agenttrace.grounding.numbers import numbers_of
from otel_agenttrace.grounding.sentences import pieces_of
from otel_agenttrace.grounding.words import stem, stems_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_agenttrace.grounding.dates import Day
    from otel_agenttrace.grounding.json_text import Document, Scalar, Value

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SPACED = re.compile(r"(?<=\d)([.,]) (?=\d)")  # `$ 10, 000`, as some texts are spaced
_IDENTIFIER = re.compile(r"\b\d{0,20}[A-Za-z]\w{0,60}(?:[-_]\w{1,60}){2,12}")  # `backup-2024-12`: no twelve
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
    """

    key: tuple[str, ...]
    name: tuple[str, ...]
    content: Scalar
    passage: int


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
        is_percent: written with a percent sign or word.
    """

    value: float
    passage: int
    key: tuple[str, ...] = ()
    is_percent: bool = False


class Material:
    """All the sources, read once for all claims."""

    def __init__(self, sources: Sequence[str]) -> None:
        self.sources = sources
        self.passages: list[Passage] = []
        self.fields: list[Field] = []
        self.lists: list[tuple[tuple[str, ...], int]] = []
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
        for piece in pieces_of(text):
            chunk = text[piece.start : piece.end]
            stems = stems_of(chunk)
            if stems:
                self.passages.append(Passage(chunk, source, stems, is_record=False))

    def _read_records(self, text: str, document: Document, source: int, depth: int) -> None:
        records: dict[int, list[Value]] = {}
        for value in document.values:
            records.setdefault(value.record, []).append(value)
        for values in records.values():
            self._read_record(text, values, source, depth)
        for container in document.containers:
            if container.items is not None:
                self.lists.append((_key_stems(container.path), container.items))

    def _read_record(self, text: str, values: list[Value], source: int, depth: int) -> None:
        number, stems, shown = len(self.passages), [], []
        prose: list[str] = []
        for value in values:
            key = _key_stems(value.path)
            content = value.content
            name = _key_stems(value.path[-1:])
            stems.extend(name)
            if isinstance(content, str) and (len(content) > _LONG_STRING or find_json(content, 0) == 0):
                prose.append(content)
                continue
            self.fields.append(Field(key, name, content, number))
            stems.extend(_content_stems(content))
            shown.append(text[value.start : value.end])
        stems.extend(_key_stems(values[0].path[:-1]))
        whole = text[values[0].start : values[-1].end]
        self.passages.append(
            Passage(whole if len(whole) <= _SHOWN else ", ".join(shown)[:_SHOWN], source, stems, is_record=True)
        )
        for content in prose:
            self._read(content, source, depth + 1)

    @cached_property
    def amounts(self) -> list[Amount]:
        """All numbers."""
        return list(self._amounts())

    @cached_property
    def amounts_by_passage(self) -> dict[int, list[float]]:
        """The values of all numbers, by the passage they stand in."""
        found: dict[int, list[float]] = {}
        for amount in self.amounts:
            found.setdefault(amount.passage, []).append(amount.value)
        return found

    def _amounts(self) -> Iterator[Amount]:
        for index, passage in enumerate(self.passages):
            if not passage.is_record:
                yield from _amounts_in(passage.text, index, ())
        for field in self.fields:
            if isinstance(field.content, float):
                yield Amount(field.content, field.passage, field.key)
            elif isinstance(field.content, str):
                yield from _amounts_in(field.content, field.passage, field.key)

    @cached_property
    def days(self) -> list[Day]:
        """All dates, each reading of those that can be read in several ways."""
        found = [day for text in self.texts() for readings in days_of(text) for day in readings]
        for field in self.fields:
            if isinstance(field.content, float) and (day := day_of_timestamp(field.content)):
                found.append(day)
        return found

    @cached_property
    def clocks(self) -> set[int]:
        """All times of day, in minutes since midnight."""
        return {minutes for text in self.texts() for clock in clocks_of(text) for minutes in clock.minutes}

    def texts(self) -> Iterator[str]:
        """All that the sources say, decoded: sentences of prose, and strings of records."""
        for passage in self.passages:
            if not passage.is_record:
                yield passage.text
        for field in self.fields:
            if isinstance(field.content, str):
                yield field.content


def _amounts_in(text: str, passage: int, key: tuple[str, ...]) -> Iterator[Amount]:
    """The numbers of a text that are not parts of dates, times and identifiers."""
    numbers = numbers_of(text)
    if not numbers:
        return
    if _SPACED.search(text):
        for number in numbers_of(_SPACED.sub(r"\1", text)):
            yield Amount(number.values[0], passage, key, number.is_percent)
    hidden = [(days[0].start, days[0].end) for days in days_of(text)]
    hidden += [match.span() for match in _IDENTIFIER.finditer(text)]
    hidden += [(clock.start, clock.end) for clock in clocks_of(text)]
    for number in numbers:
        if not any(start < number.end and number.start < end for start, end in hidden):
            for value in number.values:
                yield Amount(value, passage, key, number.is_percent)


def _key_stems(path: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(stem for key in path for stem in _stems_of_key(key))


@lru_cache(maxsize=4096)
def _stems_of_key(key: str) -> tuple[str, ...]:
    return tuple(stems_of(_CAMEL.sub(" ", key)))


def _content_stems(content: Scalar) -> list[str]:
    if isinstance(content, str):
        return stems_of(content)
    if isinstance(content, float):
        return [f"{content:.15g}"]
    return [] if content is True else [stem("not")]
