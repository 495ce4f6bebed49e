"""What each phase says on its span: the checksums that it worked from, and what it counted, read from the files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.contract.attributes import (
    INPUT_ARTIFACT_MANIFEST_CHECKSUM,
    INPUT_PROJECT_CONTEXT_CHECKSUM,
    INPUT_SOURCE_CHECKSUM,
    OUTPUT_ARTIFACT_CHECKSUMS,
    OUTPUT_ARTIFACT_COUNT,
    OUTPUT_FINALIZE_STATUS,
    OUTPUT_PATH_COUNT,
    QUALITY_COVERAGE_PERCENT,
    QUALITY_FEATURE_COUNT,
    QUALITY_GAP_COUNT,
    ROUTING_COMPLEXITY_SCORE,
    ROUTING_SELECTED_PATH,
)
from otel_agenttrace.workflow.checks import FindingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.workflow.pilot.folder import RunFolder

_WITHOUT_MANIFEST = ("S1", "S2")


def measures_of(phase: str, folder: RunFolder) -> dict[str, Any]:
    """The attributes of a phase, as far as the files have them: what they lack is for the gates to tell."""
    measures: dict[str, Callable[[RunFolder], Any]] = {
        INPUT_SOURCE_CHECKSUM: lambda files: files.checksum("source/requirements.yaml"),
        INPUT_PROJECT_CONTEXT_CHECKSUM: lambda files: files.checksum("source/context.yaml"),
    }
    if phase not in _WITHOUT_MANIFEST:
        measures[INPUT_ARTIFACT_MANIFEST_CHECKSUM] = lambda files: files.checksum("export/artifact-manifest.json")
    measures.update(_OF_PHASES.get(phase, {}))
    found = {}
    for name, measure in measures.items():
        try:
            found[name] = measure(folder)
        except (FindingError, LookupError, TypeError, ValueError, AttributeError):
            continue
    return found


def _gaps(folder: RunFolder) -> int:
    return len(folder.read("export/contract.json")["gaps"])


def _features(folder: RunFolder) -> int:
    return len(folder.read("features.json")["features"])


def _gap_coverage(folder: RunFolder) -> float:
    """Percent of the gaps that have a feature."""
    gaps = {gap["id"] for gap in folder.read("export/contract.json")["gaps"]}
    closed = {feature["gap"] for feature in folder.read("features.json")["features"]}
    return 100.0 * len(gaps & closed) / len(gaps)


def _met_coverage(folder: RunFolder) -> float:
    """Percent of the requirements that are met before anything is made."""
    baseline = folder.read("baseline.json")
    return float(100.0 * baseline["met_count"] / baseline["requirement_count"])


def _artifact_checksums(folder: RunFolder) -> list[str]:
    return [artifact["checksum"] for artifact in folder.read("artifacts.json")["artifacts"]]


def _artifacts(folder: RunFolder) -> int:
    return len(folder.read("artifacts.json")["artifacts"])


def _paths(folder: RunFolder) -> int:
    return len(folder.names("artifacts"))


_COUNTS: dict[str, Callable[[RunFolder], Any]] = {QUALITY_GAP_COUNT: _gaps, QUALITY_FEATURE_COUNT: _features}
_OF_PHASES: dict[str, dict[str, Callable[[RunFolder], Any]]] = {
    "S1": {QUALITY_COVERAGE_PERCENT: _met_coverage},
    "S2": {
        QUALITY_GAP_COUNT: _gaps,
        QUALITY_COVERAGE_PERCENT: _met_coverage,
        OUTPUT_ARTIFACT_COUNT: lambda folder: len(folder.names("export")),
        OUTPUT_ARTIFACT_CHECKSUMS: lambda folder: list(folder.checksums(folder.names("export")).values()),
    },
    "S3": {QUALITY_GAP_COUNT: _gaps},
    "S4": {**_COUNTS, QUALITY_COVERAGE_PERCENT: _gap_coverage},
    "S5": {
        **_COUNTS,
        QUALITY_COVERAGE_PERCENT: _gap_coverage,
        ROUTING_COMPLEXITY_SCORE: lambda folder: float(folder.read("routing.json")["complexity_score"]),
        ROUTING_SELECTED_PATH: lambda folder: folder.read("routing.json")["selected_path"],
    },
    "S6": {
        **_COUNTS,
        ROUTING_SELECTED_PATH: lambda folder: folder.read("routing.json")["selected_path"],
        OUTPUT_ARTIFACT_CHECKSUMS: lambda folder: list(folder.checksums(folder.names("design")).values()),
    },
    "S7": {
        ROUTING_SELECTED_PATH: lambda folder: folder.read("routing.json")["selected_path"],
        OUTPUT_PATH_COUNT: _paths,
        OUTPUT_ARTIFACT_COUNT: _artifacts,
        OUTPUT_ARTIFACT_CHECKSUMS: _artifact_checksums,
    },
    "S8": {
        **_COUNTS,
        QUALITY_COVERAGE_PERCENT: lambda folder: float(folder.read("test-results.json")["coverage_percent"]),
    },
    "S9": {
        **_COUNTS,
        QUALITY_COVERAGE_PERCENT: lambda folder: float(folder.read("test-results.json")["coverage_percent"]),
    },
    "S10": {
        **_COUNTS,
        QUALITY_COVERAGE_PERCENT: lambda folder: float(folder.read("final.json")["coverage_percent"]),
        OUTPUT_PATH_COUNT: _paths,
        OUTPUT_ARTIFACT_COUNT: _artifacts,
        OUTPUT_FINALIZE_STATUS: lambda folder: folder.read("final.json")["finalize_status"],
        OUTPUT_ARTIFACT_CHECKSUMS: _artifact_checksums,
    },
}
