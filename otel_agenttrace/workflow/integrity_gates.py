"""What is checked of any run, whatever its pipeline: its files are there, are what was recorded, and no others are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.workflow.checks.documents import read_document
from otel_agenttrace.workflow.checks.files import hash_file, modified_unix_nano
from otel_agenttrace.workflow.checks.findings import FindingError, conclude, evidence, finding, shown
from otel_agenttrace.workflow.checks.places import locate
from otel_agenttrace.workflow.integrity_folder import DOCUMENTS, is_pattern
from otel_agenttrace.workflow.outcome import skipped

if TYPE_CHECKING:
    from otel_agenttrace.model.gate import Evidence
    from otel_agenttrace.workflow.checks.findings import Finding
    from otel_agenttrace.workflow.definition import DeclaredFile, DeclaredPhase
    from otel_agenttrace.workflow.integrity_folder import Record, RunFolder
    from otel_agenttrace.workflow.outcome import CheckOutcome


def check_structure(folder: RunFolder, phase_id: str) -> CheckOutcome:
    """Whether the files that a phase declares are there, can be read, and are JSON or YAML where their names say so.

    A file that another document of the run records is due as well, if it fits one of the phase's patterns.
    """
    names = folder.names
    if folder.problem is not None:
        return FindingError(folder.problem).outcome
    declared = folder.files_of(phase_id)
    if not declared:
        return skipped(f"{phase_id} declares no files")
    findings: list[Finding] = []
    looked_at: list[Evidence] = []
    for name in _due(folder, declared):
        try:
            looked_at.append(_readable(folder, name))
        except FindingError as error:
            findings.append(error.finding)
    found = {file.name for name in names for file in folder.fitting(name)}
    findings += [
        _nothing_fits(file, phase_id)
        for file in declared
        if file.required and is_pattern(file.path) and file.name not in found
    ]
    return conclude(findings, looked_at, f"files that are there and can be read: {len(looked_at)}")


def check_recorded(folder: RunFolder) -> CheckOutcome:
    """Whether every file has each checksum that a document of the run gives it."""
    findings: list[Finding] = []
    looked_at: list[Evidence] = []
    by_path: dict[str, list[Record]] = {}
    for record in folder.records:
        by_path.setdefault(record.path, []).append(record)
    if not by_path:
        return skipped("no document of the run records a checksum", "record the checksums of the files")
    for path, records in by_path.items():
        try:
            looked_at.append(_as_recorded(folder, path, records))
        except FindingError as error:
            findings.append(error.finding)
    return conclude(findings, looked_at, f"files that are what was recorded: {len(looked_at)}")


def check_existing(folder: RunFolder) -> CheckOutcome:
    """Whether every file in the folder is in an inventory: declared by its own path, or recorded with its checksum.

    Of a run that records no checksums, what is declared by a pattern is in one as well: there is no better one.
    """
    if folder.problem is not None:
        return FindingError(folder.problem).outcome
    if not folder.names:
        return skipped("the folder has no files", "run the pipeline in it")
    recorded = {record.path for record in folder.records}
    recorded |= {name for name, file in folder.declared.items() if not (is_pattern(file.path) and folder.records)}
    findings = [
        finding(
            f"the file {shown(name)} is in no inventory",
            f"remove {name}, or have the phase that made it record it",
            "file",
            name,
        )
        for name in folder.names
        if name not in recorded
    ]
    looked_at = [evidence("file", name, "in an inventory") for name in folder.names if name in recorded]
    return conclude(findings, looked_at, f"files that are in an inventory: {len(looked_at)}")


def not_run(folder: RunFolder, phase: DeclaredPhase | None) -> CheckOutcome:
    """The outcome of a gate whose phase, or any phase, has left nothing; a failure where that cannot be told."""
    if folder.cannot_be_told is not None:
        return FindingError(folder.cannot_be_told).outcome
    first = next((each.id for each in folder.definition.phases if each.id not in folder.phases_run), "the first phase")
    if phase is None or not folder.phases_run:
        return skipped("no phase has left a file here", f"run the pipeline from {first}, or name its folder")
    return skipped(f"{phase.id} has not run: it has left no file", f"run the pipeline on from {first}")


def no_coverage() -> CheckOutcome:
    """The outcome of a threshold for coverage where no gate counts any."""
    return skipped("no gate of the pipeline counts coverage", "declare a gate with the check `coverage`")


def _due(folder: RunFolder, declared: list[DeclaredFile]) -> list[str]:
    due = {file.path: None for file in declared if file.required and not is_pattern(file.path)}
    own = {file.name for file in declared}
    due |= {name: None for name, file in folder.declared.items() if file.name in own}
    recorded = sorted({record.path for record in folder.records})
    due |= {path: None for path in recorded if own & {file.name for file in folder.fitting(path)}}
    return list(due)


def _readable(folder: RunFolder, name: str) -> Evidence:
    path = locate(folder.root, name)
    if name.endswith(DOCUMENTS):
        read_document(path, name=name)
    else:
        modified_unix_nano(path, name=name)
    return evidence("file", name, "is there and can be read")


def _as_recorded(folder: RunFolder, path: str, records: list[Record]) -> Evidence:
    file = locate(folder.root, path)
    now = {each: hash_file(file, each, name=path) for each in {record.checksum.algorithm for record in records}}
    for record in records:
        found = now[record.checksum.algorithm]
        if record.checksum != found:
            problem = f"{path} is not what {record.document} records: expected {record.checksum}, found {found}"
            action = f"restore {path}, or run again the phase that wrote {record.document}"
            raise FindingError(finding(problem, action, "checksum", path))
    documents = ", ".join(dict.fromkeys(record.document for record in records))
    return evidence("checksum", path, f"{records[0].checksum}, as recorded by {documents}")


def _nothing_fits(file: DeclaredFile, phase_id: str) -> Finding:
    problem = f"no file fits {file.path}, which {phase_id} writes"
    return finding(problem, f"run {phase_id} again", "file", file.path)
