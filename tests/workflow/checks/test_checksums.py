"""Checksums as text: read strictly."""

from __future__ import annotations

import hashlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.workflow.checks import Checksum, FindingError, checksum_of, parse_checksum
from otel_agenttrace.workflow.checks.checksums import DIGEST_CHARS

SHA256 = "sha256:" + "0f" * 32


@given(st.binary(), st.sampled_from(sorted(DIGEST_CHARS)))
def test_a_checksum_is_its_text(data: bytes, algorithm: str) -> None:
    """What is computed is what hashlib computes, and reads back from its text."""
    checksum = checksum_of(data, algorithm)

    assert checksum.digest == hashlib.new(algorithm, data).hexdigest()
    assert parse_checksum(str(checksum)) == checksum


def test_another_algorithm_is_not_computed() -> None:
    """Only the accepted ones are."""
    with pytest.raises(ValueError, match="'sha1' is not one of sha256"):
        checksum_of(b"", "sha1")


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (None, "the checksum of a.json is missing"),
        ("", "the checksum of a.json is empty"),
        ("sha256", r'malformed: "sha256" \(no algo:hex\)'),
        (":00", "no algo:hex"),
        (" " + SHA256, "no algo:hex"),
        (5, r"malformed: 5 \(no algo:hex\)"),
        ([SHA256], "malformed: a list of 1 item"),
        (b"sha256:00", "no algo:hex"),
        ("sha256:STALE", "what follows the colon are no lower-case hex digits"),
        (SHA256.replace("f", "F"), "no lower-case hex digits"),
        (SHA256 + "\n", "no lower-case hex digits"),
        ("sha256:", "0 hex digits, sha256 has 64"),
        (SHA256 + "0", "65 hex digits, sha256 has 64"),
        ("blake2b:" + "0" * 64, "64 hex digits, blake2b has 128"),
        ("md5:" + "0" * 32, 'the algorithm "md5" is not accepted'),
        ("SHA256:" + "0" * 64, 'the algorithm "SHA256" is not accepted'),
        ("crc32:00", 'the algorithm "crc32" is not accepted'),
    ],
)
def test_what_is_no_checksum_is_told_as_such(value: object, verdict: str) -> None:
    """Missing, empty, malformed and other algorithms have a verdict each, which says what is accepted."""
    with pytest.raises(FindingError, match=verdict) as caught:
        parse_checksum(value, "a.json")

    finding = caught.value.finding
    assert (finding.evidence.type, finding.evidence.ref) == ("checksum", "a.json")
    assert "a.json" in finding.action


@given(st.text() | st.integers() | st.binary() | st.none())
def test_nothing_else_comes_of_a_value(value: object) -> None:
    """Whatever stands there, it is a checksum or a finding."""
    with suppress(FindingError):
        assert isinstance(parse_checksum(value), Checksum)
