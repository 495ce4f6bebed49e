"""S7: the implementer makes the artifacts that were designed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.model.handoff import ArtifactIntent
from otel_agenttrace.workflow.pilot.templates import content_of, lines_in

if TYPE_CHECKING:
    from otel_agenttrace.workflow.pilot.folder import RunFolder

AGENT = "implementer"


def implement_designs(folder: RunFolder) -> list[str]:
    """Make each artifact, write `artifacts.json`, and return the paths of what was made."""
    values = {each["name"]: each["value"] for each in folder.read("export/contract.json")["parameters"]}
    inventory = []
    for path in folder.names("design"):
        design = folder.read(path)
        parameters = {name: values[name] for name in design["parameters"]}
        told = design["artifact"]
        text = content_of(told["type"], design["title"], design["service"], parameters)
        folder.write(told["path"], text)
        made = ArtifactIntent(
            **told, checksum=folder.checksum(told["path"]), produced_by=AGENT, purpose=design["title"]
        )
        about = {"feature": design["feature"], "design_checksum": folder.checksum(path), "lines": lines_in(text)}
        inventory.append({**made.model_dump(exclude_none=True), **about})
    manifest = folder.checksum("export/artifact-manifest.json")
    folder.write("artifacts.json", {"phase": "S7", "artifact_manifest_checksum": manifest, "artifacts": inventory})
    return ["artifacts.json", *(each["path"] for each in inventory)]
