"""The folder of a run as it lies there: which declared files it has, and which files its own documents record."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otel_agenttrace.workflow.checks.checksums import Checksum, parse_checksum
from otel_agenttrace.workflow.checks.documents import read_document
from otel_agenttrace.workflow.checks.files import list_files
from otel_agenttrace.workflow.checks.findings import FindingError
from otel_agenttrace.workflow.checks.globs import matches
from otel_agenttrace.workflow.checks.places import locate

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from otel_agenttrace.workflow.checks.findings import Finding
    from otel_agenttrace.workflow.definition import DeclaredFile, PipelineDefinition

DOCUMENTS = (".json", ".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Record:
    """What a document of the run says of a file.

    Attributes:
        path: of the file, relative to the folder.
        checksum: that the document gives it.
        document: which one.
    """

    path: str
    checksum: Checksum
    document: str


class RunFolder:
    """A folder, read when it is asked for the first time and once, so that one report speaks of one state of it.

    Args:
        root: the folder.
        definition: which files its pipeline declares, and by which phases they are written.
    """

    def __init__(self, root: str | os.PathLike[str], definition: PipelineDefinition) -> None:
        self.root = Path(root)
        self.definition = definition
        self.problem: Finding | None = None
        files = definition.files.values()
        self._literal = {file.path: file for file in files if not is_pattern(file.path)}
        self._patterns = [file for file in files if is_pattern(file.path)]
        self._fitting: dict[str, tuple[DeclaredFile, ...]] = {}

    @cached_property
    def names(self) -> list[str]:
        """All files; none if they cannot be listed, all of them, and then there is a `problem`."""
        try:
            return list_files(self.root)
        except FindingError as error:
            self.problem = error.finding
            return []

    @property
    def cannot_be_told(self) -> Finding | None:
        """Why nothing can be said of the run, though its folder is there: a part of it cannot be listed."""
        return self.problem if not self.names and self.root.is_dir() else None

    @cached_property
    def declared(self) -> dict[str, DeclaredFile]:
        """The files that fit a declaration, each with it; a literal path goes before a pattern."""
        return {name: fitting[0] for name in self.names if (fitting := self.fitting(name))}

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """Every checksum of a file that a declared document gives, of files that are missing too."""
        return tuple(record for name in self.declared if name.endswith(DOCUMENTS) for record in self._records(name))

    @cached_property
    def phases_run(self) -> frozenset[str]:
        """Ids of the phases that have left something, or come before one that has.

        A phase that writes no files counts with the one before it; the first one, with what is there before.
        """
        touched = {file.phase for file in self.declared.values()}
        touched |= {file.phase for record in self.records for file in self.fitting(record.path)}
        writing = {file.phase for file in self.definition.files.values()}
        ids = [phase.id for phase in self.definition.phases]
        last = max((index for index, phase in enumerate(ids) if phase in touched), default=-1)
        while touched and last < len(ids) - 1 and ids[last + 1] not in writing:
            last += 1
        return frozenset(ids[: last + 1])

    def files_of(self, phase_id: str) -> list[DeclaredFile]:
        """The files that a phase writes; with the first one's, those that are there before."""
        owners: set[str | None] = {phase_id}
        if self.definition.phases and self.definition.phases[0].id == phase_id:
            owners.add(None)
        return [file for file in self.definition.files.values() if file.phase in owners]

    def fitting(self, path: str) -> tuple[DeclaredFile, ...]:
        """The declarations that a path fits: a literal one, then patterns."""
        found = self._fitting.get(path)
        if found is None:
            literal = self._literal.get(path)
            patterns = tuple(file for file in self._patterns if matches(path, file.path))
            found = self._fitting[path] = patterns if literal is None else (literal, *patterns)
        return found

    def _records(self, document: str) -> Iterator[Record]:
        try:
            content = read_document(locate(self.root, document), name=document)
        except FindingError:  # told by the structure
            return
        for name, value in _named_checksums(content):
            path = self._placed(name, document)
            if path is None:
                continue
            try:
                yield Record(path, parse_checksum(value), document)
            except FindingError:  # no checksum, or one that the checks of the pipeline refuse
                continue

    def _placed(self, name: str, document: str) -> str | None:
        """The path that a name in a document stands for, as some name what lies beside them; None if it is no path."""
        places = (name, posixpath.join(posixpath.dirname(document), name))
        return next((path for path in places if path in self._present or self.fitting(path)), None)

    @cached_property
    def _present(self) -> frozenset[str]:
        return frozenset(self.names)


def is_pattern(path: str) -> bool:
    """Whether a declared path stands for any number of files."""
    return any(sign in path for sign in "*?[")


def _named_checksums(content: Any) -> Iterator[tuple[str, Any]]:
    """Paths and checksums in a document: `{path: checksum}`, and objects with a `path` and a `checksum`."""
    waiting = [content]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each
        elif isinstance(each, dict):
            waiting += each.values()
            path = each.get("path")
            if isinstance(path, str):
                yield path, each.get("checksum")
            yield from ((name, value) for name, value in each.items() if isinstance(value, str) and ":" in value)
