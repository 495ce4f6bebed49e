"""Entries as spans and back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.model.codec import deserialize, serialize_record
from otel_agenttrace.model.entry import TraceEntry
from otel_agenttrace.model.times import to_rfc3339
from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.pipeline.entries import trace_entry
from otel_agenttrace.pipeline.usage import totals, usage_stage
from otel_agenttrace.stores.entry_spans import entry_span_id, entry_to_span, span_to_entry
from otel_agenttrace.testing.spans import make_span

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
COUNTS = st.none() | st.integers(0, 2**40)
ENTRIES = st.builds(
    TraceEntry,
    id=TEXTS | st.integers(1, 2**64 - 1).map("{:016x}".format),
    session_id=TEXTS,
    type=TEXTS | st.sampled_from(["error", "message", "chat", "span"]),
    timestamp=st.integers(0, 2**61).map(to_rfc3339),
    duration_ms=st.none() | st.floats(0, 1e9),
    parent_trace_id=st.none() | TEXTS,
    data=st.dictionaries(TEXTS | st.sampled_from(["error", "message", "name", "error_type"]), JSON, max_size=3),
    input_tokens=COUNTS,
    output_tokens=COUNTS,
    model_used=st.none() | TEXTS,
    provider_used=st.none() | TEXTS,
    cost_usd=st.none() | st.floats(0, 1e6),
    raw_input=st.none() | TEXTS,
    raw_output=st.none() | TEXTS,
)


@given(ENTRIES)
def test_what_goes_in_comes_out(entry: TraceEntry) -> None:
    """Any entry comes back equal from its span, by way of the serialised record too."""
    span = entry_to_span(entry)

    assert span_to_entry(span) == entry
    assert span_to_entry(deserialize(serialize_record(span))) == entry
    assert len(span.span_id) == 16
    assert span.span_id != "0" * 16


@given(ENTRIES, ENTRIES)
def test_a_later_entry_wins(entry: TraceEntry, change: TraceEntry) -> None:
    """Of two versions of an entry the store keeps the later one, whatever is in them."""
    first = entry_to_span(entry)
    later = change.model_copy(update={"id": entry.id, "session_id": entry.session_id})
    second = entry_to_span(later, first)

    assert first.identity == second.identity
    assert span_to_entry(second) == later
    assert second.attributes["agenttrace.revision"] == 1


def test_an_entry_is_a_span_like_any_other() -> None:
    """Model, tokens and cost count in totals, a model call is one, an error is one."""
    fields: dict[str, Any] = {"id": "1" * 16, "session_id": "s", "timestamp": "2026-09-21T14:13:20Z", "model_used": "m"}

    said = canonical(entry_to_span(TraceEntry(type="chat", input_tokens=3, cost_usd=0.5, **fields)))
    failed = entry_to_span(TraceEntry(type="error", data={"message": "boom", "error_type": "TimeoutError"}, **fields))

    assert (said.is_model_call, said.model, said.input_tokens, said.cost_usd) == (True, "m", 3, 0.5)
    assert said.reported_cost_usd is None
    assert (failed.name, failed.status_code, failed.status_message) == ("agent.error", "ERROR", "boom")
    assert failed.attributes["error.type"] == "TimeoutError"


def test_a_cost_that_the_user_gave_is_not_worked_out_anew() -> None:
    """It may be that of a contract, which no list knows; without one the entry is priced as any model call."""
    fields: dict[str, Any] = {"id": "1" * 16, "session_id": "s", "timestamp": "2026-09-21T14:13:20Z"}
    called = TraceEntry(type="chat", model_used="gpt-4o", input_tokens=1000, output_tokens=100, **fields)

    said = usage_stage(entry_to_span(called.model_copy(update={"cost_usd": 0.5})))

    assert canonical(said).cost_usd == totals([said]).cost_usd == span_to_entry(said).cost_usd == 0.5
    assert canonical(usage_stage(entry_to_span(called))).cost_usd == pytest.approx(0.0035)


def test_any_span_is_an_entry() -> None:
    """What was not saved as an entry is projected as one; and what was projected can be saved elsewhere."""
    span = make_span(attributes={"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"})
    entry = span_to_entry(span)

    assert entry == trace_entry(span)
    assert span_to_entry(entry_to_span(entry)) == entry
    assert entry_to_span(entry).name == span.name


def test_ids_that_no_span_can_have_are_replaced() -> None:
    """The same text gives the same span id, so parents are found."""
    assert entry_span_id("a77f14b0c1d2e3f4") == "a77f14b0c1d2e3f4"
    assert entry_span_id("step 1") == entry_span_id("step 1") != entry_span_id("step 2")
    assert entry_span_id("0" * 16) != "0" * 16


def test_a_claim_that_is_no_entry_is_passed_over() -> None:
    """Imported spans may carry our attributes with anything in them."""
    for claim in ({}, {"id": 5}, {"id": "a", "session_id": "s", "type": "x", "timestamp": "soon"}):
        span = make_span(attributes={"agenttrace.stored_entry": claim})

        assert span_to_entry(span) == trace_entry(span)


def test_a_revision_that_is_no_number_counts_as_none() -> None:
    """An entry may take the place of a span that somebody else wrote."""
    earlier = make_span(attributes={"agenttrace.revision": "many"})
    entry = TraceEntry(id="a" * 16, session_id="s", type="chat", timestamp="2026-09-21T14:13:20Z")

    assert entry_to_span(entry, earlier).attributes["agenttrace.revision"] == 1
