"""S6: the designer says of each feature what to make, where, and how large it will be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.workflow.pilot.templates import content_of, lines_in

if TYPE_CHECKING:
    from otel_agenttrace.workflow.pilot.folder import RunFolder


def design_features(folder: RunFolder) -> list[str]:
    """Write a design for each feature, and return their paths."""
    contract = folder.read("export/contract.json")
    features = folder.read("features.json")["features"]
    artifacts = {each["gap"]: each for each in folder.read("export/artifact-manifest.json")["artifacts"]}
    checksum = folder.checksum("features.json")
    paths = []
    for feature in features:
        path = f"design/{feature['id']}.json"
        draft = content_of(feature["type"], feature["title"], feature["service"], dict.fromkeys(feature["parameters"]))
        artifact = artifacts[feature["gap"]]
        folder.write(
            path,
            {
                "phase": "S6",
                "feature": feature["id"],
                "features_checksum": checksum,
                "artifact": {key: artifact[key] for key in ("artifact_id", "type", "path", "media_type")},
                "title": feature["title"],
                "service": feature["service"],
                "depth": contract["calibration"][feature["type"]]["depth"],
                "planned_lines": lines_in(draft),
                "parameters": feature["parameters"],
            },
        )
        paths.append(path)
    return paths
