"""Injections: faults that the pilot puts into its own work, for gates to find."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Injections:
    """What goes wrong on purpose.

    Attributes:
        source_checksum: what the contract says of its source, instead of the source's checksum; found in S3.
        drop_features: ids of features that are left out; found in S4.
        test_failures: how many tests fail; found in S8.
    """

    source_checksum: str | None = None
    drop_features: tuple[str, ...] = ()
    test_failures: int = 0


NONE = Injections()
