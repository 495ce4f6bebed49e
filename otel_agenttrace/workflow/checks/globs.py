"""Patterns of names: `*` and `?` stay within one part of a name, `**` stands for any number of whole parts."""

from __future__ import annotations

from fnmatch import fnmatchcase


def matches(name: str, pattern: str) -> bool:
    """Whether a name with `/` between its parts fits a pattern; upper and lower case differ.

    >>> matches("dashboards/eu/latency.json", "dashboards/**/*.json")
    True
    """
    parts, pieces = name.split("/"), pattern.split("/")
    # reached[i]: the pieces so far fit the first i parts. In steps, since trying each `**` in turn grows by powers.
    reached = [True] + [False] * len(parts)
    for piece in pieces:
        if piece == "**":
            first = reached.index(True) if True in reached else len(reached)
            reached = [index >= first for index in range(len(reached))]
        else:
            fits = [ok and fnmatchcase(part, piece) for ok, part in zip(reached, parts, strict=False)]
            reached = [False, *fits]
    return reached[-1]
