"""The folder of a run in a test's hands: edited by hand, or as if the pipeline itself had gone wrong."""

from __future__ import annotations

import hashlib
import json
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# In the order in which they are written: each is of files before it.
DOCUMENTS = (
    ("S1", ("baseline.json",)),
    ("S2", ("export/contract.json", "export/artifact-manifest.json", "export/manifest.json")),
    ("S4", ("features.json",)),
    ("S5", ("routing.json",)),
    ("S6", ("handoffs/design.json", "design/*.json", "handoffs/design.answer.json")),
    ("S7", ("handoffs/implement.json", "artifacts.json", "handoffs/implement.answer.json")),
    ("S8", ("handoffs/test.json", "test-results.json", "handoffs/test.answer.json")),
    ("S9", ("handoffs/review.json", "review.json", "handoffs/review.answer.json")),
    ("S10", ("final.json",)),
)
OF_FIELD = {
    "source_checksum": "source/requirements.yaml",
    "project_context_checksum": "source/context.yaml",
    "contract_checksum": "export/contract.json",
    "artifact_manifest_checksum": "export/artifact-manifest.json",
    "features_checksum": "features.json",
    "artifacts_checksum": "artifacts.json",
    "test_results_checksum": "test-results.json",
    "review_checksum": "review.json",
}
PHASES = [f"S{number}" for number in range(1, 11)]


@dataclass(frozen=True)
class RunFolder:
    """A run's folder."""

    root: Path

    def path(self, name: str) -> Path:
        """A file of it."""
        return self.root / name

    def read(self, name: str) -> Any:
        """The values of a JSON or YAML file."""
        text = self.path(name).read_text("utf-8")
        return json.loads(text) if name.endswith(".json") else yaml.safe_load(text)

    def write(self, name: str, value: Any) -> None:
        """Write a JSON or YAML file, as the pipeline does."""
        text = json.dumps(value, indent=2) + "\n" if name.endswith(".json") else yaml.safe_dump(value, sort_keys=False)
        self.path(name).write_text(text, "utf-8")

    def edit(self, name: str, change: Callable[[Any], object]) -> None:
        """Change a file by hand: no checksum follows."""
        value = self.read(name)
        change(value)
        self.write(name, value)

    def make(self, name: str, change: Callable[[Any], object], since: str = "S1") -> None:
        """Change a file as if it had been made so: what comes after it is of the changed one, from a phase on."""
        self.edit(name, change)
        self.seal(since)

    def remove(self, name: str) -> None:
        """Remove a file by hand."""
        self.path(name).unlink()

    def seal(self, since: str = "S1", leaving: str = "") -> None:
        """Record anew the checksums that the phases from this one on have put on record, but for one field of them."""
        first = PHASES.index(since)
        for phase, patterns in DOCUMENTS:
            if PHASES.index(phase) >= first:
                for pattern in patterns:
                    for path in sorted(self.root.glob(pattern)):
                        name = path.relative_to(self.root).as_posix()
                        value = self.read(name)
                        self._restamp(value, posixpath.dirname(name), leaving)
                        self.write(name, value)
        self.edit("provenance.json", lambda value: self._restamp_stages(value["stages"], first))

    def checksum(self, name: str) -> str:
        """The checksum of a file as it is."""
        return f"sha256:{hashlib.sha256(self.path(name).read_bytes()).hexdigest()}"

    def _restamp_stages(self, stages: list[Any], first: int) -> None:
        for stage in stages:
            if PHASES.index(stage["phase"]) >= first:
                for side in ("inputs", "outputs"):
                    kept = {name: self.checksum(name) for name in stage[side] if self.path(name).is_file()}
                    stage[side] = kept

    def _restamp(self, value: Any, folder: str, leaving: str) -> None:
        for each in _objects(value):
            for key, old in list(each.items()):
                if isinstance(old, str) and old.startswith("sha256:") and key != leaving:
                    target = self._target(each, key, folder)
                    if target.is_file():
                        each[key] = self.checksum(target.relative_to(self.root).as_posix())
                    else:  # of a file that is no more
                        del each[key]

    def _target(self, value: dict[str, Any], key: str, folder: str) -> Path:
        """The file that a checksum is of, by its key and what stands beside it."""
        if key in OF_FIELD:
            return self.path(OF_FIELD[key])
        if key == "design_checksum":
            return self.path(f"design/{value['feature']}.json")
        if key == "checksum":
            return self.path(value.get("path") or value["artifact"])
        return self.path(key) if self.path(key).is_file() else self.path(posixpath.join(folder, key))


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for each in list(value.values()):
            yield from _objects(each)
    elif isinstance(value, list):
        for each in value:
            yield from _objects(each)
