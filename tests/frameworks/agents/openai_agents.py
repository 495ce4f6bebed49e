"""OpenAI's agents SDK, told of by OpenInference, over both of OpenAI's protocols."""

from __future__ import annotations

from tests.frameworks.framework import Framework

_SOURCE = """
import openai
from agents import Agent, Runner, function_tool, set_default_openai_api, set_default_openai_client
from agents import set_trace_processors
from openinference.instrumentation import using_session
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

set_trace_processors([])  # its own send everything to OpenAI
OpenAIAgentsInstrumentor().instrument()
client = openai.AsyncOpenAI(base_url=MODEL_URL + "/v1", api_key="none", max_retries=0)
set_default_openai_client(client, use_for_tracing=False)
set_default_openai_api(os.environ["PROTOCOL"])


@function_tool(failure_error_function=None)
def get_weather(city: str) -> str:
    "The weather in a city."
    return look_up(city)


agent = Agent(name="forecaster", instructions="You are brief.", model="gpt-5-mini", tools=[get_weather])


def ask(question):
    with using_session("visit-1"):
        return Runner.run_sync(agent, question).final_output
"""


def _agent(protocol: str, omits: frozenset[str], finish: str = "tool_call") -> Framework:
    return Framework(
        f"openai-agents-{protocol}",
        ("openai-agents", "openinference-instrumentation-openai-agents"),
        _SOURCE,
        tool_path=("turn", "forecaster", "Agent workflow", "Agent workflow"),
        model_path=("turn", "forecaster", "Agent workflow", "Agent workflow"),
        omits=omits,
        finish=finish,
        tells_end=False,  # turns and the root are OK whatever happened
        environment={"PROTOCOL": protocol},
    )


AGENTS = (
    _agent("responses", frozenset({"system", "call_id"}), finish="stop"),
    _agent("chat_completions", frozenset({"answered_model", "cache", "reasoning", "finish", "call_id"})),
)
