"""Which spans are verdicts: what this package found out about a whole trace, itself kept as a span of that trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import SPAN_VERDICT
from otel_agenttrace.model.merge import canonical_form
from otel_agenttrace.model.record import ScopeRecord, completeness

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_agenttrace.model.record import SpanRecord

VERDICT_SCOPE = ScopeRecord("otel_agenttrace")
"""Without a version: the same spans give the same verdict, whichever process makes it."""


def is_verdict(record: SpanRecord) -> bool:
    """Whether the span is a verdict; it is known by its name and its scope's."""
    return record.name == SPAN_VERDICT and record.scope.name == VERDICT_SCOPE.name


def newest_verdict(verdicts: Iterable[SpanRecord]) -> SpanRecord | None:
    """The verdict that was made from most, whatever the order; None if there is none."""
    found = list(verdicts)
    if len(found) < 2:
        return found[0] if found else None
    return max(found, key=lambda record: (completeness(record)[1], canonical_form(record)))
