"""S9 and S10: artifacts are judged by their designs, and what was made is counted against what was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otel_agenttrace.workflow.pilot.folder import RunFolder


def review_results(folder: RunFolder) -> list[str]:
    """Write `review.json` and return its path."""
    calibration = folder.read("export/contract.json")["calibration"]
    results = folder.read("test-results.json")
    designs = {design["feature"]: design for design in map(folder.read, folder.names("design"))}
    reviews = [
        _review(artifact, designs[artifact["feature"]], calibration)
        for artifact in folder.read("artifacts.json")["artifacts"]
    ]
    approved = not results["failed"] and all(review["calibrated"] for review in reviews)
    folder.write(
        "review.json",
        {
            "phase": "S9",
            "test_results_checksum": folder.checksum("test-results.json"),
            "artifacts_checksum": folder.checksum("artifacts.json"),
            "reviews": reviews,
            "verdict": "approved" if approved else "changes_requested",
        },
    )
    return ["review.json"]


def reconcile(folder: RunFolder) -> None:
    """Write `final.json`: what lies there, and how much of what was required that covers."""
    baseline = folder.read("baseline.json")
    artifacts = folder.read("artifacts.json")["artifacts"]
    folder.read("review.json")
    there = folder.checksums(folder.names("artifacts"))
    covered = baseline["met_count"] + sum(each["path"] in there for each in artifacts)
    total = baseline["requirement_count"]
    folder.write(
        "final.json",
        {
            "phase": "S10",
            "source_checksum": baseline["source_checksum"],
            "review_checksum": folder.checksum("review.json"),
            "finalize_status": "complete" if covered == total else "partial" if covered else "failed",
            "artifacts": there,
            "requirement_count": total,
            "covered_count": covered,
            "coverage_percent": 100.0 * covered / total if total else 0.0,
        },
    )


def _review(artifact: dict[str, Any], design: dict[str, Any], calibration: dict[str, Any]) -> dict[str, Any]:
    limits = calibration[artifact["type"]]
    return {
        "feature": artifact["feature"],
        "artifact": artifact["path"],
        "planned_lines": design["planned_lines"],
        "lines": artifact["lines"],
        "depth": design["depth"],
        "calibrated": limits["min_lines"] <= artifact["lines"] <= limits["max_lines"],
    }
