"""LangGraph, told of by OpenInference, by OpenLLMetry and by LangSmith's own export to OpenTelemetry."""

from __future__ import annotations

from tests.frameworks.framework import Framework

_AGENT = """
from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
def get_weather(city: str) -> str:
    "The weather in a city."
    return look_up(city)


model = ChatOpenAI(model="gpt-5-mini", base_url=MODEL_URL + "/v1", api_key="none", max_retries=0)
agent = create_agent(model, [get_weather], system_prompt="You are brief.", name="forecaster")


def run(question, config=None):
    return agent.invoke({"messages": [("user", question)]}, config)["messages"][-1].content
"""

_OPENINFERENCE = f"""
from openinference.instrumentation import using_session
from openinference.instrumentation.langchain import LangChainInstrumentor

LangChainInstrumentor().instrument()
{_AGENT}

def ask(question):
    with using_session("visit-1"):
        return run(question)
"""

_BOTH = f"""
from openinference.instrumentation import using_session
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry import trace
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

LangChainInstrumentor().instrument()
OpenAIInstrumentor().instrument()
{_AGENT}

def ask(question):
    with using_session("visit-1"), trace.get_tracer("weather").start_as_current_span("visit"):
        return run(question)
"""

_OPENLLMETRY = f"""
from opentelemetry.instrumentation.langchain import LangchainInstrumentor

LangchainInstrumentor().instrument()
{_AGENT}

def ask(question):
    return run(question, {{"metadata": {{"session_id": "visit-1"}}}})
"""

_LANGSMITH = f"""
{_AGENT}
from langchain_core.tracers.langchain import wait_for_all_tracers


def ask(question):
    try:
        return run(question, {{"metadata": {{"session_id": "visit-1"}}}})
    finally:
        wait_for_all_tracers()
"""

_LANGSMITH_SETTINGS = {
    "LANGSMITH_TRACING": "true",
    "LANGSMITH_OTEL_ENABLED": "true",
    "LANGSMITH_OTEL_ONLY": "true",
    "LANGSMITH_API_KEY": "none",
}

_NEEDS = ("langchain", "langchain-openai", "langgraph")

AGENTS = (
    Framework(
        "langgraph-openinference",
        (*_NEEDS, "openinference-instrumentation-langchain"),
        _OPENINFERENCE,
        tool_path=("tools", "forecaster"),
        model_path=("model", "forecaster"),
        omits=frozenset({"argument_names"}),
    ),
    Framework(
        "langgraph-openinference-and-openai-otel",  # each call is told twice, by spans that hang side by side
        (*_NEEDS, "openinference-instrumentation-langchain", "opentelemetry-instrumentation-genai-openai"),
        _BOTH,
        tool_path=("tools", "forecaster", "visit"),
        model_path=("model", "forecaster", "visit"),
        omits=frozenset({"argument_names"}),
    ),
    Framework(
        "langgraph-openllmetry",
        (*_NEEDS, "opentelemetry-instrumentation-langchain"),
        _OPENLLMETRY,
        tool_path=("execute_task tools", "forecaster.workflow", "invoke_agent forecaster"),
        model_path=("execute_task model", "forecaster.workflow", "invoke_agent forecaster"),
        omits=frozenset({"reasoning"}),
    ),
    Framework(
        "langgraph-langsmith",
        (*_NEEDS, "langsmith"),
        _LANGSMITH,
        tool_path=("tools", "forecaster"),
        model_path=("model", "forecaster"),
        environment=_LANGSMITH_SETTINGS,
    ),
)
