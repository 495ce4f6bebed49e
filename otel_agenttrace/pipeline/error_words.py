"""What the names of exceptions and the codes of protocols mean, in any language that emits spans."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import (
    HTTP_RESPONSE_STATUS_CODE,
    HTTP_STATUS_CODE,
    RPC_GRPC_STATUS_CODE,
    RPC_JSONRPC_ERROR_CODE,
    RPC_RESPONSE_STATUS_CODE,
)
from otel_agenttrace.pipeline.numbers import as_number

if TYPE_CHECKING:
    from otel_agenttrace.model.kinds import FailureType
    from otel_agenttrace.model.record import AnyValue, Attributes, SpanRecord

CODES = frozenset(
    map(
        str,
        (
            HTTP_RESPONSE_STATUS_CODE,
            HTTP_STATUS_CODE,
            RPC_GRPC_STATUS_CODE,
            RPC_JSONRPC_ERROR_CODE,
            RPC_RESPONSE_STATUS_CODE,
        ),
    )
)
"""Attributes that hold a protocol's status code."""

_MAX_NAME_LENGTH = 256

_LAST_WORD = re.compile(r"(\w+)\W*$")
_LEADING_CLASS = re.compile(r"\s*([A-Za-z_][\w.]*)(?::|\(|\s*$)")
_TIMEOUT_CLASS = re.compile(r"\w*(?:[Tt]imeout|TimedOut|[Dd]eadlineExceeded)(?:Error|Exception|Expired)?")
_VALIDATION_CLASS = re.compile(
    r"\w*Validation(?:Error|Exception)|ContractError|GateBlockedError|ZodError|UnprocessableEntity(?:Error|Exception)?"
    r"|(?:AI_)?Invalid(?:Tool)?(?:Arguments?|Inputs?|Params)(?:Error|Exception)?"
)
_TIMEOUT_WORDS = frozenset(
    {"408", "504", "deadline_exceeded", "etimedout", "gateway_timeout", "request_timeout", "timed_out", "timeout"}
)
_VALIDATION_WORDS = frozenset(
    {"-32602", "422", "invalid_argument", "invalid_arguments", "invalid_params", "validation_error"}
)
_CANCELLATIONS = frozenset(
    {
        "AbortError",
        "Cancelled",
        "CancelledError",
        "CancellationException",
        "GeneratorExit",
        "JobCancellationException",
        "KeyboardInterrupt",
        "OperationCanceledException",
        "TaskCanceledException",
        "CANCELLED",
        "canceled",
        "cancelled",
    }
)
_CONTROL_FLOW = frozenset(
    {
        "ApprovalRequired",
        "CallDeferred",
        "GeneratorExit",
        "GraphBubbleUp",
        "GraphDelegate",
        "GraphInterrupt",
        "NodeInterrupt",
        "ParentCommand",
        "StopAsyncIteration",
        "StopIteration",
    }
)
"""Raised to stop early, to hand over or to ask a person: by Python itself, by LangGraph and by Pydantic AI."""

