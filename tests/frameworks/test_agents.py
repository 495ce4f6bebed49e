"""Agents of real frameworks under real instrumentors: what is read from their spans is what the model knows of them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest

from otel_agenttrace.pipeline.canonical import canonical
from tests.frameworks import script
from tests.frameworks.agents import langfuse, langgraph, openai_agents, pydantic_ai, vendor_sdks, vercel_ai
from tests.frameworks.run import agenttrace, path

if TYPE_CHECKING:
    from otel_agenttrace.pipeline.canonical import Canonical
    from tests.frameworks.framework import Framework
    from tests.frameworks.run import RecordedTrace, Run
    from tests.frameworks.script import Answer, Question, Usage

FRAMEWORKS: dict[str, Framework] = {
    framework.name: framework
    for module in (vendor_sdks, langgraph, pydantic_ai, openai_agents, langfuse, vercel_ai)
    for framework in module.AGENTS
}

_FINISH_WORDS = {
    "end_turn": "stop",
    "stop": "stop",
    "tool-calls": "tool_call",
    "tool_call": "tool_call",
    "tool_calls": "tool_call",
    "tool_use": "tool_call",
}
"""How vendors and emitters say it, and how OTel's messages do."""


class Call(NamedTuple):
    """A model call as it is read, and as it was."""

    said: Canonical
    question: Question
    answer: Answer


@pytest.fixture(scope="module", params=FRAMEWORKS)
def framework(request: pytest.FixtureRequest) -> Framework:
    """Each framework in turn."""
    return FRAMEWORKS[str(request.param)]


