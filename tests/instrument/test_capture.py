"""Any object as an attribute value."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import io
import pathlib
import threading
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

import pydantic
import pytest

from otel_agenttrace.instrument import capture as capture_module
from otel_agenttrace.instrument.capture import capture, capture_counts, keeps_content

if TYPE_CHECKING:
    from collections.abc import Iterator


class Colour(enum.Enum):
    """An enum."""

    RED = "red"


class Level(enum.IntEnum):
    """An enum of integers."""

    HIGH = 3


class Point(NamedTuple):
    """A named tuple."""

    x: int
    y: int


@dataclasses.dataclass
class Order:
    """A dataclass with a secret."""

    item: str
    tags: list[str]
    token: str = dataclasses.field(repr=False, default="hidden")


class Trip(pydantic.BaseModel, extra="allow"):
    """A pydantic model with a secret, and room for more."""

    to: str
    password: pydantic.SecretStr = pydantic.SecretStr("hidden")
    order: Order | None = None
    key: str = pydantic.Field("hidden", repr=False)


class AttrsField(NamedTuple):
    """The part of an attrs field that is used."""

    name: str
    repr: bool


class AttrsLike:
    """What `attrs.define` leaves on a class, as far as it is used."""

    __attrs_attrs__ = (AttrsField("seen", repr=True), AttrsField("hidden", repr=False))

    def __init__(self) -> None:
        self.seen = 1
        self.hidden = 2


class Array:
    """The part of a numpy array, a torch tensor and a pandas series that is used."""

    def __init__(self, *shape: int) -> None:
        self._shape = shape

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values in each dimension."""
        return self._shape

    def tolist(self) -> Any:
        """Zeros."""
        values: Any = 0.0
        for size in reversed(self._shape):
            values = [values] * size
        return values


class Frame:
    """The part of a pandas frame that is used: a shape, and no `tolist`."""

    shape = (3, 2)


