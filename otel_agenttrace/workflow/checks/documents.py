"""JSON and YAML files as plain values: bounded, without duplicate keys, and nothing that JSON cannot say."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from functools import lru_cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from otel_agenttrace.contract.yaml_bounds import YamlBoundError, demand_bounded, demand_shallow
from otel_agenttrace.workflow.checks.bounds import DEFAULT_BOUNDS, Bounds
from otel_agenttrace.workflow.checks.files import read_file
from otel_agenttrace.workflow.checks.findings import FindingError, finding, shown

if TYPE_CHECKING:
    import yaml

_YAML_ENDINGS = (".yaml", ".yml")
_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = ("null", "bool", "int", "float", "str", "seq")


def read_document(path: str | os.PathLike[str], *, name: str | None = None, bounds: Bounds = DEFAULT_BOUNDS) -> Any:
    """The values of a file: YAML if its name ends in `.yaml` or `.yml`, else JSON.

    They are what JSON has (objects, lists, texts, numbers, truth values, null), of YAML too: its dates stay texts.

    Args:
        path: the file.
        name: what verdicts call it; its path if not given.
        bounds: of its size, its depth and the number of its values.

    Raises:
        FindingError: it cannot be read, goes beyond a bound, or is not JSON or YAML; with the line where that is known.
    """
    label = name or os.fspath(path)
    text = _text(read_file(path, name=name, bounds=bounds), label)
    if not text.strip():
        raise _wrong(label, "is empty")
    is_yaml = PurePath(path).suffix.lower() in _YAML_ENDINGS
    value = _yaml_values(text, label, bounds) if is_yaml else _json_values(text, label)
    demand_plain(value, label, bounds=bounds)
    return value


def demand_plain(value: object, label: str, *, bounds: Bounds = DEFAULT_BOUNDS) -> None:
    """See to it that a value is what JSON can say, and within the bounds.

    Raises:
        FindingError: it is not; names the JSON pointer where it is not.
    """
    waiting: list[tuple[object, str, int]] = [(value, "", 0)]
    count = 0
    while waiting:
        each, pointer, depth = waiting.pop()
        count += 1
        if count > bounds.document_values:
            raise _wrong(label, f"has more than the {bounds.document_values} values that are followed")
        if depth > bounds.document_depth:
            raise _wrong(label, f"is nested deeper than {bounds.document_depth} levels, at {pointer[:80]}")
        if isinstance(each, dict):
            for key, below in each.items():
                if not _is_text(key):
                    raise _wrong(label, f"has the key {shown(key)}, which is no text, at {pointer or '/'}")
                waiting.append((below, f"{pointer}/{escaped(key)}", depth + 1))
        elif isinstance(each, (list, tuple)):
            waiting += [(below, f"{pointer}/{index}", depth + 1) for index, below in enumerate(each)]
        elif isinstance(each, float) and not math.isfinite(each):
            raise _wrong(label, f"has {each}, which is no JSON number, at {pointer or '/'}")
        elif each is not None and not isinstance(each, (int, float)) and not _is_text(each):
            raise _wrong(label, f"has {shown(each)}, which JSON cannot say, at {pointer or '/'}")


def _is_text(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        value.isascii() or value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can spell and no file can hold
        return False
    return True


def escaped(key: object) -> str:
    """A key or index as a part of a JSON pointer (https://www.rfc-editor.org/rfc/rfc6901)."""
    return str(key).replace("~", "~0").replace("/", "~1")


def _text(data: bytes, label: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _wrong(label, f"is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}") from error


def _json_values(text: str, label: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise _wrong(f"{label}:{error.lineno}", f"is no JSON: {error.msg} (column {error.colno})", label) from error
    except RecursionError as error:
        raise _wrong(label, "is nested too deep to be read") from error
    except ValueError as error:
        raise _wrong(label, f"is no JSON that can be used: {error}") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        times = Counter(key for key, _ in pairs)
        twice = next(key for key in times if times[key] > 1)
        raise ValueError(f"key {shown(twice)} stands twice in one object")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON number")


def _yaml_values(text: str, label: str, bounds: Bounds) -> Any:
    import yaml  # noqa: PLC0415 - 16 ms that only a YAML file should cost

    loader = None
    try:
        demand_shallow(text, _loader(), bounds.document_depth)
        loader = _loader()(text)
        node = loader.get_single_node()
        if node is None:
            raise _wrong(label, "is empty")
        # Before anything is built: aliases and merge keys grow by powers.
        demand_bounded(node, bounds.document_values)
        return loader.construct_document(node)
    except YamlBoundError as error:
        place = label if error.line is None else f"{label}:{error.line}"
        raise _wrong(place, error.problem, label) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _wrong(
            _place(label, mark), f"is no YAML that can be used: {error.problem or error.context}", label
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        why = "nested too deep" if isinstance(error, RecursionError) else str(error).partition("\n")[0]
        raise _wrong(label, f"is no YAML that can be used: {why}") from error
    finally:
        if loader is not None:
            loader.dispose()


@lru_cache(maxsize=1)
def _loader() -> type[yaml.SafeLoader]:
    import yaml  # noqa: PLC0415 - as above

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # some builds lack libyaml
        """Makes what JSON has, and refuses the rest."""

    known = yaml.SafeLoader.yaml_constructors
    Loader.yaml_constructors = {tag: known[tag] for tag in (None, *(_TAG + each for each in _PLAIN_TAGS))}
    Loader.yaml_implicit_resolvers = {
        first: [each for each in resolvers if each[0] not in (_TAG + "timestamp", _TAG + "value")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
        own = [key for key, _ in node.value if key.tag != _TAG + "merge"]
        loader.flatten_mapping(node)
        seen = set()
        for key_node in own:
            key = loader.construct_object(key_node, deep=True)
            problem = "stands twice" if isinstance(key, str) and key in seen else "is no text"
            if not isinstance(key, str) or key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {shown(key)} {problem}", key_node.start_mark)
            seen.add(key)
        return loader.construct_mapping(node, deep=True)

    Loader.add_constructor(_TAG + "map", construct)
    return Loader


def _place(label: str, mark: Any) -> str:
    return f"{label}:{mark.line + 1}" if mark is not None else label


def _wrong(place: str, problem: str, label: str | None = None) -> FindingError:
    action = f"correct {label or place}"
    return FindingError(finding(f"{place} {problem}", action, "file", label or place))
