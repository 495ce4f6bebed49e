"""What was said in a trace, as a reader sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.model.record import EventRecord, ScopeRecord
from otel_agenttrace.testing.spans import START, make_span
from otel_agenttrace.views.chat import format_chat
from otel_agenttrace.views.lines import ASCII, line_width, plain, render
from otel_agenttrace.views.tree import format_tree
from tests.views.conftest import NASTY
from tests.views.talking import (
    ANSWER,
    ASKED,
    MILLISECOND,
    TOLD,
    USER,
    make_agent,
    make_call,
    make_tool,
    said,
    trace_of,
)

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.stores.api import StoredTrace


def chat_of(*spans: SpanRecord, **options: Any) -> list[str]:
    """What is shown of some spans."""
    return [plain(line) for line in format_chat(trace_of(*spans), **options)]


def test_a_run_reads_like_a_chat() -> None:
    """Each message once; a call with its arguments and time, below it what came back."""
    spans = (
        make_agent(),
        make_call(2, [said("system", "Be brief."), USER], [ASKED]),
        make_tool(3, id="c1", arguments='{"city": "Oslo"}', result="rain"),
        make_call(4, [said("system", "Be brief."), USER, ASKED, TOLD], [ANSWER]),
    )

    assert chat_of(*spans) == [
        "system     Be brief.",
        "user       Weather in Oslo?",
        'assistant  → get_weather 5.0ms {"city":"Oslo"}',
        "           ← rain",
        "assistant  It rains.",
    ]
    assert render(format_chat(trace_of(*spans), glyphs=ASCII)).isascii()


def test_a_tool_without_a_span_has_what_the_model_was_told() -> None:
    """How long it took is not known then."""
    assert chat_of(make_agent(), make_call(2, [USER], [ASKED]), make_call(4, [USER, ASKED, TOLD], [ANSWER]))[1:] == [
        'assistant  → get_weather {"city":"Oslo"}',
        "           ← rain",
        "assistant  It rains.",
    ]


def test_a_tool_without_an_id_is_found_by_its_arguments() -> None:
    """Of two calls of one tool each gets its own result."""
    parts = [{"type": "tool_call", "name": "get", "arguments": {"n": number}} for number in (1, 2)]
    spans = (
        make_agent(),
        make_call(2, [USER], [{"role": "assistant", "parts": parts}]),
        make_tool(3, "get", arguments={"n": 2}, result="two"),
        make_tool(4, "get", arguments={"n": 1}, result="one"),
    )

    assert chat_of(*spans)[1:] == [
        'assistant  → get 5.0ms {"n":1}',
        "           ← one",
        '           → get 5.0ms {"n":2}',
        "           ← two",
    ]


def test_a_tool_that_failed_says_so() -> None:
    """In place of a result, with the sign that the tree has for it."""
    failed = make_tool(3, arguments={"city": "Oslo"}, status_code="ERROR", status_message="no\nstation " + "x " * 200)

    lines = chat_of(make_agent(), make_call(2, [USER], [ASKED]), failed)

    assert lines[2].startswith("           ↻ exception: no station x x")
    assert lines[3].endswith("…")
    assert len(lines) == 4


def test_a_model_call_that_failed_says_so() -> None:
    """Its error stands where the answer would, once for the calls within calls that failed together."""
    failed: Any = {"status_code": "ERROR", "status_message": "429"}
    inner = make_call(3, [], [], parent=2, **failed)

    assert chat_of(make_agent(), make_call(2, [USER], [], **failed), inner, make_call(4, [USER], [ANSWER])) == [
        "user       Weather in Oslo?",
        "assistant  ↻ exception: 429",
        "assistant  It rains.",
    ]


def test_an_end_that_is_not_normal_is_told() -> None:
    """A cut answer, and one of which nothing is left."""
    cut = {**said("assistant", "Once upon"), "finish_reason": "max_tokens"}
    filtered = {"role": "assistant", "parts": [], "finish_reason": "content_filter"}

    assert chat_of(make_agent(), make_call(2, [USER], [cut, filtered]))[1:] == [
        "assistant  Once upon",
        "           (stopped: max_tokens)",
        "assistant  (empty)",
        "           (stopped: content_filter)",
    ]


def test_reasoning_and_media_have_their_place() -> None:
    """Thoughts are dim, and what is no text is named."""
    given = {
        "role": "user",
        "parts": [{"type": "uri", "modality": "image", "mime_type": "image/png", "uri": "https://example.com/a.png"}],
    }
    answered = {"role": "assistant", "parts": [{"type": "reasoning", "content": "A cat?"}], "name": "vision"}
    lines = format_chat(trace_of(make_agent(), make_call(2, [given], [answered])))

    assert [plain(line) for line in lines] == [
        "user       (image, image/png, https://example.com/a.png)",
        "assistant  (vision)",
        "           A cat?",
    ]
    assert lines[2][-1].style == "dim"


def test_json_is_compact() -> None:
    """Texts that are JSON take no more room than they need."""
    answer = said("assistant", '{\n  "sky": "clear",\n  "n": [1, 2]\n}')

    assert chat_of(make_agent(), make_call(2, [USER], [answer]))[1] == 'assistant  {"sky":"clear","n":[1,2]}'


def test_long_messages_are_cut_unless_all_is_asked_for() -> None:
    """How much is left out is said, and how to see it."""
    spans = (make_agent(), make_call(2, [said("user", "\n".join(map(str, range(30))))], [ANSWER]))

    lines = chat_of(*spans)

    assert lines[:2] == ["user       0", "           1"]
    assert lines[8:] == ["           … 22 more lines", "assistant  It rains.", "--full shows all of it"]
    whole = chat_of(*spans, full=True)
    assert len(whole) == 31
    assert whole[-2:] == ["           29", "assistant  It rains."]


def test_long_conversations_are_cut_in_their_middle() -> None:
    """Beginnings and ends tell most."""
    calls = [make_call(number, [], [said("assistant", f"word {number}")]) for number in range(2, 42)]

    lines = chat_of(make_agent(), *calls)

    assert lines[7:10] == ["assistant  word 9", "… 16 messages", "assistant  word 26"]
    assert lines[-2:] == ["assistant  word 41", "--full shows all of it"]
    assert len(chat_of(make_agent(), *calls, full=True)) == 40


def test_many_conversations_are_cut() -> None:
    """The first ones are shown, the others counted."""
    agents = [make_agent(number, f"agent {number}", parent=1) for number in range(2, 22)]
    calls = [make_call(100 + number, [USER], [ANSWER], parent=number) for number in range(2, 22)]

    lines = chat_of(make_agent(), *agents, *calls)

    assert lines[-2:] == ["… 10 more conversations", "--full shows all of it"]


def test_several_agents_have_headings() -> None:
    """In the order of their start; one that goes on with what another began says so."""
    transfer = [USER, ANSWER, said("user", "In Norwegian?")]
    spans = (
        make_agent(1, "desk"),
        make_agent(2, "forecaster", parent=1),
        make_call(3, [USER], [ANSWER], parent=2),
        make_agent(4, "translator", parent=1),
        make_call(5, transfer, [said("assistant", "Det regner.")], parent=4),
    )

    assert chat_of(*spans) == [
        "forecaster",
        "user       Weather in Oslo?",
        "assistant  It rains.",
        "",
        "translator  after forecaster",
        "user       In Norwegian?",
        "assistant  Det regner.",
    ]


@pytest.mark.parametrize("content", [{}, {"arguments": None}])
def test_a_trace_without_content_says_so(content: dict[str, Any]) -> None:
    """Names of tools alone are in the tree already."""
    assert chat_of(make_agent(), make_call(2, [], []), make_tool(3, **content)) == ["no content was recorded"]
    assert chat_of(make_span(name="GET /")) == []


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("full", [False, True])
def test_no_line_is_too_wide(booking: StoredTrace, nasty: StoredTrace, width: int, *, full: bool) -> None:
    """Whatever was said."""
    wide = trace_of(make_agent(), make_call(2, [said("user", "天気" * 300)], [said(NASTY, NASTY)]))

    for trace in (booking, nasty, wide):
        assert max(line_width(line) for line in format_chat(trace, width=width, full=full)) <= width


def test_nothing_that_was_said_acts(nasty: StoredTrace) -> None:
    """Names, messages, arguments and results are shown, not obeyed."""
    evil = {**said("assistant", NASTY), "finish_reason": NASTY, "name": NASTY}
    call = {"role": "assistant", "parts": [{"type": "tool_call", "id": NASTY, "name": NASTY, "arguments": NASTY}]}
    agents = (make_agent(1, NASTY), make_call(2, [said("user", NASTY)], [evil, call]), make_agent(3, NASTY, parent=1))
    other = make_call(4, [{"role": "user", "parts": [{"type": "blob", "modality": NASTY}]}], [ANSWER], parent=3)

    for trace in (nasty, trace_of(*agents, other)):
        text = render(format_chat(trace, width=500, full=True))
        assert all(line.isprintable() for line in text.split("\n"))
        assert r"\x1b[31m\x1b]0;owned\x07\u202egnp.exe" in text


def test_a_model_that_uses_tools_by_itself_answers_in_the_end() -> None:
    """The call is around those of its tools, so its answer comes after them."""
    call = make_call(1, [USER], [ANSWER], parent=None, end_time_unix_nano=START + 900 * MILLISECOND)

    assert chat_of(call, make_tool(2, arguments={"city": "Oslo"}, result="rain")) == [
        "user       Weather in Oslo?",
        'tool       → get_weather 5.0ms {"city":"Oslo"}',
        "           ← rain",
        "assistant  It rains.",
    ]


def test_an_answer_that_was_judged_is_marked() -> None:
    """Below what was said stands what is wrong with it."""
    spans = (make_agent(), make_call(2, [USER], [ANSWER]))
    told: dict[str, Any] = {
        "gen_ai.evaluation.name": "grounding",
        "gen_ai.evaluation.score.value": 0.1,
        "gen_ai.evaluation.score.label": "unsupported",
        "gen_ai.evaluation.explanation": '1 of 1 claims unsupported: "It rains."',
        "agenttrace.verdict.judged_span_id": spans[1].span_id,
    }
    verdict = make_span(
        span_id=f"{9:016x}",
        name="agenttrace.verdict",
        scope=ScopeRecord("otel_agenttrace"),
        events=(EventRecord("gen_ai.evaluation.result", START, told),),
    )

    assert chat_of(*spans, verdict)[-2:] == [
        "assistant  It rains.",
        '           ✗ hallucination_flag: 1 of 1 claims unsupported: "It rains."',
    ]
    (origin,) = [plain(line) for line in format_tree(trace_of(*spans, verdict)) if "✗ origin" in plain(line)]
    assert origin.endswith("input Weather in Oslo?")
