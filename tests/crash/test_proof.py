"""The proof sees what it is to see."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.model.record import ENDED_BY
from otel_agenttrace.stores.open import open_store
from otel_agenttrace.testing.spans import make_span
from tests.crash.agent import SORTS, text_of
from tests.crash.outside import Lane
from tests.crash.proof import prove

if TYPE_CHECKING:
    from pathlib import Path

    from otel_agenttrace.model.record import SpanRecord
    from tests.crash.proof import Counts

_LANE = "0123456789ab"


def recorded(number: int) -> SpanRecord:
    """A span as an agent makes it."""
    sort = SORTS[0]
    return make_span(
        trace_id=f"{1:032x}",
        span_id=f"{number:016x}",
        attributes={
            "gen_ai.operation.name": sort.operation,
            sort.id_attribute: f"{_LANE}-{number}",
            sort.text_attribute: text_of(_LANE, number),
        },
    )


def key_of(span: SpanRecord) -> str:
    """As agents say it."""
    return span.trace_id + span.span_id


def proved(folder: Path, stored: list[SpanRecord], received: list[SpanRecord], lane: Lane) -> Counts:
    """What the proof says of a store and an endpoint with these spans."""
    store = folder / "store.db"
    with open_store(f"sqlite:///{store}") as opened:
        opened.write_spans(stored)
    (folder / "received").write_bytes(b"".join(bytes.fromhex(key_of(span)) for span in received))
    return prove(store, folder / "spool", folder / "received", [lane], has_quota=False)


SPANS = [recorded(number) for number in range(1, 6)]
LATER = replace(SPANS[4], start_time_unix_nano=SPANS[4].start_time_unix_nano - 1)
OTHER = replace(SPANS[4], attributes={**SPANS[4].attributes, SORTS[0].text_attribute: "cut"})
KILLED = replace(SPANS[4], attributes={**SPANS[4].attributes, ENDED_BY: "spool"})


def lane_of(ended: list[SpanRecord], begun: list[SpanRecord] | None = None) -> Lane:
    """A lane that has said this."""
    return Lane(_LANE, 1, {*map(key_of, begun or [])}, {*map(key_of, ended)})


def test_all_is_well(tmp_path: Path) -> None:
    """Every span stored once and received, twice for once: nothing is broken."""
    counts = proved(tmp_path, SPANS, [*SPANS, SPANS[0]], lane_of(SPANS))

    assert counts.broken == {}
    assert counts.stored == counts.forwarded == counts.acknowledged == len(SPANS)


def test_what_was_killed_is_abandoned(tmp_path: Path) -> None:
    """A span that was open is in the store as ended for it; one that was just begun may not have been spoken of."""
    counts = proved(tmp_path, [*SPANS[:4], KILLED], SPANS[:4], lane_of(SPANS[:3], begun=SPANS[4:]))

    assert counts.broken == {}
    assert (counts.interrupted, counts.abandoned) == (1, 1)


@pytest.mark.parametrize(
    ("breaks", "stored", "received", "lane"),
    [
        ("lost", SPANS[:4], SPANS, lane_of(SPANS)),
        ("lost", [*SPANS[:4], replace(SPANS[4], end_time_unix_nano=None)], SPANS, lane_of(SPANS)),
        ("lost", [*SPANS[:4], KILLED], SPANS, lane_of(SPANS)),
        ("doubled", [*SPANS, LATER], SPANS, lane_of(SPANS)),
        ("altered", [*SPANS[:4], OTHER], SPANS, lane_of(SPANS)),
        ("strange", SPANS, SPANS, lane_of(SPANS[:3])),
        ("not_forwarded", SPANS, SPANS[:4], lane_of(SPANS)),
        ("unresolved", SPANS[:4], SPANS, lane_of(SPANS[:4], begun=SPANS)),
    ],
)
def test_what_is_broken_is_found(
    tmp_path: Path, breaks: str, stored: list[SpanRecord], received: list[SpanRecord], lane: Lane
) -> None:
    """One span that is lost, altered, there twice and so on is found among those that are not."""
    counts = proved(tmp_path, stored, received, lane)

    assert counts.broken == {breaks: 1}
