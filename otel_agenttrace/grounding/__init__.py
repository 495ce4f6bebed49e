"""Does a text say only what its sources say? Pure text in, a report out: no spans, no network, no model.

`docs/grounding.md` says how it works and what it cannot see.
"""

from __future__ import annotations

from otel_agenttrace.grounding.check import ground
from otel_agenttrace.grounding.report import Claim, GroundingChecker, GroundingReport, Kind, Reason

__all__ = ["Claim", "GroundingChecker", "GroundingReport", "Kind", "Reason", "ground"]
