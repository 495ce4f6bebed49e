"""Gates and the state of tasks in the tree of a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.model.record import EventRecord
from otel_agenttrace.stores.memory import MemorySpanStore
from otel_agenttrace.testing.spans import START, TRACE_ID, make_span
from otel_agenttrace.views.lines import render
from otel_agenttrace.views.tree import format_tree

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord


def _event(word: str, gate_id: str = "parity", **attributes: Any) -> EventRecord:
    said = {f"gate.{name}": value for name, value in attributes.items()}
    return EventRecord(f"gate.check.{word}", START, {"gate.id": gate_id, **said})


def _shown(*spans: SpanRecord) -> list[str]:
    store = MemorySpanStore()
    store.write_spans(spans)
    return [line.strip() for line in render(format_tree(store.get_trace(TRACE_ID), width=100)).splitlines()]


def test_gates_stand_below_their_span() -> None:
    """Those that passed in one line, each other one in its own, with who let the work go on."""
    span = make_span(
        events=(
            *(_event("passed", name) for name in ("a", "b", "a")),
            _event("failed", reason="a gap is open", blocking=True),
            _event("overridden", overridden_by="ada", override_reason="known"),
            _event("skipped", "coverage", reason="no tests", blocking=False),
        )
    )

    assert _shown(span)[1:] == [
        "gates passed: a, b",
        "gate parity failed: a gap is open (overridden by ada: known)",
        "gate coverage skipped: no tests",
    ]


def test_many_gates_are_cut() -> None:
    """A span with a hundred of them stays readable."""
    failed = [_event("failed", f"f{number}", reason="r") for number in range(100)]
    passed = [_event("passed", f"p{number}") for number in range(100)]

    shown = _shown(make_span(events=(*failed, *passed)))

    assert shown[1].endswith("p9 and 90 more")
    assert shown[-1] == "and 90 more gates that did not pass"


def test_a_gate_cannot_drive_a_terminal() -> None:
    """What stands in its texts is shown, not obeyed."""
    shown = _shown(make_span(events=(_event("failed", "\x1b[2Jid", reason="\x1b]0;title\x07"),)))

    assert "\x1b" not in "".join(shown)


def test_a_task_that_is_not_done_says_where_it_stands() -> None:
    """A completed one needs no word, and a failed one has its mark."""
    for status, said in (("not_started", True), ("blocked", True), ("cancelled", True), ("completed", False)):
        assert (f"({status})" in _shown(make_span(attributes={"task.status": status}))[0]) is said
