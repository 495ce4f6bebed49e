"""Calls that a provider turned down, which cost nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.model.record import EventRecord
from otel_agenttrace.pipeline.rejections import was_rejected
from otel_agenttrace.testing.spans import START, make_span

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord


def _failed(**attributes: Any) -> SpanRecord:
    named = {name.replace("__", "."): value for name, value in attributes.items()}
    return make_span(status_code="ERROR", attributes={"gen_ai.operation.name": "chat", **named})


@pytest.mark.parametrize(
    "span",
    [
        _failed(http__response__status_code=429),
        _failed(http__status_code="401"),
        _failed(error__type="400"),
        _failed(error__type="RateLimitError"),
        _failed(error__type="openai.BadRequestError"),
        _failed(error__type="rate_limit_exceeded"),
        make_span(status_code="ERROR", status_message="AuthenticationError: no such key"),
        make_span(
            status_code="ERROR",
            events=(EventRecord("exception", START, {"exception.type": "anthropic.RateLimitError"}),),
        ),
    ],
)
def test_a_client_error_is_a_rejection(span: SpanRecord) -> None:
    """Its status says so, or the name of an exception that SDKs make of one."""
    assert was_rejected(span)


@pytest.mark.parametrize(
    "span",
    [
        make_span(),
        make_span(status_code="ERROR"),
        make_span(attributes={"http.response.status_code": 429}),
        _failed(http__response__status_code=500),
        _failed(http__response__status_code=200, error__type="BadRequestError"),
        _failed(http__response__status_code=408),
        _failed(error__type="499"),
        _failed(error__type="APIConnectionError"),
        _failed(error__type="TimeoutError"),
        _failed(error__type=["no", "text"]),
    ],
)
def test_any_other_end_is_none(span: SpanRecord) -> None:
    """What failed at the provider, on the way or by waiting too long may have been charged for."""
    assert not was_rejected(span)
