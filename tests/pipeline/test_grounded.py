"""The answer of a trace held against what its agents could know."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.grounding import Claim, GroundingReport
from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.pipeline.grounded import judge_output
from otel_agenttrace.pipeline.json_prose import as_prose
from otel_agenttrace.testing.spans import START, make_span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.pipeline.grounded import Judgement

REPORT = {"company": "Example Ltd", "year": 2025, "revenue_eur": 4_100_000, "employees": 38}
QUESTION = "Sum up the report of Example Ltd."
TRUE = "In 2025 Example Ltd earned 4.1 million euros with 38 employees."
FALSE = "In 2025 Example Ltd earned 5.3 million euros with 412 employees."


def _span(number: int, parent: int | None, operation: str, **attributes: Any) -> SpanRecord:
    named = {f"gen_ai.{name.replace('__', '.')}": value for name, value in attributes.items()}
    return make_span(
        span_id=f"{number:016x}",
        parent_span_id=None if parent is None else f"{parent:016x}",
        start_time_unix_nano=START + number,
        end_time_unix_nano=START + 10_000 + number if parent is not None else START + 20_000,
        attributes={"gen_ai.operation.name": operation, **named},
    )


def _says(*parts: dict[str, Any] | str) -> list[dict[str, Any]]:
    written = [{"type": "text", "content": part} if isinstance(part, str) else part for part in parts]
    return [{"role": "assistant", "parts": written}]


def _asks(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "parts": [{"type": "text", "content": text}]}]


def _trace(answer: str, *, result: Any = REPORT, question: str = QUESTION) -> list[SpanRecord]:
    arguments = {"company": "Example Ltd", "year": 2025}
    call = {"type": "tool_call", "id": "c", "name": "read_report", "arguments": arguments}
    told = {} if result is None else {"tool__call__result": result}
    return [
        _span(1, None, "invoke_agent", agent__name="summary", input__messages=_asks(question)),
        _span(2, 1, "chat", input__messages=_asks(question), output__messages=_says(call)),
        _span(3, 1, "execute_tool", tool__name="read_report", tool__call__arguments=arguments, **told),
        _span(4, 1, "chat", output__messages=_says(answer)),
    ]


def _judged(spans: Sequence[SpanRecord]) -> Judgement:
    judgement = judge_output(SpanTree(spans))
    assert judgement is not None
    assert judge_output(SpanTree(list(reversed(spans)))) == judgement
    return judgement


def test_wrong_figures_are_found() -> None:
    """The claim is named, and so is the span of the model call that made it."""
    judgement = _judged(_trace(FALSE))

    (claim,) = judgement.report.unsupported
    assert claim.text == FALSE
    assert claim.reason in ("unsupported_number", "contradiction")
    assert judgement.origin.span_id == f"{4:016x}"


def test_an_answer_that_says_what_the_tool_said_is_supported() -> None:
    """In other words and another order."""
    report = _judged(_trace(TRUE)).report

    assert (report.unsupported, report.is_skipped) == ((), False)


def test_the_result_may_stand_in_a_message_only() -> None:
    """Not every emitter has spans of tools."""
    agent, first, _, last = _trace(FALSE, result=None)
    part: dict[str, Any] = {"type": "tool_call_response", "id": "c", "response": REPORT}
    messages: Any = [{"role": "tool", "parts": [part]}]
    told = replace(last, attributes={**last.attributes, "gen_ai.input.messages": messages})

    assert _judged([agent, first, told]).report.unsupported


def test_where_nothing_was_looked_up_nothing_is_judged() -> None:
    """What a model knows by itself cannot be checked, and a question is no document."""
    assert judge_output(SpanTree(_trace(FALSE, result=None))) is None
    assert judge_output(SpanTree([])) is None
    assert judge_output(SpanTree(_trace(FALSE)[:3])) is None
    agent, first, tool, last = _trace(FALSE)
    failed = replace(tool, status_code="ERROR", status_message="timed out after 30 seconds")
    assert judge_output(SpanTree([agent, first, failed, last])) is None


def test_a_document_in_the_question_is_a_source() -> None:
    """An answer to it is held against it, without any tool."""
    document = "Sum this up. " + "Example Ltd had a quiet year with 38 employees and 4.1 million euros. " * 6

    assert _judged(_trace(FALSE, result=None, question=document)).report.unsupported
    assert not _judged(_trace("Example Ltd had 38 employees.", result=None, question=document)).report.unsupported


def test_what_the_model_told_a_tool_is_no_source() -> None:
    """Neither the arguments of a call, nor a tool that repeats them."""
    agent, first, tool, last = _trace(FALSE)
    call = {"tool__name": "save", "tool__call__arguments": {"text": FALSE}, "tool__call__result": {"saved": FALSE}}

    assert _judged([agent, first, tool, _span(5, 1, "execute_tool", **call), last]).report.unsupported


def test_a_short_answer_may_be_all_that_a_tool_said() -> None:
    """The tool says the very same, which is the best support there is."""
    assert not _judged(_trace("38", result="38")).report.unsupported
    assert _judged(_trace("39", result="38")).report.unsupported


def test_what_another_agent_answered_is_no_source() -> None:
    """An agent that is called as a tool may make things up as well; what its own tools said counts."""
    agent, first, tool, last = _trace(FALSE)
    expert = _span(5, 1, "execute_tool", tool__name="ask_expert", tool__call__result=FALSE)
    words = _span(6, 5, "chat", output__messages=_says(FALSE))
    looked_up = replace(tool, parent_span_id=expert.span_id)

    assert _judged([agent, first, expert, words, looked_up, last]).report.unsupported


def test_an_answer_may_be_handed_in_by_a_tool() -> None:
    """Some frameworks end a run by a call of `final_answer`."""
    agent, first, tool, _ = _trace(FALSE)
    call = {"type": "tool_call", "id": "f", "name": "final_answer", "arguments": {"answer": FALSE}}
    judgement = _judged([agent, first, tool, _span(4, 1, "chat", output__messages=_says(call))])

    assert [claim.text for claim in judgement.report.unsupported] == [FALSE]


def test_the_outermost_agents_answer_is_judged() -> None:
    """If it is not what a model said last, the fault is the agent's own."""
    spans = _trace(TRUE)
    agent = _span(1, None, "invoke_agent", output__messages=_says(FALSE))

    assert _judged([agent, *spans[1:]]).origin.span_id == f"{1:016x}"


