"""How much a check reads, follows and tells, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is beyond a bound fails its check, with the bound in the verdict; it is never left out in silence.

    Attributes:
        hashed_bytes: the largest file that is hashed, piece by piece.
        document_bytes: the largest JSON or YAML file that is parsed.
        document_depth: how deep lists and objects of a document may be nested.
        document_values: how many values a document may have, with what YAML aliases repeat.
        files: how many files of a folder are looked at.
        evidence: how many pieces of evidence an outcome carries; the last one says how many more there are.
        reason_problems: how many problems the reason spells out; the evidence has the others.
    """

    hashed_bytes: int = 1024**3
    document_bytes: int = 8 * 1024**2
    document_depth: int = 100
    document_values: int = 1_000_000
    files: int = 100_000
    evidence: int = 50
    reason_problems: int = 3


DEFAULT_BOUNDS = Bounds()
"""Room for real projects; small enough for the time limit of a gate."""


def in_words(size_bytes: int) -> str:
    """E.g. `8 MiB`, or `1000 bytes` where no unit fits."""
    for unit, factor in (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
        if size_bytes >= factor and size_bytes % factor == 0:
            return f"{size_bytes // factor} {unit}"
    return f"{size_bytes} bytes"
