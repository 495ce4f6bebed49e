"""Mapping completeness: no item of the source is dropped on the way, and nothing is mapped to what is not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from otel_agenttrace.workflow.checks.bounds import DEFAULT_BOUNDS, Bounds
from otel_agenttrace.workflow.checks.files import modified_unix_nano
from otel_agenttrace.workflow.checks.findings import (
    Finding,
    FindingError,
    conclude,
    evidence,
    finding,
    ids_in,
    shown,
)
from otel_agenttrace.workflow.checks.places import locate
from otel_agenttrace.workflow.outcome import skipped

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from otel_agenttrace.workflow.outcome import CheckOutcome


def check_mapping_completeness(
    sources: Iterable[str] | None,
    mapping: Mapping[str, object] | None,
    *,
    targets: Iterable[str] | None = None,
    root: str | os.PathLike[str] | None = None,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> CheckOutcome:
    """Whether every source item has a target, and every target exists.

    An entry for something that is no source item fails, too: either the item was dropped, or the mapping is an old one.

    Args:
        sources: the ids of the items. Without items and entries there is nothing to check: skipped.
        mapping: from the id of an item to its target, or a list of its targets.
        targets: the ids that exist.
        root: where `targets` is not given, the folder in which each target is a file. With neither, targets are taken
            to exist.
        bounds: of what is told.
    """
    ids, findings = ids_in(sources, "source item")
    if not isinstance(mapping, Mapping) and mapping is not None:
        problem = f"the mapping is {shown(mapping)}, not an object from items to targets"
        findings.append(finding(problem, "give the mapping as an object", "id", "mapping"))
    entries: Mapping[str, object] = mapping if isinstance(mapping, Mapping) else {}
    if not ids and not entries and not findings:
        return skipped("there are no source items to map", "give the source items and their mapping")
    known, wrong = ids_in(targets, "target")
    findings += wrong
    existing = _Existing(set(known) if targets is not None else None, root)
    looked_at = []
    for item in ids:
        named = _targets(entries.get(item))
        problems = [each for target in named if (each := existing.problem(item, target)) is not None]
        if not named:
            problem = f"source item {shown(item)} has no target"
            problems = [finding(problem, f"map {item} to a target, or take it out of the source", "id", item)]
        findings += problems
        if not problems:
            looked_at.append(evidence("id", item, f"mapped to {', '.join(map(str, named))}"))
    known_ids = set(ids)
    for item in [each for each in entries if each not in known_ids]:
        problem = f"the mapping has an entry {shown(item)}, which is no source item"
        findings.append(finding(problem, f"restore {item} in the source, or take it out of the mapping", "id", item))
    return conclude(findings, looked_at, f"every source item has targets that exist: {len(ids)}", bounds)


def _targets(value: object) -> list[object]:
    """The targets of an item; none for what is empty, and for a list with nothing in it."""
    listed = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
    return [each for each in listed if each is not None and each != ""]


class _Existing:
    def __init__(self, known: set[str] | None, root: str | os.PathLike[str] | None) -> None:
        self._known, self._root = known, root

    def problem(self, item: str, target: object) -> Finding | None:
        """Why the target of an item does not count; None if it exists."""
        if not isinstance(target, str):
            problem = f"the target of {shown(item)} is {shown(target)}, not an id"
            return finding(problem, f"map {item} to the id of a target", "id", item)
        if self._known is not None and target not in self._known:
            problem = f"source item {shown(item)} is mapped to {shown(target)}, which does not exist"
            return finding(problem, f"make {target}, or map {item} to a target that exists", "id", item)
        if self._known is None and self._root is not None:
            try:
                modified_unix_nano(locate(self._root, target), name=target)
            except FindingError as error:
                problem = f"source item {shown(item)} is mapped to {shown(target)}: {error.finding.problem}"
                return Finding(problem, error.finding.action, error.finding.evidence)
        return None