def test_what_a_tool_was_asked_for_and_did_is_known() -> None:
    """An agent may say what it booked; not so if the tool failed, and not a text that it wrote itself."""
    agent, first, looked_up, _ = _trace("")
    booking = {"tool__name": "book", "tool__call__arguments": {"date": "2026-03-14", "guest": "Ada", "room": 12}}
    done = _span(5, 1, "execute_tool", **booking, tool__call__result={"status": "confirmed"})
    failed = replace(done, status_code="ERROR", status_message="no such hotel")
    last = _span(4, 1, "chat", output__messages=_says("I booked room 12 for Ada on March 14, 2026."))

    assert not _judged([agent, first, looked_up, done, last]).report.unsupported
    assert _judged([agent, first, looked_up, failed, last]).report.unsupported


def test_a_call_that_asks_something_else_gives_no_answer() -> None:
    """A title is made, or a guard is asked, after the answer."""
    title = {"input__messages": _asks("Make a short title."), "output__messages": _says("Example Ltd in 2019")}
    asked = _asks(QUESTION)
    agent, first, tool, _ = _trace("")
    last = _span(4, 1, "chat", input__messages=asked, output__messages=_says(FALSE))
    judgement = _judged([agent, first, tool, last, _span(5, 1, "chat", **title)])

    assert judgement.origin.span_id == last.span_id
    assert [claim.text for claim in judgement.report.unsupported] == [FALSE]


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with Ethereum or Bitcoin.",
        "I could not find the weather for Bergen.",
        "I\N{RIGHT SINGLE QUOTATION MARK}ll check again in 5 minutes.",
    ],
)
def test_refusals_failed_look_ups_and_promises_claim_nothing(answer: str) -> None:
    """They name what no source has, and that is their point."""
    judgement = judge_output(SpanTree(_trace(answer)))

    assert judgement is None or judgement.report.unsupported == ()


def test_what_is_too_much_to_look_at_is_not_judged() -> None:
    """Sources that are cut off could not support anything; of a long answer the judgement says that it is partial."""
    long_answer = f"{TRUE}\n" * 2000 + FALSE

    assert judge_output(SpanTree(_trace(TRUE, result="x" * 5_000_000))) is None
    assert _judged(_trace(long_answer)).is_partial
    assert not _judged(_trace(TRUE)).is_partial


def test_opinions_are_not_judged() -> None:
    """A statement that goes beyond the sources without a fact in it is nobody's failure."""
    report = _judged(_trace(f"{TRUE} What a lovely achievement for everybody who worked so hard on it!")).report

    assert report.unsupported == ()


def test_the_day_of_the_trace_is_known() -> None:
    """Agents may say which day it is."""
    report = _judged(_trace(f"As of September 21, 2026: {TRUE}")).report

    assert report.unsupported == ()


def test_another_checker_can_do_the_work() -> None:
    """It gets the answer and the sources; what it cannot tell is skipped."""
    seen: list[tuple[str, tuple[str, ...]]] = []

    def checker(output: str, sources: Sequence[str], /) -> GroundingReport:
        seen.append((output, tuple(sources)))
        return GroundingReport.of([])

    judgement = judge_output(SpanTree(_trace(FALSE)), checker)

    assert judgement is not None
    assert judgement.report.is_skipped
    vague = Claim(FALSE, 0, len(FALSE), "statement", 0.05, reason="unsupported_statement")
    strict = judge_output(SpanTree(_trace(FALSE)), lambda *_: GroundingReport.of([vague]))
    assert strict is not None
    assert strict.report.unsupported == (vague,)
    assert seen[0][0] == FALSE
    assert any("4100000" in source for source in seen[0][1])


def test_json_is_read_as_a_list_of_texts_and_numbers() -> None:
    """Only numbers whose name the sources know; numbers of items, counts and confidences are no claims."""
    answer = '{"steps": [{"number": 1, "text": "Read it."}], "revenue": 4.1, "confidence": 0.9, "ok": true, "n": null}'

    assert as_prose(answer, ["the revenue and the number"]) == "- Read it.\n- revenue: 4.1"
    assert as_prose('```json\n{"a": "b"}\n```', []) == "- b"


@pytest.mark.parametrize("answer", ["In words.", "[not json", "{}", "", "5"])
def test_what_is_no_json_stays_as_it_is(answer: str) -> None:
    """An empty object has no text."""
    assert as_prose(answer, []) in (answer, "")


def test_wrong_figures_in_json_are_found() -> None:
    """As in prose."""
    report = _judged(_trace('{"company": "Example Ltd", "employees": 412}')).report

    assert len(report.unsupported) == 1
