"""A flag: something remarkable that is no failure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from otel_agenttrace.model.record import Attributes

FlagKind: TypeAlias = Literal[
    "content_filter",
    "empty_answer",
    "no_progress",
    "out_of_order",
    "refusal",
    "token_burn",
    "tool_loop",
    "truncated",
]


@dataclass(frozen=True, slots=True)
class Flag:
    """Something remarkable.

    Attributes:
        span_id: where it shows; of something that repeats, the last time.
        message: in a sentence.
        evidence: what it was raised by: names, counts, span ids.
    """

    kind: FlagKind
    span_id: str
    message: str
    evidence: Attributes = field(default_factory=dict)
