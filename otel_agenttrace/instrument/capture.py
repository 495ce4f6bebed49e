"""Any Python object -> an attribute value: what a traced call was given and gave back.

Nothing here raises, whatever the object does, and nothing is consumed: a generator, a file or a stream stays as it
is. What has no place in an attribute (https://opentelemetry.io/docs/specs/otel/common/#anyvalue) is recorded as such,
by a text in angle brackets that names its type.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta
from enum import Enum
from math import prod
from numbers import Number
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_agenttrace.model.record import AnyValue

MAX_DEPTH = 20
"""Levels of nesting that are kept; OTLP's own decoders give up at about 30."""

MAX_VALUES = 10_000
"""Values kept of one object, however they are nested."""

MAX_CHARACTERS = 1 << 20
"""Characters and bytes kept of one object; the size bound of stored values comes on top."""

capture_counts: Counter[str] = Counter()
"""How often something was `cut` at one of these bounds, and how often something was `not_serialisable`."""

CONTENT_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_NO_CONTENT_ON_SPANS = ("no_content", "event_only", "false", "0")

_INT64 = range(-(2**63), 2**63)


def keeps_content() -> bool:
    """Whether inputs and outputs may stand on spans: unless the GenAI instrumentations' own variable forbids it."""
    return os.environ.get(CONTENT_VARIABLE, "").strip().lower() not in _NO_CONTENT_ON_SPANS


def capture(value: object) -> AnyValue:
    """The value as an attribute holds it.

    Mappings, dataclasses, pydantic and attrs models and named tuples become mappings; lists, sets, arrays and other
    collections lists; dates, paths, UUIDs and unusual numbers text; enum members their value. Fields declared with
    `repr=False` are left out: often they are secrets. Bytes that are UTF-8 become that text, which redaction and
    search can read. What cannot be serialised, contains itself or exceeds a bound is recorded as such.
    """
    return Capture().add(value)


class Capture:
    """Captures one value, or several that share the bounds of one."""

    def __init__(self) -> None:
        self._values_left = MAX_VALUES
        self._characters_left = MAX_CHARACTERS
        self._above: list[int] = []  # id() of each container that we are inside of

    @property
    def is_full(self) -> bool:
        """Whether nothing further is kept."""
        return self._values_left <= 0 or self._characters_left <= 0

    def add(self, value: Any) -> AnyValue:
        """The value as an attribute holds it, see `capture`."""
        self._values_left -= 1
        kind = type(value)
        if value is None or kind is bool or kind is float:
            return value  # type: ignore[no-any-return]
        if kind is str:
            return self.text(value)
        if kind is int and value in _INT64:
            return value  # type: ignore[no-any-return]
        try:
            if kind is not dict and kind is not list:
                for types, convert in _SCALARS:
                    if isinstance(value, types):
                        return convert(self, value)
            return self._container(value)
        except Exception as error:  # noqa: BLE001 - any property, iterator or __str__ of the user's
            return _not_serialisable(kind, f", raised {type(error).__qualname__}")

    def text(self, text: str) -> str:
        """The text as far as there is room; an unpaired surrogate, which has no UTF-8, is spelled out."""
        kept = text[: max(self._characters_left, 0)]
        cut = _cut(f"{len(text)} characters") if len(kept) < len(text) else ""
        self._characters_left -= len(kept)
        return (kept if kept.isascii() else kept.encode("utf-8", "backslashreplace").decode()) + cut

    def octets(self, value: Any) -> AnyValue:
        """UTF-8 as text, other bytes as they are; as far as there is room."""
        size = memoryview(value).nbytes
        if size > self._characters_left:
            return _cut(f"{size} bytes")
        content = bytes(value)
        try:
            return self.text(content.decode())
        except UnicodeDecodeError:
            self._characters_left -= size
            return content

    def _container(self, value: Any) -> AnyValue:
        if id(value) in self._above:
            return f"<cycle: {_name(type(value))}>"
        if len(self._above) >= MAX_DEPTH:
            return _cut("nested too deeply")
        self._above.append(id(value))
        try:
            return self._items(value)
        finally:
            self._above.pop()

    def _items(self, value: Any) -> AnyValue:
        names = None if type(value) is dict else _field_names(value)
        if names is not None:
            return self._mapping(((name, getattr(value, name)) for name in names), len(names))
        if hasattr(type(value), "shape"):
            return self._array(value)
        if isinstance(value, Mapping):
            return self._mapping(value.items(), len(value))
        if isinstance(value, AbstractSet):
            return sorted(self._list(value, len(value)), key=str)
        if isinstance(value, Collection):
            return self._list(value, len(value))
        return _not_serialisable(type(value))

    def _list(self, items: Iterable[object], size: int) -> list[AnyValue]:
        kept: list[AnyValue] = []
        for item in items:
            if self.is_full:
                kept.append(_cut(f"{size - len(kept)} more items"))
                break
            kept.append(self.add(item))
        return kept

    def _mapping(self, items: Iterable[tuple[object, object]], size: int) -> dict[str, AnyValue]:
        kept: dict[str, AnyValue] = {}
        for key, item in items:
            if self.is_full:
                kept["<cut>"] = _cut(f"{size - len(kept)} more items")
                break
            kept[self._key(key)] = self.add(item)
        return kept

    def _key(self, key: object) -> str:
        name = self.text(key) if type(key) is str else str(self.add(key))
        return name or '""'  # the SDK drops an empty key, with a warning

    def _array(self, value: Any) -> AnyValue:
        """An array of numpy, torch, pandas or alike, none of which is imported for it."""
        shape = tuple(value.shape)
        if not hasattr(value, "tolist"):
            return _not_serialisable(type(value), f" of shape {shape}")
        if prod(shape) > self._values_left:
            return _cut(f"{_name(type(value))} of shape {shape}")
        return self.add(value.tolist())


