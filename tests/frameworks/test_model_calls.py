"""Single model calls of vendors' SDKs: streams, both of OpenAI's protocols, embeddings, cut answers, refused calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.frameworks import script
from tests.frameworks.framework import STORE, play, require
from tests.frameworks.server import EMBEDDING_USAGE

if TYPE_CHECKING:
    from pathlib import Path

    from otel_agenttrace.pipeline.canonical import Canonical
    from tests.frameworks.run import RecordedTrace, Run
    from tests.frameworks.script import Answer, Question

_BEGINNING = f"""
import os

from opentelemetry import trace

from otel_agenttrace import configure_tracing

configure_tracing("calls", store={STORE!r}, instrument=False)
MODEL_URL = os.environ["MODEL_URL"]


def record(*calls):
    "Make each call below one span; those that the vendor refuses too."
    with trace.get_tracer("calls").start_as_current_span("calls"):
        for call in calls:
            try:
                call()
            except Exception as error:
                print(type(error).__name__)

"""

_OPENAI = """
import openai

client = openai.OpenAI(base_url=MODEL_URL + "/v1", api_key="none", max_retries=0)
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "get_weather", "description": "The weather in a city.", "parameters": PARAMETERS}
WEATHER = "What is the weather in Oslo?"


def chat(text, model="gpt-5-mini", **more):
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": text}], **more)


def stream(text, **more):
    for _ in chat(text, stream=True, stream_options={"include_usage": True}, **more):
        pass


TOOLS = [{"type": "function", "function": FUNCTION}]
record(
    lambda: stream("Hello"),
    lambda: stream(WEATHER, tools=TOOLS),
    lambda: client.responses.create(model="gpt-5-mini", input="Hello", instructions="You are brief."),
    lambda: client.responses.create(
        model="gpt-5-mini", input=WEATHER, tools=[{"type": "function", "strict": False, **FUNCTION}]
    ),
    lambda: client.embeddings.create(model="text-embedding-3-small", input="Oslo"),
    lambda: chat("Tell it at length", model="house-model-1"),
    lambda: chat("Say something forbidden"),
    lambda: chat("You are too fast"),
    lambda: chat("This is a bad request"),
)
"""

_ANTHROPIC = """
import anthropic

client = anthropic.Anthropic(base_url=MODEL_URL, api_key="none", max_retries=0)
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"name": "get_weather", "description": "The weather in a city.", "input_schema": SCHEMA}]


def message(text, model="claude-sonnet-4-5", **more):
    messages = [{"role": "user", "content": text}]
    return client.messages.create(model=model, max_tokens=100, messages=messages, **more)


def stream(text, **more):
    for _ in message(text, stream=True, **more):
        pass


record(
    lambda: stream("Hello"),
    lambda: stream("What is the weather in Oslo?", tools=TOOLS),
    lambda: message("Tell it at length", model="house-model-1"),
    lambda: message("You are too fast"),
    lambda: message("This is a bad request"),
)
"""


@dataclass(frozen=True)
class Client:
    """A vendor's SDK under an instrumentor."""

    name: str
    needs: tuple[str, ...]
    instrumentor: str
    source: str
    provider: str

    def run(self, folder: Path) -> Run:
        """Make the calls; skips where the SDK is not installed."""
        require(*self.needs)
        module, _, kind = self.instrumentor.rpartition(".")
        return play(folder, f"{_BEGINNING}\nfrom {module} import {kind}\n\n{kind}().instrument()\n{self.source}")


CLIENTS = {
    client.name: client
    for client in (
        Client(
            "openai-otel",
            ("openai", "opentelemetry-instrumentation-genai-openai"),
            "opentelemetry.instrumentation.genai.openai.OpenAIInstrumentor",
            _OPENAI,
            "openai",
        ),
        Client(
            "anthropic-otel",
            ("anthropic", "opentelemetry-instrumentation-genai-anthropic"),
            "opentelemetry.instrumentation.genai.anthropic.AnthropicInstrumentor",
            _ANTHROPIC,
            "anthropic",
        ),
    )
}

_OPENAI_ONLY = pytest.mark.parametrize("client", ["openai-otel"], indirect=True, scope="module")


