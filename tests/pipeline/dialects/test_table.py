"""All dialects as one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.model.record import EventRecord, ScopeRecord
from otel_agenttrace.pipeline.dialects.table import DIALECTS, plan_for
from otel_agenttrace.testing.spans import make_span

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.pipeline.dialects.dialect import Dialect

FIELDS = (
    "request_model",
    "response_model",
    "provider",
    "agent_name",
    "input_tokens",
    "output_tokens",
    "finish_reasons",
)
PAGE = Path(__file__).parents[3] / "docs" / "dialects.md"


@pytest.mark.parametrize("name", [dialect.name for dialect in DIALECTS])
def test_each_dialect_is_documented(name: str) -> None:
    """The page says who speaks it."""
    assert f"| `{name}` |" in PAGE.read_text("utf-8")


def test_names_are_distinct_and_marks_are_not_shared() -> None:
    """A mark that two dialects claim would tell neither of them."""
    marks = [mark for dialect in DIALECTS for mark in dialect.marks]

    assert len({dialect.name for dialect in DIALECTS}) == len(DIALECTS)
    assert sorted(marks) == sorted(set(marks))


def test_a_span_without_marks_has_no_plan() -> None:
    """It speaks no dialect that is known."""
    assert plan_for(make_span(attributes={"http.request.method": "GET", "llmx.y": 1, "gen_aix": 2})) is None


def test_a_plan_holds_for_other_spans_with_the_same_names_only_if_they_speak_the_same() -> None:
    """The scope and the events of a span tell of its dialect, too."""
    attributes = {"model": "m", "gen_ai.usage.input_tokens": 7}
    plain, langsmith = (
        make_span(attributes=attributes),
        make_span(attributes=attributes, scope=ScopeRecord("langsmith")),
    )
    told_by_event = make_span(attributes=attributes, events=(EventRecord("ag2.event", 1, {"ag2.x": 1}),))

    for _ in range(2):
        assert [_dialect(span) for span in (plain, langsmith, told_by_event)] == ["otel_genai", "langsmith", "ag2"]


@given(st.data(), st.sampled_from(DIALECTS))
def test_a_plan_has_all_sources_that_a_span_has(data: st.DataObject, dialect: Dialect) -> None:
    """Only attributes that are not there are left out, whatever spans were read before."""
    told = sorted({str(source) for name in FIELDS for source in getattr(dialect, name) if isinstance(source, str)})
    present = set(data.draw(st.lists(st.sampled_from(told)))) if told else set()
    plan = plan_for(make_span(attributes=dict.fromkeys([*present, dialect.marks[0]], "x")))

    assert plan is not None
    for name in FIELDS:
        wanted = {source for source in getattr(dialect, name) if callable(source) or source in present}
        assert wanted <= set(getattr(plan, name))


def test_many_kinds_of_spans_are_told_apart() -> None:
    """What is remembered of them is bounded, and what is not remembered is worked out again."""
    for _ in range(2):
        for number in range(3000):
            plan = plan_for(make_span(attributes={f"app.{number}": 1, "gen_ai.request.model": "m"}))
            assert plan is not None
            assert plan.request_model == ("gen_ai.request.model",)


def _dialect(span: SpanRecord) -> str:
    plan = plan_for(span)
    return "" if plan is None else plan.name
