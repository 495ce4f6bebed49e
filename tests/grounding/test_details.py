"""What looks like a number, name or date in an answer and is none, or is one that follows from the sources."""

from __future__ import annotations

from typing import Any

import pytest

from otel_agenttrace.grounding import ground

HOTEL = '{"name": "Casa Azul", "price_eur": 110}'
WEATHER = '[{"day": "2026-02-15", "cond": "rain"}, {"day": "2026-02-16", "max_c": 1, "cond": "snow"}]'


@pytest.mark.parametrize(
    "output",
    [
        "Casa Azul costs 110 EUR, so I'd book it.",
        "Casa Azul costs 110 EUR, We'd say, and We\u2019ll book.",
        "Casa Azul costs 110 EUR [2]. See also [3].",
        "Casa Azul (see [1]) costs 110 EUR [1][2], [2, 4] and [^7].",
        "CASA AZUL COSTS 110 EUR.",
        "Casa Azul costs \u20ac110/Nacht.",
        "Here are 5 options for Casa Azul.",
        "In Q1 2026 Casa Azul costs 110 EUR.",
    ],
)
def test_what_is_neither_a_number_nor_a_name_is_not_looked_for(output: str) -> None:
    """Contractions, marks of citations, capitals throughout, units behind a stroke, announcements and quarters."""
    assert ground(output, [HOTEL, "Booked for 2026-03-06."]).unsupported == ()


def test_a_quarter_that_the_sources_do_not_have_is_unsupported() -> None:
    """Sources that know quarters know which."""
    (claim,) = ground("Sales in Q3 were 5 million.", ['{"q1": 5000000, "q2": 4000000}']).claims

    assert claim.missing == ("Q3",)


@pytest.mark.parametrize(
    ("output", "source"),
    [
        ("Rain on Feb 15 and 1 °C on Feb 16.", WEATHER),
        ("Oslo will have snow on the 16th.", WEATHER),
        ("The meeting starts at 9.", '{"start": "09:00"}'),
        ("The meeting starts at half past nine.", '{"start": "21:30"}'),
        ("17% of 2350 is 399.50.", "what is 17% of 2350?"),
        ("With a 10% discount that is 99 EUR.", '{"price": 110, "offer": "10% discount"}'),
        ("EMEA is 60% of the total.", '[{"region": "EMEA", "v": 1200}, {"region": "APAC", "v": 800}]'),
        ("She was 36 when she died in 1852.", "Ada Lovelace (10 December 1815 - 27 November 1852)"),
    ],
)
def test_what_follows_from_dates_times_and_shares_is_supported(output: str, source: str) -> None:
    """Days without a month, hours without minutes, percentages of numbers and sums, and ages."""
    assert ground(output, [source]).unsupported == ()


@pytest.mark.parametrize(
    ("output", "source"),
    [
        ("Oslo will have snow on the 18th.", WEATHER),
        ("The meeting starts at 8.", '{"start": "09:00"}'),
        ("The meeting starts at half past nine.", '{"start": "09:00"}'),
        ("17% of 2350 is 389.50.", "what is 17% of 2350?"),
        ("EMEA is 65% of the total.", '[{"region": "EMEA", "v": 1200}, {"region": "APAC", "v": 800}]'),
        ("She was 42 when she died in 1852.", "Ada Lovelace (10 December 1815 - 27 November 1852)"),
        ("The API allows 5 options.", HOTEL),
    ],
)
def test_what_does_not_follow_is_unsupported(output: str, source: str) -> None:
    """The same forms with another number are flagged."""
    (claim,) = ground(output, [source]).claims

    assert claim.reason in ("unsupported_number", "unsupported_date")


@pytest.mark.parametrize("sources", ["The price is 5 EUR.", [HOTEL, None], [b"5 EUR"]])
def test_sources_that_are_no_list_of_strings_are_refused(sources: Any) -> None:
    """One string would be read as a source for each of its characters."""
    with pytest.raises(TypeError, match="sources"):
        ground("The price is 5 EUR.", sources)


def test_an_output_that_is_no_string_is_refused() -> None:
    """The message names the argument."""
    output: Any = None
    with pytest.raises(TypeError, match="output"):
        ground(output, [HOTEL])
