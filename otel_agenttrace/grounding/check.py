"""The check itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.grounding.claims import candidates_of, item_counts
from otel_agenttrace.grounding.judge import Judge
from otel_agenttrace.grounding.report import GroundingReport
from otel_agenttrace.grounding.sources import Material

if TYPE_CHECKING:
    from collections.abc import Sequence


_MAX_SOURCES = 4_000_000  # characters of all sources together; reading only some of them would flag what the rest says
_MAX_OUTPUT = 100_000  # characters that are looked at


def ground(output: str, sources: Sequence[str]) -> GroundingReport:
    """Hold each claim of a text against the sources it should rest on.

    The same text and sources give the same report on every machine; nothing is read but the arguments.

    Args:
        output: what an agent said, plain or Markdown.
        sources: what it could know: results of tools, documents, the user's own words. JSON is read as data.

    Returns:
        The claims with their support, at most the first 500; a report that is skipped if there are no claims, or
        nothing in the sources, or more than can be read.

    Raises:
        TypeError: `output` is no string, or `sources` is a string itself or has something else in it.
    """
    if not isinstance(output, str):
        message = f"output must be a string, not {type(output).__name__}"
        raise TypeError(message)
    if isinstance(sources, str) or not all(isinstance(source, str) for source in sources):
        message = "sources must be a sequence of strings, such as a list"
        raise TypeError(message)
    if sum(map(len, sources)) > _MAX_SOURCES:
        return GroundingReport.of(())
    output = output[:_MAX_OUTPUT]
    candidates = list(candidates_of(output))
    if not candidates:
        return GroundingReport.of(())
    material = Material(sources)
    if not material.passages:
        return GroundingReport.of(())
    judge = Judge(material, item_counts(output))
    claims = (judge.claim_of(candidate) for candidate in candidates)
    return GroundingReport.of([claim for claim in claims if claim is not None])