@pytest.mark.parametrize(
    "value", [None, True, 0, -5, 2**63 - 1, 1.5, "", "text", "gr\u00fc\u00df", [], {}, [1, {"a": [None]}]]
)
def test_what_an_attribute_can_hold_stays_what_it_is(value: object) -> None:
    """Plain values and what is built of them come out equal."""
    assert capture(value) == value
    assert type(capture(value)) is type(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        (Point(1, 2), {"x": 1, "y": 2}),
        (Order("tea", ["hot"]), {"item": "tea", "tags": ["hot"]}),
        (AttrsLike(), {"seen": 1}),
        ((1, 2), [1, 2]),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset({"b", "a"}), ["a", "b"]),
        (collections.deque([1, 2]), [1, 2]),
        (collections.OrderedDict(a=1), {"a": 1}),
        ({1: "int", None: "none", "": "empty", "\ud800": 0}, {"1": "int", "None": "none", '""': "empty", "\\ud800": 0}),
        ({"a": 1}.values(), [1]),
        (range(3), "range(0, 3)"),
        (dt.datetime(2026, 2, 15, 1, 2, tzinfo=dt.timezone.utc), "2026-02-15T01:02:00+00:00"),
        (dt.date(2026, 2, 15), "2026-02-15"),
        (dt.timedelta(hours=1), "1:00:00"),
        (pathlib.PurePosixPath("/home/x"), "/home/x"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (decimal.Decimal("1.10"), "1.10"),
        (1 + 2j, "(1+2j)"),
        (2**70, "1180591620717411303424"),
        (b"text", "text"),
        (bytearray(b"text"), "text"),
        (memoryview(b"text"), "text"),
        (b"\xff\x00", b"\xff\x00"),
        ("\ud800", "\\ud800"),
        (ValueError("no"), {"type": "ValueError", "message": "no"}),
        (Array(2, 2), [[0.0, 0.0], [0.0, 0.0]]),
        (Array(), 0.0),
        (dict, "<dict>"),
        (len, "<len>"),
        (uuid.UUID, "<uuid.UUID>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_richer_values_become_plain_ones(value: object, expected: object) -> None:
    """Each common kind of value has a plain form that keeps what it says."""
    assert capture(value) == expected


def test_a_pydantic_model_becomes_its_fields() -> None:
    """Fields and extras are kept; a secret is not looked into, and a field without repr is left out."""
    trip = Trip.model_validate({"to": "Rome", "order": Order("tea", []), "note": "extra"})

    assert capture(trip) == {
        "to": "Rome",
        "password": "<not serialisable: pydantic.types.SecretStr>",
        "order": {"item": "tea", "tags": []},
        "note": "extra",
    }


@pytest.mark.parametrize(
    "value",
    [object(), 10**10_000, threading.Lock(), io.StringIO("text"), threading, Frame(), iter([1]), (n for n in [1])],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_serialised_is_recorded_as_such(value: object) -> None:
    """A marker names the type, and the object is counted."""
    counted = capture_counts["not_serialisable"]

    marker = capture([value])

    assert isinstance(marker, list)
    assert str(marker[0]).startswith("<not serialisable: ")
    assert type(value).__name__ in str(marker[0])
    assert capture_counts["not_serialisable"] == counted + 1


def test_a_stream_is_not_consumed() -> None:
    """Iterators, generators and files are still whole afterwards."""
    generator, file = (number for number in (1, 2)), io.StringIO("text")

    capture({"generator": generator, "file": file, "map": map(str, [1])})

    assert list(generator) == [1, 2]
    assert file.read() == "text"


class Hostile:
    """An object of which everything raises."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    __repr__ = __str__ = __hash__ = __getattribute__  # type: ignore[assignment]


class HostileList(list[int]):
    """A list that cannot be read."""

    def __iter__(self) -> Iterator[int]:
        raise LookupError


class HostileError(Exception):
    """An exception that has no text."""

    def __str__(self) -> str:
        raise LookupError


class EndlessMapping(collections.UserDict[str, int]):
    """A mapping whose items never end."""

    def __len__(self) -> int:
        return 1

    def items(self) -> Any:
        """One after the other."""
        return ((str(number), number) for number in iter(int, 1))


@pytest.mark.parametrize("kind", [Hostile, HostileList, HostileError])
def test_an_object_that_raises_is_recorded_as_such(kind: type) -> None:
    """Whatever an object raises when it is looked at stays inside; its neighbours are kept."""
    captured = capture({"before": 1, "value": kind(), "after": 2})

    assert isinstance(captured, dict)
    assert (captured["before"], captured["after"]) == (1, 2)
    assert str(captured["value"]).startswith("<not serialisable: ")


def test_a_cycle_ends_where_it_closes() -> None:
    """What contains itself is cut at the second time; the same object twice side by side is kept twice."""
    loop: list[Any] = [1]
    loop.append({"again": loop})
    shared = [1]

    assert capture(loop) == [1, {"again": "<cycle: list>"}]
    assert capture([shared, shared]) == [[1], [1]]


def test_depth_is_bounded() -> None:
    """Nesting is kept to a depth that every OTLP decoder takes."""
    nested: Any = "core"
    for _ in range(1000):
        nested = [nested]

    text = str(capture(nested))

    assert text.count("[") == capture_module.MAX_DEPTH
    assert "<cut: nested too deeply>" in text


def test_the_number_of_values_is_bounded() -> None:
    """Of a huge collection as many items are kept as there is room for, and the rest is told by number."""
    captured = capture(list(range(100_000)))

    assert isinstance(captured, list)
    assert len(captured) <= capture_module.MAX_VALUES + 1
    assert captured[:3] == [0, 1, 2]
    assert captured[-1] == f"<cut: {100_000 - len(captured) + 1} more items>"


def test_a_collection_without_end_is_bounded() -> None:
    """Even an iteration that never ends by itself does."""
    captured = capture(EndlessMapping())

    assert isinstance(captured, dict)
    assert "<cut>" in captured


def test_the_size_of_texts_is_bounded() -> None:
    """All texts of one object share one bound; bytes that do not fit are told by number."""
    long = "x" * capture_module.MAX_CHARACTERS

    captured = capture(["start", long, "end"])

    assert isinstance(captured, list)
    assert captured[0] == "start"
    assert str(captured[1]).endswith(f"<cut: {len(long)} characters>")
    assert len(str(captured)) < capture_module.MAX_CHARACTERS + 200
    assert capture(b"\xff" * (capture_module.MAX_CHARACTERS + 1)) == f"<cut: {capture_module.MAX_CHARACTERS + 1} bytes>"


def test_a_huge_array_is_told_by_its_shape() -> None:
    """An array of more values than are kept is not turned into a list at all."""
    assert str(capture(Array(1000, 1000))).endswith("of shape (1000, 1000)>")


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (None, True),
        ("", True),
        ("SPAN_ONLY", True),
        ("span_and_event", True),
        ("true", True),
        ("NO_CONTENT", False),
        ("EVENT_ONLY", False),
        ("false", False),
    ],
)
def test_content_is_kept_unless_the_standard_variable_forbids_it(
    value: str | None, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT holds for our inputs and outputs too."""
    if value is not None:
        monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", value)

    assert keeps_content() is kept
