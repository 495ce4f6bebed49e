"""Checks that gates use, each of them usable alone.

Each is a function of what it checks that returns a `CheckOutcome`; `docs/checks.md` has them in a table.
"""

from __future__ import annotations

from otel_agenttrace.workflow.checks.agreement import check_agreement
from otel_agenttrace.workflow.checks.bounds import DEFAULT_BOUNDS, Bounds
from otel_agenttrace.workflow.checks.calibration import check_calibration
from otel_agenttrace.workflow.checks.chain import ChainStage, check_checksum_chain
from otel_agenttrace.workflow.checks.checksums import Checksum, checksum_of, parse_checksum
from otel_agenttrace.workflow.checks.coverage import check_coverage
from otel_agenttrace.workflow.checks.documents import read_document
from otel_agenttrace.workflow.checks.files import hash_file, list_files
from otel_agenttrace.workflow.checks.final_set import check_final_set
from otel_agenttrace.workflow.checks.findings import Finding, FindingError
from otel_agenttrace.workflow.checks.freshness import RecordedFile, check_freshness
from otel_agenttrace.workflow.checks.mapping import check_mapping_completeness
from otel_agenttrace.workflow.checks.parity import check_gap_parity
from otel_agenttrace.workflow.checks.paths import check_path_conventions
from otel_agenttrace.workflow.checks.resolvability import check_resolvability
from otel_agenttrace.workflow.checks.results import check_test_results
from otel_agenttrace.workflow.checks.routing import check_routing
from otel_agenttrace.workflow.checks.schema import check_document_validity, check_schema_validity

__all__ = [
    "DEFAULT_BOUNDS",
    "Bounds",
    "ChainStage",
    "Checksum",
    "Finding",
    "FindingError",
    "RecordedFile",
    "check_agreement",
    "check_calibration",
    "check_checksum_chain",
    "check_coverage",
    "check_document_validity",
    "check_final_set",
    "check_freshness",
    "check_gap_parity",
    "check_mapping_completeness",
    "check_path_conventions",
    "check_resolvability",
    "check_routing",
    "check_schema_validity",
    "check_test_results",
    "checksum_of",
    "hash_file",
    "list_files",
    "parse_checksum",
    "read_document",
]
