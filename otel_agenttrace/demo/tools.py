"""The tools of the demo: what they take, by JSON Schema, and what they answer."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsonschema.exceptions import ValidationError


class InvalidArgumentsError(Exception):
    """The arguments break the tool's JSON Schema; the message says which and how."""


class ToolUnavailableError(Exception):
    """The tool cannot answer now, and may later."""


@dataclass(frozen=True)
class Tool:
    """One tool.

    Attributes:
        schema: of the arguments; a `pattern` has a `description` that says it in words.
        run: takes the arguments, which follow the schema by then.
    """

    name: str
    schema: dict[str, Any]
    run: Callable[[dict[str, Any]], dict[str, Any]]

    def call(self, arguments: object) -> dict[str, Any]:
        """Check the arguments and run.

        Raises:
            InvalidArgumentsError: they break the schema.
            ToolUnavailableError: as the tool decides.
        """
        error = next(Draft202012Validator(self.schema).iter_errors(arguments), None)
        if error is not None:
            raise InvalidArgumentsError(_in_words(error))
        assert isinstance(arguments, dict)  # noqa: S101 - the schema says so
        return self.run(arguments)


def demo_tools(closing: threading.Event, *, kills: bool = False) -> dict[str, Tool]:
    """The tools by name; each server has its own, since one of them counts its calls.

    Args:
        closing: ends the wait of the tool that never answers.
        kills: whether the tool that reads a report kills the process instead, as `kill -9` does.
    """
    tools = (
        Tool("search_flights", _object(destination=_TEXT, date=_DATE), _search_flights),
        Tool("search_papers", _object(topic=_TEXT), lambda _: _never_answer(closing)),
        Tool("read_report", _object(company=_TEXT, year={"type": "integer"}), _kill if kills else _read_report),
        Tool("convert_currency", _object(amount={"type": "number"}, currency=_TEXT), _FlakyConversion()),
        Tool("get_weather", _object(city=_TEXT), _get_weather),
    )
    return {tool.name: tool for tool in tools}


_TEXT = {"type": "string", "minLength": 1}
_DATE = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$", "description": "YYYY-MM-DD"}


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _in_words(error: ValidationError) -> str:
    if error.validator == "pattern" and isinstance(error.schema, dict):
        return f"{error.json_path[2:]} {error.instance!r} does not match {error.schema['description']}"
    return error.message


def _search_flights(arguments: dict[str, Any]) -> dict[str, Any]:
    return {"flights": [{"number": "AT 4711", "to": arguments["destination"], "departs": f"{arguments['date']}T09:40"}]}


def _never_answer(closing: threading.Event) -> dict[str, Any]:
    closing.wait()
    raise ToolUnavailableError("the server is shutting down")


def _kill(_arguments: dict[str, Any]) -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGKILL)
    raise ToolUnavailableError("the process outlived its end")


def _read_report(arguments: dict[str, Any]) -> dict[str, Any]:
    return {"company": arguments["company"], "year": arguments["year"], "revenue_eur": 4_100_000, "employees": 38}


class _FlakyConversion:
    """Fails when it is first called, like a service that is just being deployed."""

    def __init__(self) -> None:
        self._was_called = False
        self._lock = threading.Lock()

    def __call__(self, arguments: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            was_called, self._was_called = self._was_called, True
        if not was_called:
            raise ToolUnavailableError("rates are being loaded")
        return {"amount": round(arguments["amount"] * 11.5, 2), "currency": arguments["currency"]}


def _get_weather(arguments: dict[str, Any]) -> dict[str, Any]:
    return {"city": arguments["city"], "sky": "clear", "celsius": 21}
