"""What is done to a trace that has settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.grounding import Claim, GroundingReport
from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.pipeline.root_cause import find_failures
from otel_agenttrace.pipeline.trace_stages import judged
from otel_agenttrace.testing.spans import SPAN_ID, make_span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_agenttrace.model.record import SpanRecord


def _spans(answer: str) -> list[SpanRecord]:
    said: list[dict[str, Any]] = [{"role": "assistant", "content": answer}]
    call = {"gen_ai.operation.name": "chat", "gen_ai.output.messages": said}
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t", "gen_ai.tool.call.result": "rooms: 12"}
    return [
        make_span(),
        make_span(span_id="a" * 16, parent_span_id=SPAN_ID, attributes=tool),
        make_span(span_id="b" * 16, parent_span_id=SPAN_ID, attributes=call),
    ]


def _evaluations(verdict: SpanRecord | None) -> list[str]:
    assert verdict is not None
    return [str(event.attributes["gen_ai.evaluation.score.label"]) for event in verdict.events]


def test_an_answer_is_grounded_unless_that_is_turned_off() -> None:
    """The verdict says what came of it, and flags the trace."""
    spans = _spans("There are 15 rooms.")
    verdict = judged(SpanTree(spans))

    assert _evaluations(verdict) == ["unsupported"]
    assert verdict is not None
    assert [failure.type for failure in find_failures([*spans, verdict])] == ["hallucination_flag"]
    assert _evaluations(judged(SpanTree(spans), grounding=False)) == []
    assert _evaluations(judged(SpanTree(_spans("There are 12 rooms.")))) == ["supported"]


def test_another_checker_can_judge() -> None:
    """It is asked instead of ours."""

    def trusting(output: str, sources: Sequence[str], /) -> GroundingReport:
        assert sources
        return GroundingReport.of([Claim(output, 0, len(output), "statement", 1.0)])

    assert _evaluations(judged(SpanTree(_spans("There are 15 rooms.")), trusting)) == ["supported"]


def test_a_checker_that_raises_costs_its_own_judgement_only(caplog: pytest.LogCaptureFixture) -> None:
    """The verdict is made without, and the log says so."""

    def failing(output: str, sources: Sequence[str], /) -> GroundingReport:
        raise ConnectionError(f"no model for {output} and {sources}")

    for _ in range(3):
        assert _evaluations(judged(SpanTree(_spans("There are 15 rooms.")), failing)) == []
    (logged,) = caplog.records
    assert (logged.levelname, logged.exc_info) == ("WARNING", None)
    assert "failing raised ConnectionError: no model for There are 15 rooms." in caplog.text


@pytest.mark.parametrize("error", [SystemExit(2), GeneratorExit()])
def test_a_checker_that_wants_to_exit_does_not(error: BaseException) -> None:
    """What is no Exception is contained as well, but for Ctrl-C."""

    def exiting(_output: str, _sources: Sequence[str], /) -> GroundingReport:
        raise error

    def interrupted(_output: str, _sources: Sequence[str], /) -> GroundingReport:
        raise KeyboardInterrupt

    assert _evaluations(judged(SpanTree(_spans("There are 15 rooms.")), exiting)) == []
    with pytest.raises(KeyboardInterrupt):
        judged(SpanTree(_spans("There are 15 rooms.")), interrupted)


def test_a_checker_that_returns_no_report_costs_its_own_judgement_only() -> None:
    """The verdict is made without."""
    nothing: Any = lambda _output, _sources, /: {"score": 1.0}  # noqa: E731 - what a user may write

    assert _evaluations(judged(SpanTree(_spans("There are 15 rooms.")), nothing)) == []
