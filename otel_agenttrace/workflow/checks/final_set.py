"""Final-set reconciliation: what was expected, what lies there and what the manifest lists are one set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from otel_agenttrace.workflow.checks.bounds import DEFAULT_BOUNDS, Bounds
from otel_agenttrace.workflow.checks.checksums import Checksum, parse_checksum
from otel_agenttrace.workflow.checks.files import hash_file, list_files
from otel_agenttrace.workflow.checks.findings import Finding, FindingError, conclude, evidence, finding, ids_in, shown
from otel_agenttrace.workflow.checks.globs import matches
from otel_agenttrace.workflow.checks.places import locate
from otel_agenttrace.workflow.outcome import skipped

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from otel_agenttrace.model.gate import Evidence
    from otel_agenttrace.workflow.outcome import CheckOutcome


def check_final_set(
    expected: Mapping[str, object] | Iterable[str] | None,
    *,
    listed: Mapping[str, object] | Iterable[str] | None = None,
    root: str | os.PathLike[str] | None = None,
    ignored: Iterable[str] = (),
    only: Iterable[str] | None = None,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> CheckOutcome:
    """Whether the artifacts that were expected are those that are listed and those that lie in the folder.

    Each artifact that differs is named: missing (expected and not there), extra (there and not expected), or changed
    (its checksum is not the one that was expected or listed).

    Args:
        expected: the paths of the artifacts, or their checksums by path; a checksum of None is not compared.
        listed: what the final manifest lists, in the same forms; not compared if not given.
        root: the folder of the artifacts, read with everything below it; not compared if not given.
        ignored: patterns of files in the folder that are no artifacts, such as the manifest itself.
        only: patterns of those that are; of all of them if not given.
        bounds: of what is hashed, listed and told. With nothing expected, listed or present: skipped.
    """
    sets = _Sets(bounds)
    wanted = sets.read(expected, "expected artifact")
    named = sets.read(listed, "listed artifact") if listed is not None else None
    present = sets.present(root, list(ignored), None if only is None else list(only)) if root is not None else None
    if not wanted and not named and not present and not sets.findings:
        return skipped("no artifacts are expected, listed or present", "give the artifacts that are expected")
    if named is None and root is None:
        return skipped("there is nothing to compare the expected artifacts with", "give the manifest, or the folder")
    lying = set(present or ())
    for path in dict.fromkeys([*wanted, *(named or ()), *(present or ())]):
        where = {"expected": path in wanted}
        if named is not None:
            where["listed"] = path in named
        if present is not None:
            where["present"] = path in lying
        if all(where.values()):
            sets.compare(path, wanted[path], (named or {}).get(path), root)
        else:
            sets.findings.append(_apart(path, where))
    fine = f"exactly the artifacts that were expected are {_sides(named, present)}: {len(wanted)}"
    return conclude(sets.findings, sets.looked_at, fine, bounds)


class _Sets:
    def __init__(self, bounds: Bounds) -> None:
        self.findings: list[Finding] = []
        self.looked_at: list[Evidence] = []
        self._bounds = bounds

    def read(self, values: object, what: str) -> dict[str, Checksum | None]:
        """Checksums by path; a path whose checksum cannot be read is kept without one."""
        paths, findings = ids_in(values, what)
        self.findings += findings
        found: dict[str, Checksum | None] = {}
        for path in paths:
            value = values[path] if isinstance(values, Mapping) else None
            try:
                found[path] = None if value is None else parse_checksum(value, f"{what} {path}")
            except FindingError as error:
                found[path] = None
                self.findings.append(error.finding)
        return found

    def present(self, root: str | os.PathLike[str], ignored: list[str], only: list[str] | None) -> list[str]:
        try:
            names = list_files(root, bounds=self._bounds)
        except FindingError as error:
            self.findings.append(error.finding)
            return []
        return [name for name in names if (only is None or _fits(name, only)) and not _fits(name, ignored)]

    def compare(
        self, path: str, expected: Checksum | None, listed: Checksum | None, root: str | os.PathLike[str] | None
    ) -> None:
        """Hold what was expected and listed against the file, or against each other where there is no folder."""
        declared = {"expected": expected, "listed": listed}
        known = {side: checksum for side, checksum in declared.items() if checksum is not None}
        try:
            if root is not None:
                file = locate(root, path)
                # A file without a checksum is read as well: it may be no file, or not to be read.
                for side, checksum in known.items() or {"expected": None}.items():
                    algorithm = checksum.algorithm if checksum is not None else "sha256"
                    now = hash_file(file, algorithm, name=path, bounds=self._bounds)
                    if checksum is not None and now != checksum:
                        raise _changed(path, side, str(checksum), f"the file has {now}")
            elif expected is not None and listed is not None and expected != listed:
                raise _changed(path, "expected", str(expected), f"the manifest lists {listed}")
        except FindingError as error:
            self.findings.append(error.finding)
            return
        said = " and ".join(f"{side} {checksum}" for side, checksum in known.items())
        self.looked_at.append(evidence("checksum" if known else "file", path, said or "in all of the sets"))


def _fits(name: str, patterns: list[str]) -> bool:
    return any(matches(name, pattern) for pattern in patterns)


def _apart(path: str, where: dict[str, bool]) -> Finding:
    """The finding on a path that only some of the sets have."""
    having = " and ".join(side for side, has in where.items() if has)
    lacking = " and ".join(f"not {side}" for side, has in where.items() if not has)
    kind = "missing" if where["expected"] else "extra"
    problem = f"artifact {shown(path)} is {kind}: {having}, but {lacking}"
    if kind == "missing":
        action = f"list {path} in the manifest" if where.get("present") else f"make {path}, or expect it no longer"
    else:
        action = f"remove {path}, or expect it"
    return finding(problem, action, "file", path)


def _changed(path: str, side: str, before: str, now: str) -> FindingError:
    problem = f"artifact {shown(path)} has changed: {side} {before}, but {now}"
    action = f"restore {path}, or make the manifest again and check what was made from the file"
    return FindingError(finding(problem, action, "checksum", path))


def _sides(named: object, present: object) -> str:
    return " and ".join(["listed"] * (named is not None) + ["present"] * (present is not None))
