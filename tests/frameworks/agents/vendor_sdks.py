"""Vendors' SDKs under instrumentors of several makers, in an agent written by hand with this package's own helpers."""

from __future__ import annotations

from tests.frameworks.framework import Framework

_OWN = """
import json

from opentelemetry import trace

from otel_agenttrace import traced_span

AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "forecaster"}
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather"}
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "get_weather", "description": "The weather in a city.", "parameters": PARAMETERS}


@traced_span("execute_tool get_weather", attributes=TOOL)
def get_weather(city):
    return look_up(city)


def ask(question):
    attributes = AGENT | {"gen_ai.conversation.id": "visit-1"}
    with trace.get_tracer("weather").start_as_current_span("invoke_agent forecaster", attributes=attributes):
        return answer(question)

"""

_OPENAI = """
import openai

client = openai.OpenAI(base_url=MODEL_URL + "/v1", api_key="none", max_retries=0)


def chat(messages):
    tools = [{"type": "function", "function": FUNCTION}]
    return client.chat.completions.create(model="gpt-5-mini", messages=messages, tools=tools).choices[0].message


def answer(question):
    messages = [{"role": "system", "content": "You are brief."}, {"role": "user", "content": question}]
    wish = chat(messages)
    (call,) = wish.tool_calls
    messages.append(wish.model_dump(exclude_none=True))
    result = get_weather(**json.loads(call.function.arguments))
    messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    return chat(messages).content
"""

_ANTHROPIC = """
import anthropic

client = anthropic.Anthropic(base_url=MODEL_URL, api_key="none", max_retries=0)


def chat(messages):
    tools = [{"name": "get_weather", "description": "The weather in a city.", "input_schema": PARAMETERS}]
    return client.messages.create(
        model="claude-sonnet-4-5", max_tokens=100, system="You are brief.", messages=messages, tools=tools
    )


def answer(question):
    messages = [{"role": "user", "content": question}]
    wish = chat(messages).content
    (call,) = wish
    messages.append({"role": "assistant", "content": [call.model_dump(exclude_none=True)]})
    result = {"type": "tool_result", "tool_use_id": call.id, "content": get_weather(**call.input)}
    messages.append({"role": "user", "content": [result]})
    return chat(messages).content[0].text
"""

_GOOGLE = """
from google import genai
from google.genai import types

client = genai.Client(api_key="none", http_options=types.HttpOptions(base_url=MODEL_URL))
CONFIG = types.GenerateContentConfig(
    tools=[types.Tool(function_declarations=[types.FunctionDeclaration(
        name="get_weather", description="The weather in a city.", parameters_json_schema=PARAMETERS)])],
    system_instruction="You are brief.",
)


def chat(contents):
    return client.models.generate_content(model="gemini-2.5-flash", contents=contents, config=CONFIG)


def answer(question):
    contents = [types.Content(role="user", parts=[types.Part(text=question)])]
    wish = chat(contents)
    (call,) = wish.function_calls
    contents.append(wish.candidates[0].content)
    result = types.FunctionResponse(id=call.id, name=call.name, response={"result": get_weather(**call.args)})
    contents.append(types.Content(role="user", parts=[types.Part(function_response=result)]))
    return chat(contents).text
"""


def _agent(name: str, needs: tuple[str, ...], instrumentor: str | None, source: str, *, provider: str) -> Framework:
    module, _, kind = (instrumentor or "").rpartition(".")
    turned_on = f"from {module} import {kind}\n\n{kind}().instrument()\n" if instrumentor else ""
    return Framework(
        name,
        needs,
        f"{turned_on}{_OWN}\n{source}",
        provider=provider,
        tool_path=("invoke_agent forecaster",),
        model_path=("invoke_agent forecaster",),
        omits=frozenset({"call_id", "reasoning"} if provider == "anthropic" else {"call_id"}),
        finish="stop" if provider == "gcp.gemini" else "tool_call",
        environment={} if instrumentor else {"ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE": "content"},
    )


AGENTS = (
    _agent(
        "openai-otel",
        ("openai", "opentelemetry-instrumentation-genai-openai"),
        "opentelemetry.instrumentation.genai.openai.OpenAIInstrumentor",
        _OPENAI,
        provider="openai",
    ),
    _agent(
        "openai-openllmetry",
        ("openai", "opentelemetry-instrumentation-openai"),
        "opentelemetry.instrumentation.openai.OpenAIInstrumentor",
        _OPENAI,
        provider="openai",
    ),
    _agent(
        "openai-openinference",
        ("openai", "openinference-instrumentation-openai"),
        "openinference.instrumentation.openai.OpenAIInstrumentor",
        _OPENAI,
        provider="openai",
    ),
    _agent("anthropic-native", ("anthropic",), None, _ANTHROPIC, provider="anthropic"),
    _agent(
        "anthropic-otel",
        ("anthropic", "opentelemetry-instrumentation-genai-anthropic"),
        "opentelemetry.instrumentation.genai.anthropic.AnthropicInstrumentor",
        _ANTHROPIC,
        provider="anthropic",
    ),
    _agent(
        "anthropic-openllmetry",
        ("anthropic", "opentelemetry-instrumentation-anthropic"),
        "opentelemetry.instrumentation.anthropic.AnthropicInstrumentor",
        _ANTHROPIC,
        provider="anthropic",
    ),
    _agent(
        "google-genai-otel",
        ("google-genai", "opentelemetry-instrumentation-google-genai"),
        "opentelemetry.instrumentation.google_genai.GoogleGenAiSdkInstrumentor",
        _GOOGLE,
        provider="gcp.gemini",
    ),
)
