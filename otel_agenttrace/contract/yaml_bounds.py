"""Bounds for YAML of unknown origin, looked at before anything is built of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import yaml


class YamlBoundError(Exception):
    """A document goes beyond a bound, or has no end.

    Attributes:
        problem: what is wrong, to be read after the document's name.
        line: where, counted from 1; None if it is the document as a whole.
    """

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line


def demand_shallow(text: str | bytes, loader: type[yaml.SafeLoader], max_depth: int) -> None:
    """Refuse deep nesting before libyaml follows it: at the end of the stack it takes the process with it.

    Raises:
        YamlBoundError: it is nested deeper than `max_depth` levels.
        yaml.YAMLError: it is no YAML.
    """
    import yaml  # noqa: PLC0415 - 16 ms that only a YAML file should cost

    depth = 0
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > max_depth:
                mark = event.start_mark
                line = None if mark is None else mark.line + 1
                raise YamlBoundError(f"is nested deeper than {max_depth} levels", line)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def demand_bounded(top: yaml.Node, max_values: int) -> None:
    """Count the nodes with what aliases repeat, each node once: children first, on a stack of our own.

    Raises:
        YamlBoundError: there are more than `max_values`, or one is a part of itself.
    """
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()
    waiting = [(top, False)]
    while waiting:
        node, is_counted = waiting.pop()
        key = id(node)
        if is_counted:
            open_nodes.discard(key)
            sizes[key] = 1 + sum(sizes[id(below)] for below in _below(node))
            if sizes[key] > max_values:
                raise YamlBoundError(f"has more than the {max_values} values that are followed")
        elif key in open_nodes:
            raise YamlBoundError(f"has an alias to what it is a part of, at line {node.start_mark.line + 1}")
        elif key not in sizes:
            open_nodes.add(key)
            waiting.append((node, True))
            waiting += [(below, False) for below in _below(node)]


def _below(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node.value, str):
        return []
    return [each for item in node.value for each in (item if isinstance(item, tuple) else (item,))]
