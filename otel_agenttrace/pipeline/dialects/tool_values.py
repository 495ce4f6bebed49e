"""Arguments and results of tools, in what several emitters make of them."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

import orjson

from otel_agenttrace.pipeline.message_parts import parsed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_agenttrace.model.record import AnyValue

_MAX_LITERAL = 4096
_MAX_RESULT = 64 * 1024

_CALL = frozenset({"args", "kwargs", "sanitize_inputs_outputs"})
"""What a call of a Python function is recorded as; the last is an argument of smolagents' own."""

_CALLBACK = frozenset({"input_str", "inputs", "kwargs", "metadata", "tags"})

_CALL_ID = re.compile(r'"tool_call_id"\s*:\s*"([^"\\]{1,256})"')


def arguments_of(value: AnyValue, names: Sequence[str] = ()) -> Any:
    """The arguments of a call, out of JSON, of what Python writes of a mapping, and of `{"args": [], "kwargs": {}}`.

    Decorators of functions record the last form; its parts stay together where there are arguments of both kinds and
    `names`, those of the parameters in their order, do not tell what the positional ones are.
    OpenLLMetry puts all that LangChain's callbacks are given around the arguments.
    """
    found = parsed(value)
    if isinstance(found, dict) and is_callback(found):
        inputs = found.get("inputs")
        found = inputs if isinstance(inputs, dict) else parsed(found["input_str"])
    if isinstance(found, str) and found.startswith("{'") and len(found) <= _MAX_LITERAL:
        found = _literal(found)
    if isinstance(found, dict) and ("kwargs" in found or "args" in found) and found.keys() <= _CALL:
        return _arguments(found, names)
    return found


def _arguments(call: dict[str, Any], names: Sequence[str]) -> Any:
    args, kwargs = call.get("args"), call.get("kwargs")
    if not args and isinstance(kwargs, dict):
        return kwargs
    if isinstance(args, list) and args and len(args) <= len(names) and isinstance(kwargs or {}, dict):
        return {**dict(zip(names, args, strict=False)), **(kwargs or {})}
    if not kwargs and isinstance(args, list) and len(args) == 1:
        return args[0]
    return call


def is_callback(value: AnyValue) -> bool:
    """Whether a value is what a callback of LangChain's was given when a tool was called."""
    return isinstance(value, dict) and "input_str" in value and "tags" in value and value.keys() <= _CALLBACK


def result_of(value: AnyValue) -> Any:
    """What a tool answered, out of the message that LangChain makes of it and the dumps of that.

    The message of a call that failed stays whole, for it tells that beside its content.
    """
    found = parsed(value)
    if isinstance(found, dict) and found.keys() <= {"output", "kwargs"} and _is_dump(found.get("output")):
        found = found["output"]
    if isinstance(found, dict) and _is_dump(found):
        found = found["data"] if "data" in found else found["kwargs"]
    if isinstance(found, dict) and "content" in found and "tool_call_id" in found and found.get("status") != "error":
        return parsed(found["content"])
    return found


def _is_dump(value: AnyValue) -> bool:
    """`message_to_dict` and `dumpd` of langchain-core."""
    if not isinstance(value, dict):
        return False
    inner = value.get("data") if value.keys() == {"type", "data"} else value.get("kwargs") if "lc" in value else None
    return isinstance(inner, dict)


def _literal(text: str) -> AnyValue:
    # LangChain's callbacks tell the arguments as `str(arguments)`.
    try:
        found: AnyValue = orjson.loads(orjson.dumps(ast.literal_eval(text)))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
    return found


def tool_call_id_in(result: AnyValue) -> str | None:
    """The id of the call that a result answers, where the result is a message of LangChain's."""
    found = _CALL_ID.search(result[:_MAX_RESULT]) if isinstance(result, str) else None
    return found[1] if found is not None else None
