"""YAML with line numbers: reading a registry file so that every error can name file, line and key."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

from otel_agenttrace.contract.yaml_bounds import YamlBoundError, demand_bounded, demand_shallow
from otel_agenttrace.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

    import yaml

MAX_FILE_BYTES = 4 * 1024 * 1024
_MAX_DEPTH = 100
_MAX_VALUES = 1_000_000
"""With what aliases repeat."""


class Entry(dict[str, Any]):
    """A YAML mapping that knows where it stands.

    Attributes:
        line: where the mapping starts, counted from 1.
        lines: where each key stands.
    """

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


def read_yaml(path: Path) -> Entry:
    """Read a file whose top level is a mapping; every mapping in it is an `Entry`.

    Raises:
        ConfigError: it cannot be read, is no YAML, is nested too deep or grows too large, or has a key twice; names the
            file and, where one is at fault, the line.
    """
    import yaml  # noqa: PLC0415 - 16 ms that only building a contract should cost

    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(text) > MAX_FILE_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
    try:
        document = _document(text)
    except YamlBoundError as error:
        line = "" if error.line is None else f":{error.line}"
        raise ConfigError(f"{path}{line}: {error.problem}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        _refuse(path, error)
    if not isinstance(document, Entry):
        raise ConfigError(f"{path}:1: not a mapping of keys to values")
    return document


def _document(text: bytes) -> Any:
    demand_shallow(text, _loader(), _MAX_DEPTH)
    loader = _loader()(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        # Before anything is built: aliases and merge keys grow by powers.
        demand_bounded(node, _MAX_VALUES)
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _refuse(path: Path, error: Exception) -> NoReturn:
    mark = getattr(error, "problem_mark", None)
    line = f":{mark.line + 1}" if mark is not None else ""
    raise ConfigError(f"{path}{line}: {getattr(error, 'problem', None) or error}") from error


@lru_cache(maxsize=1)
def _loader() -> type[yaml.SafeLoader]:
    import yaml  # noqa: PLC0415 - as above

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # some builds lack libyaml
        """Makes an `Entry` of every mapping."""

    def construct(loader: yaml.SafeLoader, node: yaml.MappingNode) -> Entry:
        loader.flatten_mapping(node)
        entry = Entry(node.start_mark.line + 1)
        for key_node, value_node in node.value:
            key: Hashable = loader.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} is no text", key_node.start_mark)
            if key in entry:
                raise yaml.constructor.ConstructorError(None, None, f"key {key} stands twice", key_node.start_mark)
            entry[key] = loader.construct_object(value_node, deep=True)
            entry.lines[key] = key_node.start_mark.line + 1
        return entry

    Loader.add_constructor("tag:yaml.org,2002:map", construct)
    return Loader
