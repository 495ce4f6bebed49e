"""Checksums as text, `algo:hex`: read strictly, for a checksum that is nearly right is wrong."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from otel_agenttrace.workflow.checks.findings import FindingError, finding, shown

DIGEST_CHARS = {"sha256": 64, "sha384": 96, "sha512": 128, "blake2b": 128, "blake2s": 64}
"""The algorithms that are accepted, and how many hex digits each has."""

_FORM = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]*):(.*)", re.DOTALL)
_DIGITS = re.compile(r"[0-9a-f]*")
_GIVE_ONE = f"write algo:hex in lower case, with one of {', '.join(DIGEST_CHARS)}"


class Checksum(NamedTuple):
    """A checksum of an accepted algorithm; `str()` of it is `algo:hex` again."""

    algorithm: str
    digest: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.digest}"


def parse_checksum(value: object, ref: str = "checksum") -> Checksum:
    """Read `algo:hex`, such as `sha256:` and 64 lower-case hex digits.

    Args:
        value: what stands where a checksum is due.
        ref: what it is the checksum of, for the verdict.

    Raises:
        FindingError: it is missing, empty, malformed, or of an algorithm that is not accepted.
    """
    if value is None or value == "":
        word = "missing" if value is None else "empty"
        raise FindingError(
            finding(f"the checksum of {ref} is {word}", f"record the checksum of {ref}", "checksum", ref)
        )
    match = _FORM.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _malformed(value, ref, "no algo:hex")
    algorithm, digest = match.groups()
    if algorithm not in DIGEST_CHARS:
        problem = f"the checksum of {ref} is {shown(value)}: the algorithm {shown(algorithm)} is not accepted"
        raise FindingError(finding(problem, f"{_GIVE_ONE}, for {ref}", "checksum", ref))
    if not _DIGITS.fullmatch(digest):
        raise _malformed(value, ref, "what follows the colon are no lower-case hex digits")
    if len(digest) != DIGEST_CHARS[algorithm]:
        raise _malformed(value, ref, f"{len(digest)} hex digits, {algorithm} has {DIGEST_CHARS[algorithm]}")
    return Checksum(algorithm, digest)


def _malformed(value: object, ref: str, why: str) -> FindingError:
    problem = f"the checksum of {ref} is malformed: {shown(value)} ({why})"
    return FindingError(finding(problem, f"{_GIVE_ONE}, for {ref}", "checksum", ref))


def checksum_of(data: bytes, algorithm: str = "sha256") -> Checksum:
    """The checksum of bytes in memory; of a file, use `hash_file`.

    Raises:
        ValueError: the algorithm is not one of `DIGEST_CHARS`.
    """
    hasher = new_hash(algorithm)
    hasher.update(data)
    return Checksum(algorithm, hasher.hexdigest())


def new_hash(algorithm: str) -> hashlib._Hash:
    """A hash object of an accepted algorithm.

    Raises:
        ValueError: the algorithm is not one of `DIGEST_CHARS`.
    """
    if algorithm not in DIGEST_CHARS:
        raise ValueError(f"algorithm {algorithm!r} is not one of {', '.join(DIGEST_CHARS)}")
    return hashlib.new(algorithm)
