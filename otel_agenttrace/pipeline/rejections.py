"""Whether a provider turned a call down before it did any work, and so charged nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import ERROR_TYPE, HTTP_RESPONSE_STATUS_CODE, HTTP_STATUS_CODE
from otel_agenttrace.pipeline.error_words import last_word
from otel_agenttrace.pipeline.failures import classify
from otel_agenttrace.pipeline.numbers import as_number

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord

_MAYBE_CHARGED = (408, 499)
"""The provider, or the client, gave up waiting: the model may have been at work."""

_REJECTIONS = frozenset(
    {
        # openai and anthropic, and LiteLLM, which takes over their classes
        "AuthenticationError",
        "BadRequestError",
        "ContentPolicyViolationError",
        "ContextWindowExceededError",
        "NotFoundError",
        "PermissionDeniedError",
        "RateLimitError",
        "RequestTooLargeError",
        "UnprocessableEntityError",
        # boto3
        "AccessDeniedException",
        "ResourceNotFoundException",
        "ServiceQuotaExceededException",
        "ThrottlingException",
        "ValidationException",
        # google
        "InvalidArgument",
        "PermissionDenied",
        "ResourceExhausted",
        "TooManyRequests",
        "Unauthenticated",
        # words that emitters use as `error.type`
        "insufficient_quota",
        "invalid_request_error",
        "rate_limit_error",
        "rate_limit_exceeded",
    }
)
"""Classes and words that stand for an HTTP status from 400 to 499."""


def was_rejected(record: SpanRecord) -> bool:
    """Whether the span is a call that failed with an HTTP status from 400 to 499, or with an error that stands for one.

    Not asked is whether the span has any output or usage: see `totals`.
    """
    error = classify(record)
    if error is None or not error.is_error:
        return False
    codes = [
        as_number(record.attributes.get(name)) for name in (HTTP_RESPONSE_STATUS_CODE, HTTP_STATUS_CODE, ERROR_TYPE)
    ]
    told = [code for code in codes if code is not None]
    if told:
        return any(400 <= code < 500 and code not in _MAYBE_CHARGED for code in told)
    return last_word(error.exception_type) in _REJECTIONS
