"""A failure in one sentence: what happened, where, with what input, and what became of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from otel_agenttrace.model.plain import plain_text, plain_value
from otel_agenttrace.model.verdicts import is_verdict
from otel_agenttrace.pipeline.canonical import agent_name_of, canonical
from otel_agenttrace.pipeline.error_words import last_word

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue, SpanRecord
    from otel_agenttrace.pipeline.root_cause import Failure

_MAX_INPUT = 120
_MAX_MESSAGE = 200
_MAX_NAME = 80


def explain(failure: Failure) -> str:
    """Tell a failure in one sentence without line breaks, in plain text.

    Names are cut to 80 characters, the error's message to 200 and the input to 120. The input is that of the span
    where the failure began, or of the nearest span above that has one.
    """
    if is_verdict(failure.origin):
        return failure.origin.status_message  # all that is left of the trace, and such a sentence itself
    lineage = failure.lineage[::-1]
    return f"`{_name(failure.origin)}` {_what(failure)}{_place(lineage)}{_input(lineage)}; {_outcome(failure)}."


def _what(failure: Failure) -> str:
    error = failure.error
    message = _one_line(error.message, _MAX_MESSAGE)
    if failure.type == "hallucination_flag":
        return f"said what its sources do not ({message})" if message else "said what its sources do not"
    if failure.type == "abandoned":
        return "never ended, its process was gone"
    time = _duration(failure.origin)
    if not error.is_error:
        return f"{message}, for {time}" if time else message
    lasted = f" after {time}" if time else ""
    if error.is_cancellation:
        return f"was called off{lasted}"
    said = _said(failure, message)
    return f"raised {said}{lasted}" if _is_class(error.exception_type) else f"failed with {said}{lasted}"


def _said(failure: Failure, message: str) -> str:
    """Class and code and message of the error, each once."""
    error = failure.error
    name = _one_line(last_word(error.exception_type) or error.exception_type, _MAX_NAME)
    if name and message.startswith(error.exception_type):
        message = message[len(error.exception_type) :].lstrip(": ")
    parts = [part for part in (name, error.code if error.code not in message else "") if part]
    head = " ".join(parts[:1] + [f"({part})" for part in parts[1:]])
    if failure.type == "timeout" and message in ("", name):
        return head or "a timeout"
    return ": ".join(part for part in (head, message) if part) or "status ERROR"


def _is_class(exception_type: str) -> bool:
    return last_word(exception_type)[:1].isupper() and exception_type != exception_type.upper()


def _duration(record: SpanRecord) -> str:
    duration = record.duration_nano
    if duration is None or duration < 0:
        return ""
    seconds = duration / 1e9
    return f"{seconds:.1f} s" if seconds >= 0.1 else f"{seconds * 1000:.1f} ms"


def _place(lineage: tuple[SpanRecord, ...]) -> str:
    """Which call it was part of, and whose."""
    said = canonical(lineage[0])
    is_call = said.is_tool_call or said.is_model_call
    call = None if is_call else next((record for record in lineage if canonical(record).is_tool_call), None)
    place = "" if call is None else f" in `{_name(call)}`"
    agent = next(filter(None, map(agent_name_of, lineage)), None)
    if agent is None or said.operation in ("invoke_agent", "create_agent"):
        return place
    by = "called by" if is_call or call is not None else "in"
    return f"{place}, {by} agent {_one_line(agent, _MAX_NAME)}"


def _input(lineage: tuple[SpanRecord, ...]) -> str:
    for record in lineage:
        said = canonical(record)
        spoken = next((message.text for message in reversed(said.input_messages) if message.text), None)
        given = said.input if spoken is None else f'"{_one_line(spoken, _MAX_INPUT)}"'
        if given is not None:
            return f" with {_one_line(_as_text(given), _MAX_INPUT + 2)}"
    return ""


def _outcome(failure: Failure) -> str:
    if failure.recovered:
        return "the trace recovered from it"
    if failure.is_pending:
        return "the trace may yet recover from it"
    return "nobody noticed" if failure.type == "hallucination_flag" else "the trace failed by it"


def _name(record: SpanRecord) -> str:
    said = canonical(record)
    name = said.tool_name if said.is_tool_call else said.model if said.is_model_call else None
    return _one_line(name or record.name or "a span without a name", _MAX_NAME)


def _as_text(value: AnyValue) -> str:
    return value if isinstance(value, str) else json.dumps(plain_value(value), ensure_ascii=False)


def _one_line(text: str, most: int) -> str:
    # Cut first: what is behind the limit need not be looked at, however long it is.
    line = " ".join(plain_text(text[: 4 * most]).split())
    return line if len(line) <= most else line[: most - 1] + "…"
