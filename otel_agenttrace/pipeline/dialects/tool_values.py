"""Arguments and results of tools, in what several emitters make of them."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

import orjson

from otel_agenttrace.pipeline.message_parts import parsed

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue

_MAX_LITERAL = 4096
_MAX_RESULT = 64 * 1024

_CALL_ID = re.compile(r'"tool_call_id"\s*:\s*"([^"\\]{1,256})"')


def arguments_of(value: AnyValue) -> Any:
    """The arguments of a call, out of JSON, of what Python writes of a mapping, and of `{"args": [], "kwargs": {}}`.

    Decorators of functions record the last form; its parts stay together where there are arguments of both kinds.
    """
    found = parsed(value)
    if isinstance(found, str) and found.startswith("{'") and len(found) <= _MAX_LITERAL:
        found = _literal(found)
    if isinstance(found, dict) and "kwargs" in found and found.keys() <= {"args", "kwargs"}:
        args, kwargs = found.get("args"), found["kwargs"]
        if not args and isinstance(kwargs, dict):
            return kwargs
        if not kwargs and isinstance(args, list) and len(args) == 1:
            return args[0]
    return found


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
