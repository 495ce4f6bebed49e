"""Nanoseconds <-> RFC 3339."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.model.times import from_rfc3339, to_rfc3339, to_unix_nano
from otel_agenttrace.testing.spans import START


def test_a_time_is_written_in_utc_with_six_decimals() -> None:
    """The form does not depend on the value."""
    assert to_rfc3339(START) == "2026-09-21T14:13:20.000000Z"
    assert to_rfc3339(START + 123_456_789) == "2026-09-21T14:13:20.123456Z"
    assert to_rfc3339(-1) == "1969-12-31T23:59:59.999999Z"


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_int64_has_a_time(unix_nano: int) -> None:
    """What a store takes can be shown, and is read back to the microsecond."""
    assert from_rfc3339(to_rfc3339(unix_nano)) == unix_nano // 1000 * 1000


@pytest.mark.parametrize(
    ("text", "unix_nano"),
    [
        ("2026-09-21T14:13:20Z", START),
        ("2026-09-21t14:13:20z", START),
        ("2026-09-21 16:13:20+02:00", START),
        (" 2026-09-21T14:13:20.5-00:00 ", START + 500_000_000),
        ("2026-09-21T14:13:20.123456789123Z", START + 123_456_789),
        ("1969-12-31T23:59:59.999999999Z", -1),
    ],
)
def test_any_rfc_3339_time_is_read(text: str, unix_nano: int) -> None:
    """Any offset and any number of decimals; what is finer than a nanosecond is cut off."""
    assert from_rfc3339(text) == unix_nano


@pytest.mark.parametrize("text", ["", "now", "2026-09-21", "2026-09-21T14:13:20", "2026-13-21T14:13:20Z", "20260921"])
def test_another_text_is_refused(text: str) -> None:
    """A time without an offset could be any of 26 hours."""
    with pytest.raises(ValueError, match=r".+"):
        from_rfc3339(text)


def test_a_datetime_has_to_know_its_time_zone() -> None:
    """An aware datetime is converted exactly, a naive one refused."""
    moment = datetime(2026, 9, 21, 16, 13, 20, 1, tzinfo=timezone(timedelta(hours=2)))

    assert to_unix_nano(moment) == START + 1000
    with pytest.raises(ValueError, match="time zone"):
        to_unix_nano(moment.replace(tzinfo=None))
