"""Pydantic AI with its own instrumentation, in the formats that it offers."""

from __future__ import annotations

from tests.frameworks.framework import Framework

_SOURCE = """
import warnings

from pydantic_ai import Agent, InstrumentationSettings
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

warnings.simplefilter("ignore")  # old formats are deprecated, and still in use
Agent.instrument_all(InstrumentationSettings(version=int(os.environ["FORMAT"])))
provider = OpenAIProvider(base_url=MODEL_URL + "/v1", api_key="none")
agent = Agent(OpenAIChatModel("gpt-5-mini", provider=provider), name="forecaster", instructions="You are brief.")


@agent.tool_plain
def get_weather(city: str) -> str:
    "The weather in a city."
    return look_up(city)


def ask(question):
    return agent.run_sync(question, conversation_id="visit-1").output
"""


def _agent(version: int, root: str) -> Framework:
    return Framework(
        f"pydantic-ai-format-{version}",
        ("pydantic-ai-slim", "openai"),
        _SOURCE,
        tool_path=(root,),
        model_path=(root,),
        environment={"FORMAT": str(version)},
    )


AGENTS = (
    _agent(2, "agent run"),
    _agent(5, "invoke_agent forecaster"),
    _agent(6, "invoke_agent forecaster"),
)
