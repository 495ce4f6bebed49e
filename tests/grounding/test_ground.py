"""`ground` holds each claim of a text against its sources."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.grounding import Claim, GroundingReport, ground

REPORT = json.dumps({"company": "Example Ltd", "year": 2025, "revenue_eur": 4_100_000, "employees": 38})
HOTELS = json.dumps(
    [
        {"name": "Casa Azul", "price_eur": 110, "available": True, "check_in": "2026-05-03"},
        {"name": "Tejo Inn", "price_eur": 74, "available": False, "check_in": "2026-05-03"},
    ]
)
ARTICLE = (
    'Ada Lindqvist founded the Halden Institute on 4 May 1987. "We measure before we argue," she said. '
    "The institute rejected the merger. More at https://halden.example.org/history."
)


def only(report: GroundingReport) -> Claim:
    """Return the one claim of a report."""
    assert len(report.claims) == 1
    return report.claims[0]


@pytest.mark.parametrize(
    ("output", "source", "reason", "missing"),
    [
        ("Example Ltd earned 5.3 million euros.", REPORT, "unsupported_number", ("5.3 million",)),
        ("Casa Azul has rooms from 10 May.", HOTELS, "unsupported_date", ("10 May",)),
        ("See https://halden.example.org/jobs.", ARTICLE, "unsupported_url", ("https://halden.example.org/jobs",)),
        (
            'Lindqvist said: "We argue before we measure."',
            ARTICLE,
            "unsupported_quotation",
            ('"We argue before we measure."',),
        ),
        (
            "Ada Lindqvist and Erik Solberg founded the Halden Institute.",
            ARTICLE,
            "unsupported_name",
            ("Erik", "Solberg"),
        ),
        ("Tejo Inn is available.", HOTELS, "contradiction", ("available",)),
        ("The Halden Institute approved the merger.", ARTICLE, "contradiction", ("approved",)),
        ("Tejo Inn costs 110 EUR.", HOTELS, "contradiction", ("110",)),
        ("Students praise generous scholarships and excellent canteens.", ARTICLE, "unsupported_statement", ()),
    ],
)
def test_each_reason(output: str, source: str, reason: str, missing: tuple[str, ...]) -> None:
    """A claim without support says why, and which part of it has none."""
    claim = only(ground(output, [source]))

    assert (claim.reason, claim.missing) == (reason, missing)
    assert not claim.is_supported
    assert claim.support < 0.5


@pytest.mark.parametrize(
    "output",
    [
        "In 2025 Example Ltd earned 4.1 million euros with 38 employees.",
        "Casa Azul is available at 110 EUR.",
        "Tejo Inn is not available.",
        "Tejo Inn is sold out.",
        "Casa Azul is 36 EUR more expensive.",
        "Three nights at Casa Azul cost 330 EUR in total.",
        "Check-in is on Sunday, May 3rd.",
        "There are two hotels.",
        "Ada Lindqvist founded the institute in 1987.",
        'She said: "We measure before we argue."',
        "The Halden Institute did not accept the merger.",
    ],
)
def test_what_follows_from_the_sources_is_supported(output: str) -> None:
    """Other words, forms of dates and numbers, and simple arithmetic are no invention."""
    report = ground(output, [REPORT, HOTELS, ARTICLE])

    assert report.unsupported == ()
    assert all(claim.support >= 0.5 for claim in report.claims)


def test_a_claim_knows_where_it_stands_and_what_speaks_for_it() -> None:
    """Positions are those of the output; the passage is from the source that is named."""
    output = "## Result\n\n- **Casa Azul** costs 110 EUR.\n- Ada Lindqvist founded the Halden Institute.\n"
    report = ground(output, [HOTELS, ARTICLE])

    assert [output[claim.start : claim.end] for claim in report.claims] == [claim.text for claim in report.claims]
    hotel, institute = report.claims
    assert hotel.text == "Casa Azul** costs 110 EUR."
    assert (hotel.source_index, institute.source_index) == (0, 1)
    assert hotel.passage is not None
    assert hotel.passage in HOTELS
    assert institute.passage == "Ada Lindqvist founded the Halden Institute on 4 May 1987."


@pytest.mark.parametrize(
    ("output", "sources"),
    [
        ("", [ARTICLE]),
        ("  \n", [ARTICLE]),
        ("It costs 110 EUR.", []),
        ("It costs 110 EUR.", ["", " \n\t"]),
        ("Hello! How can I help you? Let me know if you need anything else.", [ARTICLE]),
        ("# A heading only", [ARTICLE]),
        ("```\nprint(5)\n```", [ARTICLE]),
    ],
)
def test_nothing_to_check_is_skipped_not_passed(output: str, sources: list[str]) -> None:
    """Without claims or without sources there is no score."""
    report = ground(output, sources)

    assert report.is_skipped
    assert report.score is None
    assert report.claims == ()


def test_more_sources_than_can_be_read_are_refused() -> None:
    """What was not read cannot speak for a claim, so nothing is judged."""
    assert ground("It costs 110 EUR.", ["x" * 4_000_001]).is_skipped


@pytest.mark.parametrize(
    ("right", "wrong", "source"),
    [
        (
            "Die Stadtwerke erzielten 48,3 Millionen Euro, 6 Prozent mehr.",
            "Die Stadtwerke erzielten 84,3 Millionen Euro.",
            "Die Stadtwerke haben einen Umsatz von 48,3 Mio. Euro erzielt, 6 % mehr als im Vorjahr.",
        ),
        ("北京最高气温12度。", "北京最高气温25度。", '{"城市": "北京", "最高气温": 12}'),
        ("سعر الغرفة 110 يورو.", "سعر الغرفة 95 يورو.", "سعر الغرفة في الفندق 110 يورو لليلة."),
    ],
)
def test_other_languages_and_scripts(right: str, wrong: str, source: str) -> None:
    """Numbers are compared in any script, with umlauts, without spaces and from right to left."""
    assert ground(right, [source]).unsupported == ()
    assert only(ground(wrong, [source])).reason == "unsupported_number"


def test_an_answer_in_another_language_is_judged_by_what_can_be_compared() -> None:
    """A translation shares no words with its sources; its numbers still have to be theirs."""
    source = "The hotel is in the old town and it has rooms for 110 euros with a view of the river."
    right = ground("Das Hotel liegt in der Altstadt und kostet 110 Euro mit Blick auf den Fluss.", [source])
    wrong = ground("Das Hotel liegt in der Altstadt und kostet 95 Euro mit Blick auf den Fluss.", [source])

    assert right.unsupported == ()
    assert only(wrong).reason == "unsupported_number"


def test_json_is_read_wherever_it_stands() -> None:
    """Within prose, in a string of other JSON, as Python prints it, and cut off."""
    for source in (
        f"The tool answered: {HOTELS}",
        json.dumps({"content": HOTELS}),
        str(json.loads(HOTELS)),
        HOTELS[:-2],
    ):
        assert ground("Casa Azul is available.", [source]).unsupported == (), source
        assert only(ground("Tejo Inn is available.", [source])).reason == "contradiction", source


def test_the_score_of_a_copied_sentence_is_above_that_of_one_glued_together() -> None:
    """Two halves from different places make a sentence that nobody wrote."""
    source = (
        "The board met in Halden on Tuesday to discuss the budget. It was a long day for all members. "
        "The chairman of the rival club resigned after the defeat on Sunday."
    )
    copied = ground("The board met in Halden on Tuesday to discuss the budget.", [source]).score
    glued = ground("The board met in Halden on Tuesday resigned after the defeat on Sunday.", [source]).score

    assert copied is not None
    assert glued is not None
    assert copied > glued


def test_the_score_lies_between_the_weakest_claim_and_the_mean() -> None:
    """One invention in a long answer is neither everything nor nothing."""
    report = ground("Casa Azul costs 110 EUR. Tejo Inn costs 5,000 EUR.", [HOTELS])
    supports = [claim.support for claim in report.claims]

    assert report.score == pytest.approx((min(supports) + sum(supports) / 2) / 2)


@given(output=st.text(max_size=300), sources=st.lists(st.text(max_size=300), max_size=3))
def test_any_text_is_judged_without_an_error(output: str, sources: list[str]) -> None:
    """Whatever the texts are, positions fit, support lies in 0..1, and the same call gives the same report."""
    report = ground(output, sources)

    assert ground(output, sources) == report
    assert all(output[claim.start : claim.end] == claim.text for claim in report.claims)
    assert all(0 <= claim.support <= 1 for claim in report.claims)
    assert all((claim.support >= 0.5) == claim.is_supported for claim in report.claims)


@pytest.mark.parametrize(
    "part",
    ["a", "1", "1,", "1.", '"\\', '{"', '{"a":', "[", "-", "|", "two ", "may 1 ", "中", "*", "a-1", "http://", "a@"],
)
def test_an_endless_repetition_makes_few_claims(part: str) -> None:
    """A dump is cut into pieces of bounded size and number, as an output and as a source."""
    dump = part * 60_000
    for output, source in ((dump, ARTICLE), ("Casa Azul costs 110 EUR.", dump)):
        claims = ground(output, [source]).claims
        assert len(claims) <= 500
        assert all(len(claim.text) <= 2_000 for claim in claims)


def test_thousands_of_numbers_against_thousands_of_records_take_bounded_work() -> None:
    """The sources are arranged once; ten times as many numbers to look up cost no ten times as much."""
    rows = json.dumps([{"id": number, "price_eur": number * 7 + 0.11} for number in range(5_000)])
    few, many = (". ".join(f"Item {n} costs {n * 13 + 0.77} EUR in total" for n in range(count)) for count in (40, 400))
    took = []
    for output in (few, many):
        start = time.process_time()
        ground(output, [rows])
        took.append(time.process_time() - start)

    assert took[1] < 10 * took[0]
