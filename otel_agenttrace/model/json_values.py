"""Attribute values <-> JSON, without loss.

Plain JSON says everything but bytes, NaN, infinities and integers beyond 64 bits: those are objects with one key named
as in OTLP JSON (`{"bytesValue": "AAE="}`, `{"doubleValue": "NaN"}`, `{"intValue": "18446744073709551616"}`), and a
mapping that looks like one of those is itself written as `{"kvlistValue": {...}}`.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_agenttrace.model.record import AnyValue

_TAGS = frozenset({"bytesValue", "doubleValue", "intValue", "kvlistValue"})
_MAX_DEPTH = 100
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_SCALARS = frozenset({bool, int, str, type(None)})
_NON_FINITE_NAMES = {math.inf: "Infinity", -math.inf: "-Infinity"}


def is_plain(mapping: Mapping[str, Any], depth: int = 0) -> bool:
    """Whether JSON says the mapping as it is, but for long integers and unpaired surrogates, which orjson refuses.

    This runs for every span that ends: it looks at types, not at text, so that long messages cost nothing.
    """
    return not _looks_tagged(mapping) and _are_plain(mapping.values(), depth)


def tagged(value: Any, depth: int = 0) -> Any:
    """A copy of `value` that JSON says without loss.

    What no attribute can be is written as text: nesting beyond 100 levels, an unpaired surrogate, any other object.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return int(value) if _INT64_MIN <= value <= _INT64_MAX else {"intValue": str(int(value))}
    if isinstance(value, float):  # a subclass too, such as numpy's, which orjson does not take
        return float(value) if math.isfinite(value) else {"doubleValue": _NON_FINITE_NAMES.get(value, "NaN")}
    if isinstance(value, bytes):
        return {"bytesValue": base64.b64encode(value).decode()}
    return _tagged_container(value, depth)


def untagged(value: Any) -> AnyValue:
    """What `tagged` was given.

    Raises:
        ValueError: a tag does not hold what it names.
        TypeError: as above.
    """
    if isinstance(value, list):
        return [untagged(item) for item in value]
    if not isinstance(value, dict):
        return value  # type: ignore[no-any-return]
    if _looks_tagged(value):
        ((tag, item),) = value.items()
        return _untag(tag, item)
    return {key: untagged(item) for key, item in value.items()}


def _are_plain(values: Iterable[Any], depth: int) -> bool:
    for value in values:
        kind = value.__class__
        if kind is str:
            continue
        if kind is float:
            if value - value != 0.0:  # NaN and infinities; quicker than a call
                return False
        elif kind is dict:
            if depth >= _MAX_DEPTH or not is_plain(value, depth + 1):
                return False
        elif kind is tuple or kind is list:
            if depth >= _MAX_DEPTH or not _are_plain(value, depth + 1):
                return False
        elif kind not in _SCALARS:
            return False
    return True


def _looks_tagged(mapping: Mapping[str, Any]) -> bool:
    return len(mapping) == 1 and not _TAGS.isdisjoint(mapping)


def _tagged_container(value: Any, depth: int) -> Any:
    is_mapping = isinstance(value, Mapping)
    if depth >= _MAX_DEPTH or not (is_mapping or isinstance(value, Sequence)):
        return _text(_as_text(value))
    if not is_mapping:
        return [tagged(item, depth + 1) for item in value]
    fields = {_text(str(key)): tagged(item, depth + 1) for key, item in value.items()}
    return {"kvlistValue": fields} if _looks_tagged(fields) else fields


def _untag(tag: str, item: Any) -> AnyValue:
    if tag == "bytesValue":
        return base64.b64decode(item)
    if tag == "doubleValue":
        return float(item)
    if tag == "intValue":
        return int(item)
    return {key: untagged(inner) for key, inner in item.items()}


def _as_text(value: Any) -> str:
    try:
        return str(value)
    except RecursionError:
        return "<nested too deeply>"


def _text(value: str) -> str:
    """`value`, with unpaired surrogates spelled out: they have no UTF-8."""
    return value.encode("utf-8", "backslashreplace").decode()
