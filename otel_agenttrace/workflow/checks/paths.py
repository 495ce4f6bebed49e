"""Path conventions: files lie where the project says, and nowhere that another machine would read otherwise."""

from __future__ import annotations

import unicodedata
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from otel_agenttrace.workflow.checks.bounds import DEFAULT_BOUNDS, Bounds
from otel_agenttrace.workflow.checks.findings import Finding, conclude, evidence, finding, items_in, shown
from otel_agenttrace.workflow.checks.globs import matches
from otel_agenttrace.workflow.checks.places import is_within, leads_out, name_problem
from otel_agenttrace.workflow.outcome import skipped

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from otel_agenttrace.workflow.outcome import CheckOutcome


def check_path_conventions(
    paths: Iterable[str] | None,
    *,
    patterns: Iterable[str] | None = None,
    root: str | os.PathLike[str] | None = None,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> CheckOutcome:
    """Whether each path fits one of the patterns, and is plain, relative, within the folder and spelled one way.

    A path that is absolute or leads out fails, as do `.`, `..` and empty parts, backslashes, a path listed twice, and
    two that differ in upper and lower case or in the form of their accents alone: some file systems take them for one.

    Args:
        paths: of files, relative to their folder, with `/`. Without any there is nothing to check: skipped.
        patterns: such as `dashboards/*.json` or `docs/**/*.md`; the other rules alone are checked if not given.
        root: the folder; then a path that leads out of it through a link fails. It need not exist.
        bounds: of what is told.
    """
    listed, findings = _texts(paths, "path")
    declared, wrong = _texts(patterns, "pattern")
    findings += wrong
    if not listed and not findings:
        return skipped("there are no paths", "give the paths of the files")
    findings += [_bad_pattern(each, problem) for each in declared if (problem := name_problem(each)) is not None]
    looked_at = []
    for path in dict.fromkeys(listed):
        wrong_path = _problem(path, declared if patterns is not None else None, root)
        if wrong_path is None:
            looked_at.append(evidence("file", path, "a plain path within the folder"))
        else:
            findings.append(wrong_path)
    findings += _clashes(listed)
    by = "fit a declared pattern" if patterns is not None else "are plain (no patterns were given)"
    return conclude(findings, looked_at, f"paths that {by}: {len(looked_at)}", bounds)


def _texts(values: object, what: str) -> tuple[list[str], list[Finding]]:
    listed = [] if values is None else items_in(values)
    if listed is None:
        return [], [finding(f"the {what}s are {shown(values)}, not a list", f"give a list of {what}s", "file", what)]
    named = [each.as_posix() if isinstance(each, PurePath) else each for each in listed]
    findings = [
        finding(f"{what} {position + 1} is {shown(each)}, not a text", f"correct the {what}", "file", what)
        for position, each in enumerate(named)
        if not isinstance(each, str)
    ]
    return [each for each in named if isinstance(each, str)], findings


def _problem(path: str, patterns: list[str] | None, root: str | os.PathLike[str] | None) -> Finding | None:
    wrong = name_problem(path)
    if wrong is not None:
        action = f"write the path {path} relative to the folder, in its plain form"
        return finding(f"the path {shown(path)} {wrong}", action, "file", path)
    if root is not None and not is_within(Path(root, path), root):
        return leads_out(path, Path(root, path))
    if patterns is not None and not any(matches(path, pattern) for pattern in patterns):
        problem = f"the path {shown(path)} fits no declared pattern: expected {' or '.join(patterns[:5]) or 'none'}"
        return finding(problem, f"move {path} to where the project keeps such files, or declare it", "file", path)
    return None


def _bad_pattern(pattern: str, problem: str) -> Finding:
    return finding(f"the pattern {shown(pattern)} {problem}", f"correct the pattern {pattern}", "file", pattern)


def _clashes(paths: list[str]) -> list[Finding]:
    """Paths, or folders of them, that some file systems take for one; each pair is told where it first differs."""
    spelled: dict[str, str] = {}
    seen: set[str] = set()
    clashes: dict[tuple[str, str], Finding] = {}
    for path in paths:
        if path in seen:
            problem = f"the path {shown(path)} is listed twice"
            clashes[path, path] = finding(problem, f"list {path} once", "file", path)
        seen.add(path)
        beginning = ""
        for part in path.split("/"):
            beginning = f"{beginning}/{part}" if beginning else part
            first = spelled.setdefault(_folded(beginning), beginning)
            if first != beginning:
                problem = f"the paths {shown(first)} and {shown(beginning)} are one on some file systems"
                clashes.setdefault((first, beginning), finding(problem, f"rename {beginning}", "file", beginning))
                break
    return list(clashes.values())


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