@pytest.fixture(scope="module")
def run(framework: Framework, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """What its agent left behind, run once."""
    return framework.run(tmp_path_factory.mktemp(framework.name))


@pytest.fixture
def oslo(run: Run) -> RecordedTrace:
    """The trace in which all went well."""
    return run.traces[0]


@pytest.fixture
def atlantis(run: Run) -> RecordedTrace:
    """The trace in which the tool failed."""
    return run.traces[1]


@pytest.fixture
def calls(run: Run, oslo: RecordedTrace) -> list[Call]:
    """The model's calls in that trace, as they are read and as they were."""
    return [Call(said, *exchange) for said, exchange in zip(oslo.model_calls, run.answered("Oslo"), strict=True)]


def test_the_agent_does_its_work(framework: Framework, run: Run) -> None:
    """Recording changes nothing: the agent answers, and its tool's failure ends it or does not."""
    first, second = run.stdout.splitlines()

    assert first == script.FINAL
    assert (second == script.APOLOGY) == framework.survives


def test_each_question_is_one_trace(run: Run) -> None:
    """The agent is asked twice, which makes two traces with model calls in them."""
    assert len(run.traces) == 2


def test_models_and_providers(framework: Framework, calls: list[Call]) -> None:
    """A call names the model that was asked for or the one that answered, and whose it is."""
    for said, question, _ in calls:
        assert said.operation in ("chat", "generate_content")
        assert said.provider == (None if "provider" in framework.omits else framework.provider)
        is_told = "answered_model" not in framework.omits
        assert said.model == (script.answered_model(question.model) if is_told else question.model)


def test_tokens(framework: Framework, calls: list[Call]) -> None:
    """All tokens in and out, and how many of them were cached or for reasoning; unknown is None."""
    for said, _, answer in calls:
        usage = _told_usage(framework, answer)
        assert (said.input_tokens, said.output_tokens) == (usage.input, usage.output)
        assert (said.cache_read_tokens or 0, said.cache_write_tokens or 0) == (usage.cache_read, usage.cache_write)
        assert (said.reasoning_tokens or 0) == usage.reasoning
        if "cache" in framework.omits:
            assert said.cache_read_tokens is None
        if "reasoning" in framework.omits:
            assert said.reasoning_tokens is None


def test_cost(framework: Framework, calls: list[Call]) -> None:
    """Each call costs what the vendor's list says, cached tokens at their own price."""
    for said, question, answer in calls:
        assert said.cost_usd == pytest.approx(script.cost_usd(question.model, _told_usage(framework, answer)))


def test_totals_count_each_call_once(framework: Framework, run: Run, oslo: RecordedTrace) -> None:
    """Tokens and cost of a trace are those of the calls that the model answered, whoever repeats them."""
    answered = run.answered("Oslo")
    costs = [script.cost_usd(question.model, _told_usage(framework, answer)) for question, answer in answered]

    assert oslo.shown["input_tokens"] == sum(answer.usage.input for _, answer in answered)
    assert oslo.shown["output_tokens"] == sum(answer.usage.output for _, answer in answered)
    assert oslo.shown["cost_usd"] == pytest.approx(sum(costs))
    assert oslo.shown["cost_complete"]


def test_trace_show_says_it_in_json(framework: Framework, oslo: RecordedTrace) -> None:
    """Every span has its canonical fields in JSON, messages included; the models are listed for the trace."""
    spans = {span["span_id"]: span for span in oslo.shown["spans"]}
    for node, said in zip(oslo.model_nodes, oslo.model_calls, strict=True):
        span = spans[node.record.span_id]
        assert (span["model"], span["provider"], span["cost_usd"]) == (said.model, said.provider, said.cost_usd)
        assert (span["input_tokens"], span["output_tokens"]) == (said.input_tokens, said.output_tokens)
        assert span["cache_read_tokens"] == said.cache_read_tokens
        assert span["output_messages"][0]["role"] == "assistant"
        assert span["model"] in oslo.shown["models"]
    (tool,) = [spans[node.record.span_id] for node in oslo.tool_nodes]
    assert (tool["tool_name"], tool["output"]) == (script.TOOL, script.WEATHER)
    assert tool["input"] == _told_arguments(framework, "Oslo")


def test_trace_show_tells_it_as_a_chat(run: Run, oslo: RecordedTrace) -> None:
    """In the terminal: the tokens of the trace, who said what, what the tool was asked and what it answered."""
    shown = agenttrace(run.folder, "trace", "show", oslo.trace_id, "--store", run.url)

    assert "309→42 tok" in shown
    assert "What is the weather in Oslo?" in shown
    assert f"assistant  → {script.TOOL}" in shown
    assert '{"city":"Oslo"}' in shown
    assert re.search(f"← .*{script.WEATHER}", shown)
    assert shown.count(f"assistant  {script.FINAL}") == 1


def test_why_the_model_stopped(framework: Framework, calls: list[Call]) -> None:
    """The first call ends with the wish for a tool, the second with an answer, in whoever's words."""
    reasons = [tuple(_FINISH_WORDS[reason] for reason in said.finish_reasons) for said, _, _ in calls]

    assert reasons == ([(), ()] if "finish" in framework.omits else [(framework.finish,), ("stop",)])


def test_the_question_reaches_the_model(framework: Framework, calls: list[Call]) -> None:
    """The first call was given the system's instruction, if it is told, and the user's question."""
    said, question, _ = calls[0]
    texts = [(message.role, message.text) for message in said.input_messages]

    assert texts[-1] == ("user", question.text)
    if "system" not in framework.omits:
        assert texts[0] == ("system", "You are brief.")


def test_the_model_asks_for_the_tool(calls: list[Call]) -> None:
    """The first call's output is the wish for the tool, with its id and its arguments."""
    said, _, answer = calls[0]
    (message,) = said.output_messages
    (wish,) = message.tool_calls

    assert message.role == "assistant"
    assert (wish.id, wish.name, wish.arguments) == (answer.wish.id, answer.wish.name, answer.wish.arguments)


def test_the_tools_result_reaches_the_model(calls: list[Call]) -> None:
    """The second call was given the tool's result, and answers the user."""
    said, _, answer = calls[1]
    results = [part.result for message in said.input_messages for part in message.tool_results]
    (message,) = said.output_messages

    assert script.WEATHER in str(results[-1])
    assert (message.role, message.text) == ("assistant", answer.text)


def test_the_tool_call(framework: Framework, calls: list[Call], oslo: RecordedTrace) -> None:
    """One call of the tool, with its arguments, its result and the id that the model gave it."""
    (node,) = oslo.tool_nodes
    said = canonical(node.record)

    assert (said.operation, said.tool_name) == ("execute_tool", script.TOOL)
    assert said.tool_call_id == (None if "call_id" in framework.omits else calls[0].answer.wish.id)
    assert said.input == _told_arguments(framework, "Oslo")
    assert said.output == script.WEATHER
    assert oslo.shown["tools"] == [script.TOOL]


def test_parents(framework: Framework, oslo: RecordedTrace) -> None:
    """Tool and model calls hang where the framework hung them."""
    assert path(oslo.tool_nodes[0]) == framework.tool_path
    assert path(oslo.model_nodes[0]) == framework.model_path


def test_agents(oslo: RecordedTrace) -> None:
    """An agent stands above the calls, under its name."""
    agents = [said for said in (canonical(node.record) for node in oslo.nodes) if said.operation == "invoke_agent"]

    assert agents
    assert {said.agent_name for said in agents if said.agent_name} == {"forecaster"}


def test_session(oslo: RecordedTrace) -> None:
    """The trace is in the session that the agent was given."""
    assert oslo.shown["session_id"] == "visit-1"


def test_a_run_that_went_well_has_no_failures(oslo: RecordedTrace) -> None:
    """Nothing failed, nothing was made up, and nothing is said to be remarkable."""
    assert oslo.shown["status"] == "passed"
    assert oslo.shown["error_count"] == 0
    assert oslo.shown["flags"] == []


def test_a_failing_tool_is_found(framework: Framework, run: Run, atlantis: RecordedTrace) -> None:
    """One failure, the tool's, however many spans repeat it; if a span above ended well, it has been recovered."""
    (node,) = atlantis.tool_nodes
    assert canonical(node.record).input == _told_arguments(framework, script.NOWHERE)
    failed = not framework.survives and framework.tells_end
    assert atlantis.shown["status"] == ("failed" if failed else "passed")
    listed = [each for each in run.command("failure", "list", "--all") if each["trace_id"] == atlantis.trace_id]
    (failure,) = [each for each in listed if each["failure_id"] == f"{atlantis.trace_id}-{node.record.span_id}"]
    assert len(listed) == 1 or not framework.tells_end
    assert "no weather station in Atlantis" in str(failure["error"])
    assert atlantis.shown["failure_ids"] == ([failure["failure_id"]] if failed else [])


def _told_usage(framework: Framework, answer: Answer) -> Usage:
    """The tokens of a call as far as the framework's spans tell them."""
    usage = answer.usage
    if "cache" in framework.omits:
        usage = replace(usage, cache_read=0, cache_write=0)
    return replace(usage, reasoning=0) if "reasoning" in framework.omits else usage


def _told_arguments(framework: Framework, city: str) -> object:
    return city if "argument_names" in framework.omits else {"city": city}
