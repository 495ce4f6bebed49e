"""The phases of the registry in their order, for those that compare phases and need not read the registry."""

from __future__ import annotations

PHASES = (
    "INIT_BASELINE",
    "EXPORT_CONTRACT",
    "CONTRACT_INTEGRITY",
    "INGEST_PARSE_ASSESS",
    "ROUTING_DECISION",
    "ARTISAN_DESIGN",
    "ARTISAN_IMPLEMENT",
    "TEST_VALIDATE",
    "REVIEW_CALIBRATE",
    "FINALIZE_VERIFY",
)
"""Each comes after those before it. `OTHER` has no place among them."""
