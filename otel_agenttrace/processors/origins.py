"""Origins: the code locations behind a span as bytes, so that they outlive the process that noted them.

The contract is checked behind the spool, by whoever reads a record there, which may be another process.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

STARTED = ""
"""Stands for the start of a span among its attributes; no attribute has an empty name."""

UNKNOWN = b"{}"
"""Of a span of whose code nothing is known, and which is to be checked all the same."""


class CodeLocation(NamedTuple):
    """A line of code, as https://opentelemetry.io/docs/specs/semconv/registry/attributes/code/ has it."""

    file_path: str
    line_number: int | None
    function_name: str


class Origins:
    """Where a span was started, and where each of its attributes was last set, as far as it is known."""

    def __init__(self, locations: Mapping[str, CodeLocation]) -> None:
        self._locations = locations

    def of(self, attribute: str) -> CodeLocation | None:
        """Where the attribute was set, else where the span was started; None if neither is known."""
        return self._locations.get(attribute) or self._locations.get(STARTED)


def encode_origins(locations: Mapping[str, CodeLocation]) -> bytes:
    """Return the locations as JSON; `decode_origins` gives them back."""
    if not locations:
        return UNKNOWN
    # Names may be of a subclass of str, as our constants are, which orjson takes for no key.
    return orjson.dumps({str.__str__(name): tuple(location) for name, location in locations.items()})


@lru_cache(maxsize=1024)
def decode_origins(text: bytes) -> Origins:
    """Read what `encode_origins` wrote; what is damaged counts as not known. Many spans share one text."""
    try:
        found = orjson.loads(text)
        return Origins({name: CodeLocation(*location) for name, location in found.items()})
    except (ValueError, TypeError, AttributeError):
        return Origins({})
