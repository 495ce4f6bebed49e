"""Serialised spans for tests of the spool, and the numbers that tell them apart."""

from __future__ import annotations

import orjson

from otel_agenttrace.model.codec import SerializedSpan


def make_serialized(
    number: int, *, size: int = 0, service: str = "booking-agent", scope: str = "tests"
) -> SerializedSpan:
    """A serialised span that carries a number, and `size` bytes more."""
    return SerializedSpan(
        orjson.dumps({"name": f"span {number}", "attributes": {"number": number, "filling": "x" * size}}),
        orjson.dumps({"attributes": {"service.name": service}}),
        orjson.dumps({"name": scope}),
    )


def number_of(span: SerializedSpan) -> int:
    """The number of a span of `make_serialized`."""
    return int(orjson.loads(span.span)["attributes"]["number"])
