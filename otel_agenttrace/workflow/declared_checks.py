"""The checks that a pipeline's file may name, and the inputs that each of them takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from otel_agenttrace.workflow.checks import (
    ChainStage,
    check_agreement,
    check_calibration,
    check_checksum_chain,
    check_coverage,
    check_final_set,
    check_freshness,
    check_gap_parity,
    check_mapping_completeness,
    check_path_conventions,
    check_resolvability,
    check_routing,
    check_schema_validity,
    check_test_results,
)
from otel_agenttrace.workflow.checks.findings import conclude, finding, shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from otel_agenttrace.workflow.outcome import CheckOutcome

    Inputs = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CheckKind:
    """A check that can be declared.

    Attributes:
        make: makes the check of its inputs, over the files of a folder.
        required: the inputs that it needs.
        optional: those that it takes besides.
    """

    make: Callable[[Inputs, Path], CheckOutcome]
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


def _chain(inputs: Inputs, root: Path) -> CheckOutcome:
    """The chain of stages, each an object with `name` or `phase`, `inputs`, `outputs` and `files`.

    With `until`, the stages from that one on are left out; with `expected`, these and no others have to be there; with
    `names_are_paths`, what the checksums are of is called by the paths of the files.
    """
    stages = inputs["stages"]
    if not isinstance(stages, list) or not all(isinstance(each, Mapping) for each in stages):
        problem = f"the stages are {shown(stages)}, not a list of objects"
        return conclude([finding(problem, "record the stages anew", "checksum", "stages")], (), "")
    names = [str(each.get("name", each.get("phase"))) for each in stages]
    until = inputs.get("until")
    if until in names:
        stages, names = stages[: names.index(until)], names[: names.index(until)]
    expected = inputs.get("expected")
    if expected is not None and names != expected:
        problem = f"the stages on record are not those that were run: expected {', '.join(expected)}, "
        problem += f"found {', '.join(names) or 'none'}"
        missing = next((each for each in expected if each not in names), None)
        action = f"run {missing} again" if missing else "restore the record of the stages"
        return conclude([finding(problem, action, "id", "stages")], (), "")
    is_named_by_path = bool(inputs.get("names_are_paths"))
    chain = [_stage(name, each, is_named_by_path=is_named_by_path) for name, each in zip(names, stages, strict=True)]
    return check_checksum_chain(chain, root=root)


def _stage(name: str, declared: Mapping[str, Any], *, is_named_by_path: bool) -> ChainStage:
    inputs, outputs = declared.get("inputs") or {}, declared.get("outputs") or {}
    files = declared.get("files") or {}
    if is_named_by_path:
        files = {path: path for side in (inputs, outputs) if isinstance(side, Mapping) for path in side}
    return ChainStage(name, inputs, outputs, files)


def _mapping(inputs: Inputs, root: Path) -> CheckOutcome:
    within = root if inputs.get("targets_are_files") else None
    return check_mapping_completeness(inputs["sources"], inputs["mapping"], targets=inputs.get("targets"), root=within)


def _final_set(inputs: Inputs, root: Path) -> CheckOutcome:
    """With `below`, the folder `below` alone counts, and names begin in it; with `only`, what fits these patterns."""
    folder = root / inputs["below"] if "below" in inputs else root
    ignored, only = inputs.get("ignored", ()), inputs.get("only")
    return check_final_set(inputs["expected"], listed=inputs.get("listed"), root=folder, ignored=ignored, only=only)


def _schema(inputs: Inputs, root: Path) -> CheckOutcome:
    return check_schema_validity(inputs["files"], inputs["schema"], root=root)


def _coverage(inputs: Inputs, _: Path) -> CheckOutcome:
    names = ("covered", "total", "percent", "ratio", "min_percent", "min_ratio", "min_count")
    values = {name: inputs.get(name) for name in names}
    return check_coverage(
        covered=values["covered"],
        total=values["total"],
        percent=values["percent"],
        ratio=values["ratio"],
        min_percent=values["min_percent"],
        min_ratio=values["min_ratio"],
        min_count=values["min_count"],
        name=inputs.get("name", "coverage"),
    )


CHECKS: Mapping[str, CheckKind] = {
    "agreement": CheckKind(
        lambda given, _: check_agreement(given["expected"], given["found"], what=given.get("what", "value")),
        ("expected", "found"),
        ("what",),
    ),
    "calibration": CheckKind(
        lambda given, _: check_calibration(given["planned"], given["allowed"], name=given.get("name", "lines")),
        ("planned", "allowed"),
        ("name",),
    ),
    "checksum_chain": CheckKind(_chain, ("stages",), ("until", "expected", "names_are_paths")),
    "coverage": CheckKind(
        _coverage,
        (),
        ("covered", "total", "percent", "ratio", "min_percent", "min_ratio", "min_count", "name"),
    ),
    "final_set": CheckKind(_final_set, ("expected",), ("listed", "below", "only", "ignored")),
    "freshness": CheckKind(lambda given, root: check_freshness(given["recorded"], root=root), ("recorded",)),
    "gap_parity": CheckKind(lambda given, _: check_gap_parity(given["gaps"], given["features"]), ("gaps", "features")),
    "mapping_completeness": CheckKind(_mapping, ("sources", "mapping"), ("targets", "targets_are_files")),
    "path_conventions": CheckKind(
        lambda given, root: check_path_conventions(given["paths"], patterns=given.get("patterns"), root=root),
        ("paths",),
        ("patterns",),
    ),
    "resolvability": CheckKind(
        lambda given, _: check_resolvability(given["used"], given["declared"], what=given.get("what", "parameter")),
        ("used", "declared"),
        ("what",),
    ),
    "routing": CheckKind(
        lambda given, _: check_routing(
            given["scores"],
            given["threshold"],
            complexity_score=given["complexity_score"],
            selected_path=given["selected_path"],
        ),
        ("scores", "threshold", "complexity_score", "selected_path"),
    ),
    "schema_validity": CheckKind(_schema, ("files", "schema")),
    "test_results": CheckKind(
        lambda given, _: check_test_results(given["tests"], passed=given.get("passed"), failed=given.get("failed")),
        ("tests",),
        ("passed", "failed"),
    ),
}
"""By the name that a pipeline's file has for them."""
