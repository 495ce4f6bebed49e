"""Numbers as people read them."""

from __future__ import annotations

import pytest

from otel_agenttrace.views.units import (
    cost_text,
    counted,
    format_cost,
    format_count,
    format_duration,
    format_share,
    format_time,
)

MILLISECOND = 1_000_000
SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "0ms"),
        (10, "<0.1ms"),
        (400_000, "0.4ms"),
        (18 * MILLISECOND, "18ms"),
        (999_600_000, "1.0s"),
        (2_103 * MILLISECOND, "2.1s"),
        (59_960 * MILLISECOND, "1m00s"),
        (185 * SECOND, "3m05s"),
        (7_400 * SECOND, "2h03m"),
        (8 * 86_400 * SECOND + 3_600 * SECOND, "8d01h"),
        (2**63 - 1, "106751d23h"),
        (-5 * MILLISECOND, "-5.0ms"),
    ],
)
def test_durations_have_two_or_three_digits(nano: int, text: str) -> None:
    """A duration is short whatever its size; one that is negative says so."""
    assert format_duration(nano) == text


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0, "$0.00"),
        (0.0031, "$0.0031"),
        (0.12345, "$0.1235"),
        (0.0000328, "$0.000033"),
        (1e-9, "<$0.000001"),
        (1234.5, "$1,234.50"),
        (-0.3, "-$0.3000"),
    ],
)
def test_costs_keep_small_amounts_readable(usd: float, text: str) -> None:
    """A cost of a fraction of a cent does not become zero."""
    assert format_cost(usd) == text


def test_a_cost_says_if_there_is_more() -> None:
    """What is not known is neither nothing nor all."""
    assert cost_text(0.0021) == "$0.0021"
    assert cost_text(0.0021, is_complete=False) == "$0.0021+"
    assert cost_text(0.0) == "$0.00"
    assert cost_text(0.0, is_complete=False) == cost_text(None) == ""


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (999, "999"), (1_000, "1.0k"), (12_400, "12.4k"), (999_950, "1.0M"), (4 * 10**12, "4000G")],
)
def test_counts_are_short(number: int, text: str) -> None:
    """A count takes five characters or so."""
    assert format_count(number) == text


def test_shares_of_nothing_are_no_number() -> None:
    """A part of a whole is a percentage; of nothing there is none."""
    assert format_share(1, 3) == "33%"
    assert format_share(0, 0) == "-"


def test_times_are_utc() -> None:
    """Any int64 has a time, with or without its date."""
    assert format_time(1_790_000_000_000_000_000) == "2026-09-21 14:13:20"
    assert format_time(1_790_000_000_000_000_000, date=False, seconds=False) == "14:13"
    assert format_time(-(2**63)) == "1677-09-21 00:12:43"


def test_one_is_no_plural() -> None:
    """A noun has its plural with every number but 1."""
    assert [counted(number, "span") for number in (0, 1, 2)] == ["0 spans", "1 span", "2 spans"]
