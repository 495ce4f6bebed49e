"""Attribute values <-> OTLP JSON, see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.

What OTLP cannot say is written as text: integers beyond 64 bits, and types that are no AnyValue.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from otel_agenttrace.errors import DecodeError
from otel_agenttrace.otlp.checks import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.model.record import AnyValue, Attributes

MAX_DEPTH = 100
"""How deep a value that is read may be nested."""

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


def decode_attributes(fields: dict[str, Any]) -> Attributes:
    """Read the key-value list under `attributes`; of a key that stands twice, the last is kept.

    Raises:
        DecodeError: it is no such list; names the key.
    """
    attributes: Attributes = {}
    for key, value in _pairs(fields, "attributes"):
        try:
            attributes[key] = _decode_value(value, 0)
        except DecodeError as error:
            raise DecodeError(f"attribute {shown(key)}: {error}") from None
    return attributes


def decode_integer(value: object, name: str) -> int:
    """Read an integer, also from a string or an integral float.

    Raises:
        DecodeError: it is neither; names the field.
    """
    try:
        if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
            return int(value)
    except ValueError:
        pass
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise DecodeError(f"{name} is not an integer: {shown(value)}")


def get_list(fields: dict[str, Any], name: str) -> list[Any]:
    """Return the array under `name`, empty if absent.

    Raises:
        DecodeError: it is no array.
    """
    value = fields.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise DecodeError(f"{name} is not an array: {shown(value)}")
    return value


def encode_attributes(attributes: Attributes) -> list[dict[str, Any]]:
    """Write attributes as an OTLP JSON key-value list."""
    return [{"key": key, "value": _encode_value(value)} for key, value in attributes.items()]


def _pairs(fields: dict[str, Any], name: str) -> list[tuple[str, object]]:
    pairs = []
    for pair in get_list(fields, name):
        key = pair.get("key", "") if isinstance(pair, dict) else None
        if not isinstance(key, str):
            raise DecodeError(f"{name} holds what is not a key with a value: {shown(pair)}")
        pairs.append((key, pair.get("value")))
    return pairs


def _decode_value(value: object, depth: int) -> AnyValue:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise DecodeError(f"not a value: {shown(value)}")
    for kind, item in value.items():
        read = _READERS.get(kind)
        if read is not None and item is not None:
            return read(item, depth)
    return None


def _string_value(item: object, _depth: int) -> str:
    if not isinstance(item, str):
        raise DecodeError(f"stringValue is not a string: {shown(item)}")
    return item


def _bool_value(item: object, _depth: int) -> bool:
    if not isinstance(item, bool):
        raise DecodeError(f"boolValue is not true or false: {shown(item)}")
    return item


def _int_value(item: object, _depth: int) -> int:
    return decode_integer(item, "intValue")


def _double_value(item: object, _depth: int) -> float:
    try:
        if isinstance(item, (str, float)) or (isinstance(item, int) and not isinstance(item, bool)):
            return float(item)
    except (ValueError, OverflowError):
        pass
    raise DecodeError(f"doubleValue is not a number: {shown(item)}")


def _bytes_value(item: object, _depth: int) -> bytes:
    try:
        if isinstance(item, str):
            return base64.b64decode(item.translate(_URL_SAFE) + "=" * (-len(item) % 4), validate=True)
    except ValueError:
        pass
    raise DecodeError(f"bytesValue is not base64: {shown(item)}")


_URL_SAFE = str.maketrans("-_", "+/")


def _array_value(item: object, depth: int) -> list[AnyValue]:
    return [_decode_value(value, depth + 1) for value in get_list(_nested(item, depth), "values")]


def _kvlist_value(item: object, depth: int) -> Attributes:
    return {key: _decode_value(value, depth + 1) for key, value in _pairs(_nested(item, depth), "values")}


def _nested(item: object, depth: int) -> dict[str, Any]:
    if depth >= MAX_DEPTH:
        raise DecodeError(f"nested deeper than {MAX_DEPTH} levels")
    if not isinstance(item, dict):
        raise DecodeError(f"not an object: {shown(item)}")
    return item


_READERS: dict[str, Callable[[Any, int], AnyValue]] = {
    "stringValue": _string_value,
    "boolValue": _bool_value,
    "intValue": _int_value,
    "doubleValue": _double_value,
    "bytesValue": _bytes_value,
    "arrayValue": _array_value,
    "kvlistValue": _kvlist_value,
}


def _encode_value(value: AnyValue) -> dict[str, Any]:  # noqa: PLR0911 - one for each kind of value
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)} if INT64_MIN <= value <= INT64_MAX else {"stringValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value if math.isfinite(value) else _NON_FINITE_NAMES.get(value, "NaN")}
    if value is None:
        return {}
    if isinstance(value, bytes):
        return {"bytesValue": base64.b64encode(value).decode()}
    if isinstance(value, Mapping):
        return {"kvlistValue": {"values": encode_attributes(value)}}
    if isinstance(value, Sequence):
        return {"arrayValue": {"values": [_encode_value(item) for item in value]}}
    return {"stringValue": str(value)}


_NON_FINITE_NAMES = {math.inf: "Infinity", -math.inf: "-Infinity"}