def _exception(taken: Capture, error: BaseException) -> AnyValue:
    return {"type": _name(type(error)), "message": taken.text(str(error))}


def _integer(taken: Capture, value: int) -> AnyValue:
    return int(value) if value in _INT64 else taken.text(str(value))


def _number(taken: Capture, value: Any) -> AnyValue:
    return taken.add(value.tolist()) if hasattr(value, "tolist") else taken.text(str(value))


_SCALARS: tuple[tuple[type | tuple[type, ...], Callable[[Capture, Any], AnyValue]], ...] = (
    (Enum, lambda taken, member: taken.add(member.value)),
    (str, lambda taken, text: taken.text(str.__str__(text))),
    (int, _integer),
    (float, lambda _, number: float.__float__(number)),
    ((bytes, bytearray, memoryview), Capture.octets),
    (Number, _number),
    ((date, time), lambda _, moment: moment.isoformat()),
    ((PurePath, UUID, timedelta, range), lambda taken, value: taken.text(str(value))),
    (BaseException, _exception),
    ((type, FunctionType, BuiltinFunctionType, MethodType), lambda _, named: f"<{_name(named)}>"),
)
"""What is one value, not a container; the first type that fits counts."""


def _field_names(value: Any) -> list[str] | None:
    """The declared fields of a named tuple, dataclass, pydantic or attrs model; None for any other object."""
    kind = type(value)
    if isinstance(value, tuple):
        return list(kind._fields) if hasattr(kind, "_fields") else None
    if is_dataclass(value):
        return [field.name for field in fields(value) if field.repr]
    if isinstance(getattr(kind, "model_fields", None), Mapping):
        return [name for name, field in kind.model_fields.items() if field.repr] + list(value.model_extra or ())
    if hasattr(kind, "__attrs_attrs__"):
        return [field.name for field in kind.__attrs_attrs__ if field.repr]
    return None


def _cut(what: str) -> str:
    capture_counts["cut"] += 1
    return f"<cut: {what}>"


def _not_serialisable(kind: type, why: str = "") -> str:
    capture_counts["not_serialisable"] += 1
    return f"<not serialisable: {_name(kind)}{why}>"


def _name(named: Any) -> str:
    module, name = named.__module__, named.__qualname__
    return str(name) if module in ("builtins", None) else f"{module}.{name}"
