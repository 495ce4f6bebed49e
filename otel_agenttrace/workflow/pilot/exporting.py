"""S1 and S2: the sources are taken stock of, and what is to be built is written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otel_agenttrace.workflow.pilot.folder import RunFolder

CALIBRATION = {
    "panel": {"depth": "standard", "min_lines": 10, "max_lines": 40},
    "alert": {"depth": "standard", "min_lines": 8, "max_lines": 30},
    "slo": {"depth": "comprehensive", "min_lines": 8, "max_lines": 40},
    "runbook": {"depth": "brief", "min_lines": 8, "max_lines": 60},
}
"""How deep and how large an artifact of each kind is meant to be."""

_ROUTING = {"weights": {"panel": 6, "alert": 8, "slo": 12, "runbook": 5}, "threshold": 30.0}
_FOLDERS = {
    "panel": ("panels", "json", "application/json"),
    "alert": ("alerts", "yaml", "application/yaml"),
    "slo": ("slos", "yaml", "application/yaml"),
    "runbook": ("runbooks", "md", "text/markdown"),
}


def take_stock(folder: RunFolder) -> None:
    """Write `baseline.json`: what is required, what is met, and of which sources that is true."""
    folder.read("source/context.yaml")
    requirements = folder.read("source/requirements.yaml")["requirements"]
    unmet = [{"id": each["id"], "service": each["service"]} for each in requirements if not each["met"]]
    folder.write(
        "baseline.json",
        {
            "phase": "S1",
            "source_checksum": folder.checksum("source/requirements.yaml"),
            "project_context_checksum": folder.checksum("source/context.yaml"),
            "requirement_count": len(requirements),
            "met_count": len(requirements) - len(unmet),
            "unmet": unmet,
        },
    )


def export(folder: RunFolder, pipeline_id: str, source_checksum: str | None) -> None:
    """Write the contract, the artifacts that are to be made, and the checksums of both.

    Args:
        folder: of the run.
        pipeline_id: the pipeline.
        source_checksum: what the contract says of its source; what is true if None.
    """
    context = folder.read("source/context.yaml")
    requirements = folder.read("source/requirements.yaml")["requirements"]
    baseline = folder.read("baseline.json")
    gaps = [_gap(each) for each in requirements if not each["met"]]
    contract = {
        "schema_version": 1,
        "pipeline": pipeline_id,
        "project": context["project"],
        "source_checksum": baseline["source_checksum"] if source_checksum is None else source_checksum,
        "project_context_checksum": baseline["project_context_checksum"],
        "services": context["services"],
        "parameters": [
            {"name": name, "value": value, "source": f"source/context.yaml#/parameters/{name}"}
            for name, value in context["parameters"].items()
        ],
        "gaps": gaps,
        "calibration": CALIBRATION,
        "routing": _ROUTING,
    }
    folder.write("export/contract.json", contract)
    folder.write("export/artifact-manifest.json", {"artifacts": [_artifact(gap) for gap in gaps]})
    exported = folder.checksums(["export/artifact-manifest.json", "export/contract.json"])
    listed = {path.removeprefix("export/"): checksum for path, checksum in exported.items()}
    folder.write("export/manifest.json", {"pipeline": pipeline_id, "algorithm": "sha256", "files": listed})


def gap_id(requirement_id: str) -> str:
    """The id of the gap that a requirement leaves that is not met."""
    return f"gap-{requirement_id.removeprefix('req-')}"


def _gap(requirement: dict[str, Any]) -> dict[str, Any]:
    kept = ("title", "service", "type", "parameters")
    return {
        "id": gap_id(requirement["id"]),
        "requirement": requirement["id"],
        **{key: requirement[key] for key in kept},
    }


def _artifact(gap: dict[str, Any]) -> dict[str, Any]:
    below, ending, media_type = _FOLDERS[gap["type"]]
    name = f"{gap['service']}-{gap['id'].removeprefix('gap-').removesuffix('-' + gap['type'])}"
    return {
        "artifact_id": f"{name}-{gap['type']}",
        "gap": gap["id"],
        "type": gap["type"],
        "path": f"artifacts/{below}/{name}.{ending}",
        "media_type": media_type,
    }
