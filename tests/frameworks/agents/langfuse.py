"""Langfuse's SDK: its decorators, and its wrapper of the openai client."""

from __future__ import annotations

from tests.frameworks.framework import Framework

_SOURCE = """
os.environ["LANGFUSE_HOST"] = MODEL_URL  # takes none of what is sent there

import json

from langfuse import observe, propagate_attributes
from langfuse.openai import OpenAI

client = OpenAI(base_url=MODEL_URL + "/v1", api_key="none", max_retries=0)
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "get_weather", "description": "The weather in a city.", "parameters": PARAMETERS}


@observe(as_type="tool")
def get_weather(city):
    return look_up(city)


def chat(messages):
    tools = [{"type": "function", "function": FUNCTION}]
    return client.chat.completions.create(model="gpt-5-mini", messages=messages, tools=tools).choices[0].message


@observe(as_type="agent")
def forecaster(question):
    messages = [{"role": "system", "content": "You are brief."}, {"role": "user", "content": question}]
    wish = chat(messages)
    (call,) = wish.tool_calls
    result = get_weather(**json.loads(call.function.arguments))
    messages.append(wish.model_dump(exclude_none=True))
    messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    return chat(messages).content


def ask(question):
    with propagate_attributes(session_id="visit-1"):
        return forecaster(question)
"""

AGENTS = (
    Framework(
        "langfuse",
        ("langfuse", "openai"),
        _SOURCE,
        tool_path=("forecaster",),
        model_path=("forecaster",),
        omits=frozenset({"provider", "finish", "call_id"}),
        environment={"LANGFUSE_PUBLIC_KEY": "pk-lf-1", "LANGFUSE_SECRET_KEY": "sk-lf-1"},
    ),
)
