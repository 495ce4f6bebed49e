"""What another agent sent -> a pydantic model, or an error that names each field that is wrong.

Nothing here trusts its input: what is too large, nested too deeply or no JSON is refused before a model sees it, and no
message repeats a value, which may be a secret.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from otel_agenttrace.errors import HandoffValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)

MAX_PAYLOAD_BYTES = 1024 * 1024
"""1 MiB of JSON; what is larger belongs into a file, whose path and checksum are handed over."""

MAX_DEPTH = 50
MAX_VALUES = 100_000

_MAX_PROBLEMS = 20
_MAX_WORDS = 300
_MAX_NAME = 100

_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not a field that is known here",
    "string_pattern_mismatch": "has not the form that is expected",
}


def load_payload(payload: object, max_bytes: int = MAX_PAYLOAD_BYTES) -> dict[str, Any]:
    """A payload, which may be JSON text, as a mapping of its own that JSON can say.

    Raises:
        HandoffValidationError: it is no JSON object, nested too deeply, or larger than `max_bytes`.
    """
    if isinstance(payload, (str, bytes, bytearray, memoryview)):
        payload = _parsed(payload, max_bytes)
    if not isinstance(payload, Mapping):
        raise HandoffValidationError([f"payload: expected a JSON object, found {_kind(payload)}"])
    try:
        plain: dict[str, Any] = plain_json(payload)
    except ValueError as error:
        raise HandoffValidationError([_placed("payload", str(error))]) from None
    check_size(plain, max_bytes)
    return plain


def check_size(payload: dict[str, Any], max_bytes: int = MAX_PAYLOAD_BYTES) -> None:
    """Refuse what is too large as JSON.

    Raises:
        HandoffValidationError: it is larger than `max_bytes`.
    """
    size = len(orjson.dumps(payload))
    if size > max_bytes:
        largest = max(payload, key=lambda name: len(orjson.dumps(payload[name])))
        raise HandoffValidationError(
            [f"payload: {size} bytes, of which {largest[:_MAX_NAME]} is most; at most {max_bytes}"]
        )


def read_model(model: type[M], fields: Mapping[str, Any]) -> M:
    """The model with these fields.

    Raises:
        HandoffValidationError: they are not what the model takes.
    """
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        problems = [_problem(detail) for detail in error.errors(include_url=False, include_input=False)[:_MAX_PROBLEMS]]
    raise HandoffValidationError(problems)


def plain_json(value: object) -> Any:
    """A copy of `value` as JSON says it; pydantic models become objects, tuples lists.

    Raises:
        ValueError: something in it is not JSON, or it is nested too deeply or too large; its text begins with where.
    """
    return _Copy().of(value, "", 0)


class _Copy:
    def __init__(self) -> None:
        self._values_left = MAX_VALUES

    def of(self, value: object, place: str, depth: int) -> Any:
        self._values_left -= 1
        if self._values_left < 0:
            raise ValueError(f"{place} more than {MAX_VALUES} values")
        if isinstance(value, BaseModel):
            value = value.model_dump(mode="json", exclude_none=True)
        if depth > MAX_DEPTH:
            raise ValueError(f"{place[:_MAX_NAME]} nested more than {MAX_DEPTH} deep")
        if isinstance(value, Mapping):
            return {self._key(key, place): self.of(item, f"{place}.{key}", depth + 1) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.of(item, f"{place}[{number}]", depth + 1) for number, item in enumerate(value)]
        return _scalar(value, place)

    @staticmethod
    def _key(key: object, place: str) -> str:
        if not isinstance(key, str):
            raise ValueError(f"{place} has a key that is {_kind(key)}, not text")  # noqa: TRY004 - one error for all
        return str(_scalar(key, place))


def _scalar(value: object, place: str) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{place} has an unpaired surrogate, which is no Unicode text") from None
        return str(value)
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise ValueError(f"{place} is an integer beyond 64 bits")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{place} is not a finite number")
        return float(value)
    raise ValueError(f"{place} is {_kind(value)}, which JSON cannot say")


def _parsed(text: str | bytes | bytearray | memoryview, max_bytes: int) -> Any:
    size = len(text) if isinstance(text, str) else memoryview(text).nbytes
    if size > max_bytes:
        raise HandoffValidationError([f"payload: {size} bytes; at most {max_bytes}"])
    try:
        return orjson.loads(text)
    except ValueError as error:
        raise HandoffValidationError([f"payload: not JSON: {error}"[:_MAX_WORDS]]) from None


def _problem(detail: ErrorDetails) -> str:
    words = _WORDS.get(detail["type"])
    if words is None and detail["type"] == "value_error":
        words = str(detail["ctx"]["error"])
    elif words is None:
        words = detail["msg"][:1].lower() + detail["msg"][1:]
    return _placed(_field(detail["loc"]) or "payload", words)


def _field(parts: Iterable[int | str]) -> str:
    texts = (f"[{part}]" if isinstance(part, int) else f".{part[:_MAX_NAME]}" for part in parts)
    return "".join(texts).lstrip(".")


def _placed(field: str, words: str) -> str:
    said = f"{field}{words}" if words.startswith((".", "[")) else f"{field}: {words.lstrip()}"
    return said if len(said) <= _MAX_WORDS else said[: _MAX_WORDS - 1] + "…"


def _kind(value: object) -> str:
    name = type(value).__name__
    return {"NoneType": "null", "dict": "an object", "list": "a list", "str": "text", "int": "a number"}.get(name, name)
