"""Gate results, read back from spans that anybody emitted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.model.gate import Evidence
from otel_agenttrace.model.gate_events import gate_results
from otel_agenttrace.model.record import EventRecord
from otel_agenttrace.testing.spans import SECOND, SPAN_ID, START, make_span

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord


def _event(word: str, seconds: int = 0, gate_id: Any = "g", **attributes: Any) -> EventRecord:
    said = {f"gate.{name}": value for name, value in attributes.items()}
    return EventRecord(f"gate.check.{word}", START + seconds * SECOND, {"gate.id": gate_id, **said})


def _span(*events: EventRecord, **more: Any) -> SpanRecord:
    return make_span(events=events, **more)


def test_results_are_in_order_of_time_over_all_spans() -> None:
    """Whatever order the spans come in, and how often."""
    first, second = _span(_event("passed", 1, "a"), _event("failed", 3, "c")), _span(_event("skipped", 2, "b"))
    second = replace(second, span_id="b" * 16)
    results = gate_results([second, first, second])

    assert [(each.gate_id, each.result) for each in results] == [("a", "pass"), ("b", "skipped"), ("c", "fail")]
    assert results[0].checked_at == "2026-09-21T14:13:21.000000Z"


def test_what_an_event_leaves_out_is_taken_from_the_start() -> None:
    """Else from the defaults, which assume the worse."""
    started = _event("started", severity="warning", blocking=False)
    (told,) = gate_results([_span(started, _event("failed"))])
    (bare,) = gate_results([_span(_event("failed"))])

    assert (told.severity, told.blocking) == ("warning", False)
    assert (bare.severity, bare.blocking, bare.blocks) == ("error", True, True)


def test_a_gate_that_never_ended_has_no_result() -> None:
    """Nobody knows what it would have found."""
    assert gate_results([_span(_event("started"))]) == []


def test_the_phase_is_that_of_the_nearest_span() -> None:
    """The event's own word first, then the span's, then that of the spans above."""
    root = make_span(attributes={"task.phase": "ROUTING_DECISION"})
    below = _span(_event("passed"), span_id="b" * 16, parent_span_id=SPAN_ID)
    own = EventRecord("gate.check.passed", START, {"gate.id": "g", "task.phase": "S4"})

    assert [each.phase for each in gate_results([root, below])] == ["ROUTING_DECISION"]
    assert [each.phase for each in gate_results([root, replace(below, events=(own,))])] == ["S4"]
    assert [each.phase for each in gate_results([replace(below, parent_span_id=below.span_id)])] == [None]


def test_an_override_goes_with_the_result_before_it() -> None:
    """An override without a name overrides nothing."""
    overridden = _event("overridden", overridden_by="ada", override_reason="known")
    results = gate_results([_span(overridden, _event("failed"), _event("failed", 1), overridden)])
    (nameless,) = gate_results([_span(_event("failed"), _event("overridden"))])

    assert [each.overridden_by for each in results] == [None, "ada"]
    assert (results[1].override_reason, results[1].blocks) == ("known", False)
    assert nameless.blocks


@pytest.mark.parametrize(
    ("evidence", "read"),
    [
        ([{"type": "file", "ref": "a", "description": "b"}], (Evidence(type="file", ref="a", description="b"),)),
        ('[{"type": "file", "ref": "a"}]', (Evidence(type="file", ref="a"),)),
        ([{"type": 7}, "text"], (Evidence(type="", ref=""),)),
        ("not JSON", ()),
        ('{"type": "file"}', ()),
        (7, ()),
    ],
)
def test_evidence_may_be_a_list_or_its_json(evidence: Any, read: tuple[Evidence, ...]) -> None:
    """What is neither counts as not there."""
    (result,) = gate_results([_span(_event("failed", evidence=evidence))])

    assert result.evidence == read


def test_an_open_span_has_results_too() -> None:
    """Of two versions of one span the greater one counts."""
    version = {"end_time_unix_nano": None}
    old = _span(_event("failed"), attributes={"agenttrace.revision": 1}, **version)
    new = _span(_event("failed"), _event("passed", 1), attributes={"agenttrace.revision": 2}, **version)

    assert [each.result for each in gate_results([new, old])] == ["fail", "pass"]
