"""What an OTLP server said to an exporter that only tells SUCCESS or FAILURE.

The standard exporters tell neither why they failed nor of a partial success
(https://opentelemetry.io/docs/specs/otlp/#partial-success), and count a redirect as success. Their HTTP exporter is
watched with a response hook of its `requests` session, that for gRPC by standing between it and its stub. Where either
is kept is nothing that they promise: of an exporter in which it is not found, nothing is known but its result.

What the server says is the fault of the data (400, 413, 422; INVALID_ARGUMENT, a message that is too large) is
permanent. All else is waited for: OTLP has clients drop spans on 401, 403 or 404 too, but those are mistakes in the
settings, which somebody will mend, and the spans are on disk.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from grpc import RpcError, StatusCode  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from requests import ConnectionError, Session  # noqa: A004 - the library's word for it

from otel_agenttrace.spool.target import TAKEN, Delivery

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace.export import SpanExporter
    from requests import Response

_MAX_MESSAGE = 500
_FAULT_OF_DATA = frozenset({400, 413, 422})
_DOUBTFUL_CODES = frozenset(
    {
        StatusCode.ALREADY_EXISTS,
        StatusCode.FAILED_PRECONDITION,
        StatusCode.INTERNAL,
        StatusCode.RESOURCE_EXHAUSTED,
        StatusCode.UNKNOWN,
    }
)
"""What servers answer to data that they cannot cope with, and to much else."""


class Answers:
    """The last answer of a server.

    Attributes:
        last: what it amounts to; None if there was none.
    """

    def __init__(self) -> None:
        self.last: Delivery | None = None

    def forget(self) -> None:
        """Be ready for another request."""
        self.last = None

    def note_http(self, response: Response, *_: object, **__: object) -> None:
        """Take note of a response; a hook of `requests`."""
        self.last = _http_delivery(response)

    def note_unreachable(self, error: ConnectionError) -> None:
        """Take note that there was nobody to answer."""
        self.last = Delivery("away", message=f"{type(error).__name__}: {error}"[:_MAX_MESSAGE])

    def note_grpc(self, response: object) -> None:
        """Take note of a response, or of the error that was raised in its place."""
        self.last = _grpc_error(response) if isinstance(response, RpcError) else _partial_success(response)


def watch(exporter: SpanExporter) -> Answers | None:
    """Listen to what servers say to an exporter of OTLP; None if it is of a version that is not known."""
    answers = Answers()
    client = getattr(exporter, "_client", None)
    if callable(getattr(exporter, "_stub", None)) and hasattr(client, "Export"):
        _watch_stub(exporter, answers)
        return answers
    for owner in (getattr(client, "_transport", None), exporter):  # before 1.45 it is kept in the exporter itself
        session = getattr(owner, "_session", None)
        if isinstance(session, Session):
            _watch_session(session, answers)
            return answers
    return None


def _watch_session(session: Session, answers: Answers) -> None:
    session.hooks["response"].append(answers.note_http)
    send = session.send

    def watched(*args: Any, **kwargs: Any) -> Response:
        try:
            return send(*args, **kwargs)
        except ConnectionError as error:
            answers.note_unreachable(error)
            raise

    session.send = watched  # type: ignore[method-assign]


class _WatchedStub:
    """A TraceServiceStub that tells of its answers."""

    def __init__(self, stub: Any, answers: Answers) -> None:
        self._export: Callable[..., object] = stub.Export
        self._answers = answers

    def Export(self, *args: Any, **kwargs: Any) -> object:  # noqa: N802 - the service's name
        try:
            response = self._export(*args, **kwargs)
        except RpcError as error:
            self._answers.note_grpc(error)
            raise
        self._answers.note_grpc(response)
        return response


def _watch_stub(exporter: Any, answers: Answers) -> None:
    """Stand between a gRPC exporter and its stub, and the others that it makes when it connects again."""
    make = exporter._stub  # noqa: SLF001 - see the module
    exporter._stub = lambda channel: _WatchedStub(make(channel), answers)  # noqa: SLF001 - as above
    exporter._client = _WatchedStub(exporter._client, answers)  # noqa: SLF001 - as above


def _http_delivery(response: Response) -> Delivery:
    status = response.status_code
    if 200 <= status < 300:
        return _partial_success(_parsed(ExportTraceServiceResponse(), response.content))
    message = f"HTTP {status}: {_reason(response)}"
    if status in _FAULT_OF_DATA:
        return Delivery("refused", message=message)
    return Delivery("away", message=message, retry_after_s=_retry_after(response))


def _reason(response: Response) -> str:
    """The server's own words: the message of the status in the body, else the body if it is text."""
    message = ""
    if "protobuf" in response.headers.get("content-type", ""):
        message = getattr(_parsed(Status(), response.content), "message", "")
    elif response.headers.get("content-type", "").startswith(("text/plain", "application/json")):
        message = response.content[:_MAX_MESSAGE].decode("utf-8", "replace")
    return (message or response.reason or "")[:_MAX_MESSAGE]


def _retry_after(response: Response) -> float | None:
    """Seconds from the header `Retry-After`, which holds those, or a date."""
    value = response.headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        wanted, sent = parsedate_to_datetime(value), parsedate_to_datetime(response.headers.get("date", ""))
        return max(0.0, (wanted - sent).total_seconds())  # by the server's clock alone
    except (TypeError, ValueError):
        return None


def _partial_success(response: object) -> Delivery:
    told = getattr(response, "partial_success", None)
    rejected = getattr(told, "rejected_spans", 0)
    message = str(getattr(told, "error_message", ""))[:_MAX_MESSAGE]
    return Delivery("taken", max(0, rejected), message) if rejected > 0 or message else TAKEN


def _grpc_error(error: Any) -> Delivery:
    code, details = error.code(), str(error.details() or "")[:_MAX_MESSAGE]
    message = f"{getattr(code, 'name', code)}: {details}"
    if code is StatusCode.INVALID_ARGUMENT or "larger than max" in details:
        return Delivery("refused", message=message)
    retry_after_s = _retry_info(error)
    is_doubtful = code in _DOUBTFUL_CODES and retry_after_s is None
    return Delivery("failed" if is_doubtful else "away", message=message, retry_after_s=retry_after_s)


def _retry_info(error: Any) -> float | None:
    for key, value in error.trailing_metadata() or ():
        if key == "google.rpc.retryinfo-bin":
            delay = getattr(_parsed(RetryInfo(), value), "retry_delay", None)
            return None if delay is None else float(delay.seconds + delay.nanos / 1e9)
    return None


def _parsed(message: Any, data: bytes) -> object:
    """The message, None if the bytes are something else."""
    try:
        message.ParseFromString(data)
    except DecodeError:
        return None
    return message