_GRPC_NAMES = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
_GRPC_SERVER_ERRORS = frozenset(
    {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
)
"""What counts as an error on a server's span, see https://opentelemetry.io/docs/specs/semconv/rpc/grpc/."""


@dataclass(frozen=True, slots=True)
class ProtocolError:
    """An error that a protocol's status code tells of.

    Attributes:
        text: the code for people, e.g. `HTTP 422`.
        fails_alone: the code makes the span fail even where its status is unset. Most codes do not: emitters that
            follow the conventions set the status themselves, and a 404 may be the answer that was hoped for.
        is_vague: the code blames the caller without saying for what.
    """

    type: FailureType
    text: str
    fails_alone: bool
    is_vague: bool = False


@lru_cache(maxsize=4096)
def failure_type_of(name: str) -> FailureType | None:
    """The type that an exception's class or an `error.type` stands for: timeout, validation_error or None.

    Broken JSON (`JSONDecodeError`) is no validation error: it is as often a server's error page as an argument.
    """
    word = name.strip().lower()
    last = last_word(name)
    if word in _TIMEOUT_WORDS or _TIMEOUT_CLASS.fullmatch(last):
        return "timeout"
    if word in _VALIDATION_WORDS or _VALIDATION_CLASS.fullmatch(last):
        return "validation_error"
    return None


def is_cancellation(name: str) -> bool:
    """Whether an exception's class or an `error.type` says that the work was called off, not that it went wrong."""
    return last_word(name) in _CANCELLATIONS


def is_control_flow(name: str) -> bool:
    """Whether an exception's class is one that is raised where nothing went wrong."""
    return last_word(name) in _CONTROL_FLOW


def class_in_status(message: str) -> str:
    """The exception's class with which a status description starts, as `str` or `repr` write it; else empty."""
    match = _LEADING_CLASS.match(message[:_MAX_NAME_LENGTH])
    if match is None:
        return ""
    name = match[1]
    is_class = (
        name.endswith(("Error", "Exception"))
        or is_cancellation(name)
        or is_control_flow(name)
        or _TIMEOUT_CLASS.fullmatch(last_word(name))
    )
    return name if is_class else ""


def last_word(name: str) -> str:
    """`httpx.ReadTimeout` -> `ReadTimeout`."""
    match = _LAST_WORD.search(name[-_MAX_NAME_LENGTH:])
    return match[1] if match else ""


def protocol_errors(record: SpanRecord) -> list[ProtocolError]:
    """The errors that the span's HTTP, gRPC and JSON-RPC codes tell of."""
    attributes = record.attributes
    if attributes.keys().isdisjoint(CODES):
        return []
    is_server = record.kind == "SERVER"
    found = []
    http = _number(attributes, HTTP_RESPONSE_STATUS_CODE, HTTP_STATUS_CODE)
    if http is not None and 400 <= http < 600:
        found.append(_http_error(http, is_server=is_server))
    jsonrpc = _number(attributes, RPC_JSONRPC_ERROR_CODE)
    rpc = attributes.get(RPC_RESPONSE_STATUS_CODE, attributes.get(RPC_GRPC_STATUS_CODE))
    if rpc is not None:
        number = _as_int(rpc)
        if number is not None and number < 0:
            jsonrpc = number
        else:
            found += _grpc_errors(_grpc_name(rpc, number), is_server=is_server)
    if jsonrpc:
        # An error object is an error on either side: https://opentelemetry.io/docs/specs/semconv/rpc/json-rpc/
        kind: FailureType = "validation_error" if jsonrpc == -32602 else "exception"
        found.append(ProtocolError(kind, f"JSON-RPC {jsonrpc}", fails_alone=True))
    return found


def _http_error(code: int, *, is_server: bool) -> ProtocolError:
    kind = failure_type_of(str(code)) or "exception"
    fails_alone = code >= 500 or (code in (408, 422) and not is_server)
    return ProtocolError(kind, f"HTTP {code}", fails_alone, is_vague=code < 500)


def _grpc_errors(name: str, *, is_server: bool) -> list[ProtocolError]:
    if name in ("OK", "CANCELLED", ""):
        return []
    kind = failure_type_of(name) or "exception"
    fails_alone = name in _GRPC_SERVER_ERRORS or (name == "INVALID_ARGUMENT" and not is_server)
    return [ProtocolError(kind, f"gRPC {name}", fails_alone, is_vague=name not in _GRPC_SERVER_ERRORS)]


def _grpc_name(value: AnyValue, number: int | None) -> str:
    if number is None:
        return value.upper() if isinstance(value, str) else ""
    return _GRPC_NAMES[number] if number < len(_GRPC_NAMES) else str(number)


def _number(attributes: Attributes, *names: str) -> int | None:
    for name in names:
        number = _as_int(attributes.get(name))
        if number is not None:
            return number
    return None


def _as_int(value: AnyValue) -> int | None:
    number = as_number(value)
    return int(number) if number is not None and number == int(number) else None
