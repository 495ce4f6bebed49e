"""Counts inside of JSON text, found without parsing it: spans repeat whole answers in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.model.record import AnyValue, SpanRecord

_MAX_LENGTH = 128 * 1024
"""Characters searched, the last ones: usage stands behind the content."""


def count_in(attribute: str, *names: str) -> Callable[[SpanRecord], AnyValue]:
    """A source: the first count under one of the names, in the JSON text of an attribute.

    Text that an answer quotes is not taken for a name, for its quotation marks are escaped.
    """
    pattern = re.compile(rf'"(?:{"|".join(map(re.escape, names))})"\s*:\s*([0-9]{{1,15}})(?![0-9.eE])')

    def read_count(record: SpanRecord) -> AnyValue:
        text = record.attributes.get(attribute)
        if not isinstance(text, str):
            return None
        found = pattern.search(text[-_MAX_LENGTH:] if len(text) > _MAX_LENGTH else text)
        return None if found is None else int(found[1])

    return read_count