@pytest.fixture(scope="module", params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Client:
    """Each client in turn."""
    return CLIENTS[str(request.param)]


@pytest.fixture(scope="module")
def run(client: Client, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """What its calls left behind, made once."""
    return client.run(tmp_path_factory.mktemp(client.name))


@pytest.fixture
def trace(run: Run) -> RecordedTrace:
    """The one trace of all calls."""
    (found,) = run.traces
    return found


def _call(run: Run, trace: RecordedTrace, word: str, *, number: int = 0) -> tuple[Canonical, Question, Answer]:
    """The call of which the question has this word, the n-th of several, as it is read and as it was."""
    index = [index for index, exchange in enumerate(run.exchanges) if word in exchange.question.text][number]
    question, answer = run.exchanges[index]
    assert isinstance(answer, script.Answer)
    return trace.model_calls[index], question, answer


def test_every_call_is_there_once(client: Client, run: Run, trace: RecordedTrace) -> None:
    """One model call for each that the model was asked for, in their order, with model and provider."""
    assert len(trace.model_calls) == len(run.exchanges)
    for said, exchange in zip(trace.model_calls, run.exchanges, strict=True):
        assert said.provider == client.provider
        assert said.request_model == exchange.question.model
        if isinstance(exchange.answer, script.Answer):
            assert said.response_model == script.answered_model(exchange.question.model)
        else:
            assert said.response_model is None


def test_tokens_and_cost_of_every_call(run: Run, trace: RecordedTrace) -> None:
    """Streamed or not: tokens are those that the model told, cost is its list price; a refused call has neither."""
    for said, (question, answer) in zip(trace.model_calls, run.exchanges, strict=True):
        if not isinstance(answer, script.Answer):
            assert (said.input_tokens, said.output_tokens, said.cost_usd) == (None, None, None)
            continue
        usage = answer.usage
        assert (said.input_tokens, said.output_tokens or 0) == (usage.input, usage.output)
        assert (said.cache_read_tokens or 0, said.cache_write_tokens or 0) == (usage.cache_read, usage.cache_write)
        if question.model == script.PRICELESS:
            assert said.cost_usd is None
        else:
            assert said.cost_usd == pytest.approx(script.cost_usd(question.model, usage))


def test_a_model_without_a_price_leaves_the_total_open(run: Run, trace: RecordedTrace) -> None:
    """The total is the sum of what is known, and says that it is not all."""
    answered = [(question.model, answer.usage) for question, answer in run.answered()]
    known = [script.cost_usd(model, usage) for model, usage in answered if model != script.PRICELESS]

    assert trace.shown["cost_usd"] == pytest.approx(sum(known))
    assert not trace.shown["cost_complete"]
    assert trace.shown["input_tokens"] == sum(usage.input for _, usage in answered)
    assert trace.shown["output_tokens"] == sum(usage.output for _, usage in answered)


def test_a_stream_is_put_together(run: Run, trace: RecordedTrace) -> None:
    """The text of a streamed answer is whole, and so is a streamed wish for a tool."""
    said, question, answer = _call(run, trace, "Hello")
    assert question.is_stream
    assert [(message.role, message.text) for message in said.output_messages] == [("assistant", answer.text)]

    said, question, answer = _call(run, trace, "Oslo")
    assert question.is_stream
    _is_the_wish(said, answer)


def test_an_answer_that_is_cut_short(run: Run, trace: RecordedTrace) -> None:
    """The reason is told, and what there is of the answer."""
    said, _, answer = _call(run, trace, "at length")
    assert said.finish_reasons in (("length",), ("max_tokens",))
    assert said.output_messages[0].text == answer.text
    assert "truncated" in _flags(trace)


def test_refused_calls_are_failures(run: Run, trace: RecordedTrace) -> None:
    """Each refused call failed by itself; the span above went on, so the trace has recovered."""
    refused = [exchange for exchange in run.exchanges if isinstance(exchange.answer, script.Refusal)]

    assert len(refused) == 2
    assert run.stdout.split() == ["RateLimitError", "BadRequestError"]
    assert trace.shown["error_count"] >= len(refused)
    assert trace.shown["failure_ids"] == []
    assert trace.shown["status"] == "passed"


@_OPENAI_ONLY
def test_openais_other_protocol(run: Run, trace: RecordedTrace) -> None:
    """A call of the responses API reads like one of chat completions."""
    said, _, answer = _call(run, trace, "Hello", number=1)
    assert said.operation == "chat"
    assert said.reasoning_tokens == answer.usage.reasoning
    assert [(message.role, message.text) for message in said.output_messages] == [("assistant", answer.text)]
    assert [(message.role, message.text) for message in said.input_messages] == [
        ("system", "You are brief."),
        ("user", "Hello"),
    ]

    said, _, answer = _call(run, trace, "Oslo", number=1)
    _is_the_wish(said, answer)


@_OPENAI_ONLY
def test_embeddings(trace: RecordedTrace) -> None:
    """Embeddings are model calls with tokens in and none out."""
    (said,) = [said for said in trace.model_calls if said.operation == "embeddings"]
    assert (said.model, said.input_tokens) == ("text-embedding-3-small", EMBEDDING_USAGE.input)


@_OPENAI_ONLY
def test_a_content_filter_is_told(run: Run, trace: RecordedTrace) -> None:
    """An answer that the vendor held back says so, and has no text."""
    said, _, _ = _call(run, trace, "forbidden")
    assert said.finish_reasons == ("content_filter",)
    assert not any(message.text for message in said.output_messages)
    assert sorted(_flags(trace)) == ["content_filter", "truncated"]


def _flags(trace: RecordedTrace) -> list[str]:
    return [flag["kind"] for flag in trace.shown["flags"]]


def _is_the_wish(said: Canonical, answer: Answer) -> None:
    (message,) = said.output_messages
    (wish,) = message.tool_calls
    assert (wish.id, wish.name, wish.arguments) == (answer.wish.id, script.TOOL, {"city": "Oslo"})
