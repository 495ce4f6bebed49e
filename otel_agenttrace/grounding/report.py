"""What a check of a text against its sources found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Literal["statement", "number", "date", "url", "quotation", "name"]
Reason = Literal[
    "unsupported_number",
    "unsupported_date",
    "unsupported_url",
    "unsupported_quotation",
    "unsupported_name",
    "unsupported_statement",
    "contradiction",
]


@dataclass(frozen=True)
class Claim:
    """One sentence, list item or table row of the output that claims something.

    Attributes:
        text: as it stands in the output, so `output[start:end] == text`.
        start: index of its first character in the output.
        end: index after its last character.
        kind: the part of it that can be checked best; where it is unsupported, the part that is.
        support: 0 (nothing speaks for it) to 1; below 0.5 exactly if it is not supported.
        passage: the part of the sources that speaks for it best, None if no part does.
        source_index: which source that is from.
        reason: why it is not supported, None if it is.
        missing: the parts of the text that the sources do not bear out, as written; empty if the whole is meant.
    """

    text: str
    start: int
    end: int
    kind: Kind
    support: float
    passage: str | None = None
    source_index: int | None = None
    reason: Reason | None = None
    missing: tuple[str, ...] = ()

    @property
    def is_supported(self) -> bool:
        """Nothing was found that speaks against it."""
        return self.reason is None


@dataclass(frozen=True)
class GroundingReport:
    """What a check found.

    Attributes:
        score: 0..1, halfway between the support of the weakest claim and the mean of all; None if nothing was checked.
        claims: in the order of the output.
    """

    score: float | None
    claims: tuple[Claim, ...]

    @property
    def is_skipped(self) -> bool:
        """There was nothing to check: no claims, or no sources to hold them against."""
        return self.score is None

    @property
    def unsupported(self) -> tuple[Claim, ...]:
        """The claims that the sources do not bear out."""
        return tuple(claim for claim in self.claims if not claim.is_supported)

    @classmethod
    def of(cls, claims: Sequence[Claim]) -> GroundingReport:
        """Sum up some claims; no claims make a report that is skipped."""
        if not claims:
            return cls(None, ())
        supports = [claim.support for claim in claims]
        return cls((min(supports) + sum(supports) / len(supports)) / 2, tuple(claims))


class GroundingChecker(Protocol):
    """Whatever checks a text against its sources: `ground`, or a check with a model behind it."""

    def __call__(self, output: str, sources: Sequence[str], /) -> GroundingReport:
        """Check the output. A check that cannot tell returns a report without claims."""
        ...
