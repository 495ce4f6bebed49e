"""All dialects as one table."""

from __future__ import annotations

from pathlib import Path

import pytest

from otel_agenttrace.pipeline.dialects.table import DIALECTS, plan_for
from otel_agenttrace.testing.spans import make_span

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
