"""Schema validity: documents are what a JSON Schema says, and the schema is one (https://json-schema.org)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from otel_agenttrace.workflow.checks.bounds import DEFAULT_BOUNDS, Bounds
from otel_agenttrace.workflow.checks.documents import demand_plain, read_document
from otel_agenttrace.workflow.checks.findings import Finding, FindingError, conclude, evidence, finding, items_in, shown
from otel_agenttrace.workflow.checks.places import resolve
from otel_agenttrace.workflow.checks.schema_rules import SchemaRules
from otel_agenttrace.workflow.outcome import skipped

if TYPE_CHECKING:
    from otel_agenttrace.model.gate import Evidence
    from otel_agenttrace.workflow.outcome import CheckOutcome

_Path = str | os.PathLike[str]


def check_schema_validity(
    paths: _Path | Iterable[_Path] | None,
    schema: _Path | Mapping[str, Any] | bool,
    *,
    root: _Path | None = None,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> CheckOutcome:
    """Whether JSON or YAML files are what a schema says; names file, JSON pointer, what is expected and what was found.

    The draft is the one that `$schema` names, 2020-12 where it names none. A schema that is wrong itself is told apart
    from files that break it. Patterns are RE2's, nothing is fetched, and `format` is a comment, as the drafts have it.

    Args:
        paths: the file or files. Without any there is nothing to check: skipped.
        schema: the schema itself, or its file.
        root: the folder that paths are relative to, and must not lead out of; any path will do if not given.
        bounds: of what is read and told.
    """
    if isinstance(paths, (str, PurePath)):
        paths = [paths]
    listed = items_in(paths) if paths is not None else []
    if listed is None:
        problem = f"the files are {shown(paths)}, not a list of paths"
        return conclude([finding(problem, "give a list of paths", "file", "paths")], (), "")
    if not listed:
        return skipped("there are no files to hold against the schema", "give the files")
    findings: list[Finding] = []
    looked_at: list[Evidence] = []
    try:
        rules = _rules(schema, root, bounds)
    except FindingError as error:
        return error.outcome
    for each in listed:
        try:
            path, name = resolve(root, each)
            broken = rules.findings(read_document(path, name=name, bounds=bounds), name)
        except FindingError as error:
            broken = [error.finding]
        else:
            looked_at += [] if broken else [evidence("schema", name, f"is what {rules.name} says")]
        findings += broken
    return conclude(findings, looked_at, f"files that are what {rules.name} says: {len(looked_at)}", bounds)


def check_document_validity(
    document: Any,
    schema: _Path | Mapping[str, Any] | bool,
    *,
    name: str = "document",
    bounds: Bounds = DEFAULT_BOUNDS,
) -> CheckOutcome:
    """Whether a value in memory is what a schema says; as `check_schema_validity`, which is for files.

    Args:
        document: of what JSON has: dict, list, str, int, float, bool, None. None is a value, JSON's null.
        schema: the schema itself, or its file.
        name: what verdicts call the value.
        bounds: of what is followed and told.
    """
    try:
        demand_plain(document, name, bounds=bounds)
        rules = _rules(schema, None, bounds)
        findings = rules.findings(document, name)
    except FindingError as error:
        return error.outcome
    fine = f"{name} is what {rules.name} says"
    return conclude(findings, [] if findings else [evidence("schema", name, fine)], fine, bounds)


def _rules(schema: object, root: _Path | None, bounds: Bounds) -> SchemaRules:
    if isinstance(schema, (str, PurePath)):
        path, name = resolve(root, schema)
        return SchemaRules(read_document(path, name=name, bounds=bounds), f"schema {name}")
    plain = dict(schema) if isinstance(schema, Mapping) else schema
    demand_plain(plain, "the schema", bounds=bounds)
    return SchemaRules(plain, "the schema")
