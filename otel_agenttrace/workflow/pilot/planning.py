"""S4 and S5: gaps become features, and the work is routed by how hard it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otel_agenttrace.workflow.pilot.folder import RunFolder

_MOST = 100.0


def plan_features(folder: RunFolder, dropped: tuple[str, ...]) -> None:
    """Write `features.json`: a feature for each gap, but for those that are dropped."""
    contract = folder.read("export/contract.json")
    artifacts = {each["gap"]: each for each in folder.read("export/artifact-manifest.json")["artifacts"]}
    features = [
        {
            "id": gap["id"],
            "gap": gap["id"],
            "title": gap["title"],
            "service": gap["service"],
            "type": gap["type"],
            "artifact": artifacts[gap["id"]]["path"],
            "parameters": gap["parameters"],
        }
        for gap in contract["gaps"]
        if gap["id"] not in dropped
    ]
    folder.write(
        "features.json",
        {
            "phase": "S4",
            "contract_checksum": folder.checksum("export/contract.json"),
            "artifact_manifest_checksum": folder.checksum("export/artifact-manifest.json"),
            "features": features,
        },
    )


def route(folder: RunFolder) -> None:
    """Write `routing.json`: what each feature adds to the score, and the path that follows from it."""
    rules = folder.read("export/contract.json")["routing"]
    features = folder.read("features.json")["features"]
    scores = {each["id"]: rules["weights"][each["type"]] for each in features}
    score = min(float(sum(scores.values())), _MOST)
    path = "artisan" if score >= rules["threshold"] else "prime"
    compared = "at or above" if path == "artisan" else "below"
    folder.write(
        "routing.json",
        {
            "phase": "S5",
            "features_checksum": folder.checksum("features.json"),
            "scores": scores,
            "complexity_score": score,
            "threshold": rules["threshold"],
            "selected_path": path,
            "reason": f"{score:g} is {compared} {rules['threshold']:g}",
        },
    )
