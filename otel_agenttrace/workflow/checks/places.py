"""Where files lie: names of files as a project writes them down, and the one way from a name to a file."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePath

from otel_agenttrace.workflow.checks.findings import Finding, FindingError, finding, shown

_DRIVE = re.compile(r"[A-Za-z]:")


def name_problem(name: str) -> str | None:
    """What is wrong with the name of a file within a folder, in some words; None if nothing is.

    A good name is relative, with `/` between its parts, and written the one plain way: no `.`, `..` or empty part.
    """
    if not name:
        return "is empty"
    if not name.isprintable():
        return "has control characters or broken text"
    if name.startswith(("/", "\\", "~")) or _DRIVE.match(name):
        return "is absolute" if name[0] != "~" else "begins with ~, which stands for a home"
    if "\\" in name:
        return "has a backslash where / is due"
    parts = name.split("/")
    depth = 0
    for part in parts:
        depth += -1 if part == ".." else part not in ("", ".")
        if depth < 0:
            return "leads out of the folder"
    return "is not in its plain form (no ., .. or empty parts)" if {"", ".", ".."} & set(parts) else None


def locate(root: str | os.PathLike[str], name: object) -> Path:
    """The file of a name within a folder, which is not looked for yet.

    Raises:
        FindingError: the name is absolute, leads out of the folder, also through a link, or is no plain name.
    """
    text = name.as_posix() if isinstance(name, PurePath) else name
    if not isinstance(text, str):
        raise FindingError(_wrong_name(shown(name), "is no text"))
    problem = name_problem(text)
    if problem is not None:
        raise FindingError(_wrong_name(text, problem))
    path = Path(root, text)
    if not is_within(path, root):
        raise FindingError(leads_out(text, path))
    return path


def resolve(root: str | os.PathLike[str] | None, name: object) -> tuple[Path, str]:
    """A file and what verdicts call it: of a name within a folder, or of any path where there is no folder.

    Raises:
        FindingError: it is no path; or, within a folder, as `locate` has it.
    """
    if not isinstance(name, (str, PurePath)):
        raise FindingError(_wrong_name(shown(name), "is no text"))
    return (Path(name) if root is None else locate(root, name)), str(name)


def is_within(path: Path, root: str | os.PathLike[str]) -> bool:
    """Whether a path is within a folder once all links are followed."""
    real, real_root = os.path.realpath(path), os.path.realpath(root)
    return real == real_root or real.startswith(real_root.rstrip(os.sep) + os.sep)


def leads_out(name: str, path: Path) -> Finding:
    """The finding that a link leads out of the folder."""
    target = os.path.realpath(path)
    problem = f"the path {shown(name)} leads out of the folder through a link, to {shown(target)}"
    return finding(problem, f"replace the link at {name} by the file itself", "file", name)


def _wrong_name(text: str, problem: str) -> Finding:
    action = f"write the path {text} relative to the folder, in its plain form"
    return finding(f"the path {shown(text)} {problem}", action, "file", text)
