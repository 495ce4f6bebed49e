"""Which of several records of one span is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from otel_agenttrace.model.codec import serialize_record
from otel_agenttrace.model.record import completeness

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord

_ENDED = 2
"""The rank in `completeness` of a span that ended by itself."""


def greater(one: SpanRecord, other: SpanRecord) -> SpanRecord:
    """The one of two records of one identity that is kept: more complete, then greater in its canonical form.

    `one` when they say the same.
    """
    return max(one, other, key=lambda record: (completeness(record), canonical_form(record)))


def conflicting(one: SpanRecord, other: SpanRecord) -> bool:
    """Whether two records of one identity both claim to be the ended span, equally complete, and differ."""
    rank = completeness(one)
    return rank == completeness(other) and rank[0] == _ENDED and canonical_form(one) != canonical_form(other)


def merge(kept: SpanRecord, new: SpanRecord, *, conflict: bool) -> tuple[SpanRecord, bool]:
    """Merge a record into the one that is kept of its identity.

    Returns:
        The record to keep (`kept` itself where nothing changes), and whether differing records as complete as that
        one were seen. Merging any records in any order, some of them repeatedly, ends with the same result.
    """
    winner = greater(kept, new)
    if completeness(kept) != completeness(new):
        return winner, conflict and winner is kept
    return winner, conflict or conflicting(kept, new)


def canonical_form(record: SpanRecord) -> bytes:
    """The serialised record with sorted keys: the same bytes for records that differ in nothing but their order.

    Not `==`, to which 1 and true are the same, and NaN is never itself.
    """
    return b"\0".join(
        orjson.dumps(orjson.loads(part), option=orjson.OPT_SORT_KEYS) for part in serialize_record(record)
    )
