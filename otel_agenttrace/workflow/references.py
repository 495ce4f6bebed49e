"""References: how a pipeline's file names the values that its gates look at, and how they are read from the files.

`contract#/gaps/*/id` is, of the file that the pipeline calls `contract`, the `id` of each item of `gaps`: a JSON
pointer (https://www.rfc-editor.org/rfc/rfc6901) in which a part `*` stands for every item, and a last part `~keys` for
the names of all fields. Of several files, where the
pipeline gives a pattern such as `design/*.json`, it is a list with what each of them has, in the order of their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otel_agenttrace.workflow.checks import FindingError, hash_file, list_files, read_document
from otel_agenttrace.workflow.checks.findings import finding, shown
from otel_agenttrace.workflow.checks.globs import matches
from otel_agenttrace.workflow.checks.places import locate

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

FORMS = (
    frozenset({"keys", "values"}),
    frozenset({"keys", "values", "through"}),
    frozenset({"keys", "values", "through", "field"}),
    frozenset({"checksums"}),
    frozenset({"path"}),
    frozenset({"paths"}),
    frozenset({"value"}),
)
"""The keys of an object that is no plain one, but says how to read a value."""

_MARK = "#/"
_KEYS = "~keys"
"""No part of a JSON pointer could be that: a tilde is followed by 0 or 1."""


class FolderReader:
    """Reads values from the files of one folder, each file once.

    Args:
        root: the folder.
        paths: where the files lie, by the names that the pipeline has for them; a path may be a pattern.
    """

    def __init__(self, root: str | os.PathLike[str], paths: Mapping[str, str]) -> None:
        self.root = Path(root)
        self._paths = paths
        self._documents: dict[str, Any] = {}

    def value(self, declared: object) -> Any:
        """What a declared input is, read from the files where it refers to them.

        Raises:
            FindingError: a file cannot be read, or has no such place.
        """
        if isinstance(declared, str):
            return self._referred(declared) if is_reference(declared, self._paths) else declared
        if isinstance(declared, list):
            return [self.value(each) for each in declared]
        if not isinstance(declared, Mapping):
            return declared
        if frozenset(declared) in FORMS:
            return self._formed(declared)
        return {key: self.value(below) for key, below in declared.items()}

    def names(self, file: str) -> list[str]:
        """The paths of a declared file that lie in the folder: of a pattern those that fit, else the one."""
        path = self._paths[file]
        return sorted(name for name in list_files(self.root) if matches(name, path)) if _is_pattern(path) else [path]

    def document(self, path: str) -> Any:
        """The values of a JSON or YAML file.

        Raises:
            FindingError: it cannot be read.
        """
        if path not in self._documents:
            self._documents[path] = read_document(locate(self.root, path), name=path)
        return self._documents[path]

    def _referred(self, reference: str) -> Any:
        file, pointer = reference.split("#", 1)
        if not _is_pattern(self._paths[file]):
            return _follow(self.document(self._paths[file]), pointer, self._paths[file])
        each = [_follow(self.document(path), pointer, path) for path in self.names(file)]
        return [value for values in each for value in values] if {"*", _KEYS} & set(pointer.split("/")) else each

    def _formed(self, form: Mapping[str, Any]) -> Any:
        kind = next(iter(form)) if len(form) == 1 else "keys"
        readers: dict[str, Callable[[], Any]] = {
            "value": lambda: form["value"],
            "path": lambda: self._paths[form["path"]],
            "paths": lambda: self.names(form["paths"]),
            "checksums": lambda: {
                path: str(hash_file(locate(self.root, path), name=path)) for path in self.names(form["checksums"])
            },
            "keys": lambda: self._mapped(form),
        }
        return readers[kind]()

    def _mapped(self, form: Mapping[str, Any]) -> dict[str, Any]:
        keys, values = self.value(form["keys"]), self.value(form["values"])
        if not isinstance(keys, list) or not isinstance(values, list) or len(keys) != len(values):
            problem = f"{form['keys']} and {form['values']} do not belong together, item by item"
            raise FindingError(finding(problem, "correct the files, or the references", "id", form["keys"]))
        table = self.value(form["through"]) if "through" in form else None
        found: dict[str, Any] = {}
        for key, value in zip(keys, values, strict=True):
            if not isinstance(key, str) or not key.strip() or key in found:
                what = f"{shown(key)} stands twice" if isinstance(key, str) and key in found else "has no id"
                problem = f"{form['keys']}: an item {what}" if what == "has no id" else f"{form['keys']}: {what}"
                raise FindingError(finding(problem, f"give each item of {form['keys']} one id", "id", form["keys"]))
            found[key] = value if table is None else _looked_up(table, value, form.get("field"))
        return found


def is_reference(text: str, names: Mapping[str, str]) -> bool:
    """Whether a text refers to a value of a declared file."""
    return _MARK in text and text.split("#", 1)[0] in names


def references_in(declared: object) -> Iterator[str]:
    """The names of files that an input refers to, whether there are such files or not."""
    if isinstance(declared, str):
        if _MARK in declared:
            yield declared.split("#", 1)[0]
    elif isinstance(declared, list):
        for each in declared:
            yield from references_in(each)
    elif isinstance(declared, Mapping):
        for key in ("path", "paths", "checksums"):
            if set(declared) == {key}:
                yield str(declared[key])
                return
        if set(declared) == {"value"}:
            return
        for each in declared.values():
            yield from references_in(each)


def _is_pattern(path: str) -> bool:
    return any(sign in path for sign in "*?[")


def _looked_up(table: object, value: object, field: str | list[str] | None) -> Any:
    """What a table has for a value; of that a field, or several as a list."""
    row = table.get(value) if isinstance(table, Mapping) and isinstance(value, str) else None
    if field is None or not isinstance(row, Mapping):
        return row if field is None else None
    return row.get(field) if isinstance(field, str) else [row.get(each) for each in field]


def _follow(document: Any, pointer: str, path: str) -> Any:
    """What a pointer leads to; None where the last part of it is not there, as checks say what is missing.

    Raises:
        FindingError: it leads nowhere before its last part.
    """
    parts = pointer.split("/")[1:]
    at = [document]
    is_many = False
    for position, part in enumerate(parts):
        place = "/" + "/".join(parts[:position])
        if part == "*":
            is_many = True
            if not all(isinstance(each, (list, Mapping)) for each in at):
                raise _nowhere(path, place, "a list")
            at = [item for each in at for item in (each.values() if isinstance(each, Mapping) else each)]
            continue
        if not all(isinstance(each, Mapping) for each in at):
            raise _nowhere(path, place, f"an object with {shown(part)}")
        if part == _KEYS:
            is_many = True
            at = [key for each in at for key in each]
            continue
        at = [each.get(part.replace("~1", "/").replace("~0", "~")) for each in at]
    return at if is_many else at[0]


def _nowhere(path: str, place: str, expected: str) -> FindingError:
    problem = f"{path} at {place}: expected {expected}"
    return FindingError(finding(problem, f"correct {path}, or make it again", "schema", f"{path}#{place}"))
