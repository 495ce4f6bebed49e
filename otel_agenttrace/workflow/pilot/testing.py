"""S8: the tester looks at each artifact: whether it can be read, and has its parameters' values in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from otel_agenttrace.workflow.checks import FindingError

if TYPE_CHECKING:
    from otel_agenttrace.workflow.pilot.folder import RunFolder


def test_artifacts(folder: RunFolder, failures: int) -> list[str]:
    """Write `test-results.json` and return its path.

    Args:
        folder: of the run.
        failures: how many tests fail whatever they find.
    """
    values = {each["name"]: each["value"] for each in folder.read("export/contract.json")["parameters"]}
    used = {each["artifact"]: each["parameters"] for each in folder.read("features.json")["features"]}
    tests = []
    for artifact in folder.read("artifacts.json")["artifacts"]:
        path, name = artifact["path"], artifact["artifact_id"]
        wanted = {parameter: values[parameter] for parameter in used[path]}
        for test, problem in (("parses", _unreadable(folder, path)), ("parameters", _missing(folder, path, wanted))):
            tests.append(_result(f"{name}-{test}", path, artifact["checksum"], problem))
    for result in tests[:failures]:
        result.update(outcome="failed", message="made to fail by --test-failures")
    failed = sum(result["outcome"] != "passed" for result in tests)
    tested = sorted({result["artifact"] for result in tests})
    folder.write(
        "test-results.json",
        {
            "phase": "S8",
            "artifacts_checksum": folder.checksum("artifacts.json"),
            "tests": tests,
            "passed": len(tests) - failed,
            "failed": failed,
            "artifacts_tested": tested,
            "coverage_percent": 100.0 * len(tested) / len(used) if used else 0.0,
        },
    )
    return ["test-results.json"]


def _unreadable(folder: RunFolder, path: str) -> str:
    """Why an artifact cannot be read; empty if it can."""
    try:
        if path.endswith(".md"):
            return "" if folder.text(path).startswith("# ") else "it has no title"
        return "" if isinstance(folder.read(path), dict) else "it is no object"
    except FindingError as error:
        return str(error)


def _missing(folder: RunFolder, path: str, wanted: dict[str, Any]) -> str:
    """Which parameters an artifact does not have; empty if it has all."""
    lines = [line.strip().lstrip("- ").rstrip(",").replace('"', "") for line in folder.text(path).splitlines()]
    absent = [name for name, value in wanted.items() if f"{name}: {json.dumps(value)}".replace('"', "") not in lines]
    return f"it lacks {', '.join(absent)}" if absent else ""


def _result(test_id: str, path: str, checksum: str, problem: str) -> dict[str, Any]:
    outcome = "failed" if problem else "passed"
    return {"id": test_id, "artifact": path, "checksum": checksum, "outcome": outcome, "message": problem}
