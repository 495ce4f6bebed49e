"""RunFolder: the files of one run, and the record of which phase made what from what."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otel_agenttrace.errors import ConfigError
from otel_agenttrace.workflow.checks import FindingError, hash_file, list_files, read_document
from otel_agenttrace.workflow.checks.places import locate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PROVENANCE = "provenance.json"
SOURCES = ("source/context.yaml", "source/requirements.yaml")
_SHIPPED = files("otel_agenttrace.workflow.pilot") / "source"
_UNFINISHED = (".pilot-", ".part")
"""How the name of a file begins and ends that is not whole yet."""


class RunFolder:
    """The folder of a run; all paths are relative to it.

    Attributes:
        root: the folder.
        read_paths: the files that were read since the last stage was recorded.
        written: those that were written.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        self.read_paths: dict[str, None] = {}
        self.written: dict[str, None] = {}

    def read(self, path: str) -> Any:
        """The values of a JSON or YAML file.

        Raises:
            FindingError: it cannot be read.
        """
        self.read_paths[path] = None
        return read_document(locate(self.root, path), name=path)

    def text(self, path: str) -> str:
        """The text of a file.

        Raises:
            OSError: it cannot be read.
            UnicodeDecodeError: it is no text.
        """
        self.read_paths[path] = None
        return locate(self.root, path).read_text("utf-8")

    def checksum(self, path: str) -> str:
        """The checksum of a file, `sha256:hex`.

        Raises:
            FindingError: it cannot be read.
        """
        return str(hash_file(locate(self.root, path), name=path))

    def checksums(self, paths: Iterable[str]) -> dict[str, str]:
        """The checksums of several files by their paths."""
        return {path: self.checksum(path) for path in paths}

    def write(self, path: str, value: Any) -> None:
        """Write a file whole or not at all: a text as it is, anything else as JSON."""
        target = locate(self.root, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False) + "\n"
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=_UNFINISHED[0], suffix=_UNFINISHED[1])
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        self.written[path] = None

    def names(self, below: str) -> list[str]:
        """The files in a folder below, sorted."""
        return [name for name in list_files(self.root) if name.startswith(f"{below}/")]

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder if it is not there, and keep other runs out of it until the block is left.

        The lock is on the folder itself: it leaves no file in it, and goes with the process however that ends.

        Raises:
            ConfigError: it cannot be made or locked, or another run holds it.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise ConfigError(f"pilot: the folder {self.root} cannot be used: {error.strerror}") from error
        try:
            self._lock(descriptor)
            yield
        finally:
            os.close(descriptor)

    def prepare(self, pipeline_id: str, phases: list[str]) -> None:
        """Make a folder that is `held` ready for a run: sources that are there stay, what these phases made goes.

        Raises:
            ConfigError: it has other things in it, or cannot be written.
        """
        try:
            there = any(self.root.iterdir())
        except OSError as error:
            raise ConfigError(f"pilot: the folder {self.root} cannot be used: {error.strerror}") from error
        if there and not (self.root / "source").is_dir():
            raise ConfigError(f"pilot: the folder {self.root} has other things in it; give an empty one, or a new name")
        try:
            self._make_room(pipeline_id, phases)
        except OSError as error:
            raise ConfigError(f"pilot: the folder {self.root} cannot be written: {error.strerror or error}") from error

    def _make_room(self, pipeline_id: str, phases: list[str]) -> None:
        for path in self.root.rglob("*".join(_UNFINISHED)):  # of a run that was killed
            path.unlink(missing_ok=True)
        stages = self.stages()
        for stage in stages:
            if stage["phase"] in phases:
                self._remove(stage["outputs"])
        if "S1" in phases:
            self._place_sources()
            (self.root / PROVENANCE).unlink(missing_ok=True)
            return
        kept = [stage for stage in stages if stage["phase"] not in phases]
        if len(kept) < len(stages):
            self._write_stages(pipeline_id, kept)

    def record(self, pipeline_id: str, phase: str) -> None:
        """Record a stage: what was read and written since the one before. A stage of that phase is replaced."""
        inputs = [path for path in self.read_paths if path not in self.written and path != PROVENANCE]
        stage = {
            "phase": phase,
            "inputs": self.checksums(sorted(inputs)),
            "outputs": self.checksums(sorted(self.written)),
        }
        kept = [each for each in self.stages() if each["phase"] != phase]
        self._write_stages(pipeline_id, [*kept, stage])
        self.forget()

    def forget(self) -> None:
        """Count from here on what is read and written."""
        self.read_paths, self.written = {}, {}

    def stages(self) -> list[dict[str, Any]]:
        """The stages on record; none where the record cannot be read, which is for gates to tell."""
        try:
            document = read_document(locate(self.root, PROVENANCE), name=PROVENANCE)
        except FindingError:
            return []
        stages = document.get("stages") if isinstance(document, dict) else None
        return [each for each in stages if _is_stage(each)] if isinstance(stages, list) else []

    def requirements(self) -> list[Any]:
        """The requirements that a run begins with: those of the folder, else those that ship; none if they are broken.

        Which is for gates to tell.
        """
        path = self.root / SOURCES[1]
        shipped = Path(str(_SHIPPED / path.name))
        try:
            document = read_document(path if path.exists() else shipped, name=SOURCES[1])
        except FindingError:
            return []
        listed = document.get("requirements") if isinstance(document, dict) else None
        return listed if isinstance(listed, list) else []

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            wait = "wait until it has ended, or give another folder"
            raise ConfigError(f"pilot: another run is at work in the folder {self.root}; {wait}") from None
        except OSError as error:
            instead = "give one on a local file system"
            raise ConfigError(f"pilot: the folder {self.root} cannot be locked: {error.strerror}; {instead}") from error

    def _write_stages(self, pipeline_id: str, stages: list[dict[str, Any]]) -> None:
        self.write(PROVENANCE, {"pipeline": pipeline_id, "stages": stages})

    def _remove(self, outputs: Mapping[str, object]) -> None:
        for path in outputs:
            with suppress(FindingError, OSError):
                locate(self.root, path).unlink()

    def _place_sources(self) -> None:
        for path in SOURCES:
            target = self.root / path
            if not target.exists():
                target.parent.mkdir(exist_ok=True)
                with (_SHIPPED / target.name).open("rb") as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy)


def _is_stage(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("phase"), str) and isinstance(value.get("outputs"), dict)
