"""Runs the demo: every agent is recorded, stored, found again by its `failure_id`, and summed up."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
from opentelemetry.trace import format_span_id, format_trace_id

from otel_agenttrace.configure import configure_tracing
from otel_agenttrace.contract.attributes import GEN_AI_OUTPUT_MESSAGES
from otel_agenttrace.demo.agents import AGENTS, ToolError
from otel_agenttrace.demo.model import message
from otel_agenttrace.demo.server import ToolServer
from otel_agenttrace.errors import TraceNotFoundError
from otel_agenttrace.instrument.context import TraceContext
from otel_agenttrace.instrument.ids import new_run_id

if TYPE_CHECKING:
    from otel_agenttrace.demo.agents import Agent
    from otel_agenttrace.model.kinds import FailureType
    from otel_agenttrace.stores.trace_store import TraceStore

SERVICE_NAME = "agenttrace-demo"


@dataclass(frozen=True)
class DemoRun:
    """One agent's run, as the store tells it; the field names are those of `agenttrace demo --json`.

    Attributes:
        failure_type: none if it passed.
        steps_count: calls of models and tools, and other spans where a failure began.
    """

    failure_id: str
    subject: str
    failure_type: FailureType
    steps_count: int
    trace_id: str


def run_demo(store: TraceStore, *, kills: bool = False) -> list[DemoRun]:
    """Run every agent against tools on loopback, recorded as any program is that calls `configure_tracing()`.

    All runs are of one session. Each is looked up in the store when all have ended and been recorded.

    Args:
        store: where they are recorded.
        kills: whether the process is killed in the middle of the third, by the tool that it calls.

    Raises:
        StoreError: the store cannot be read.
        TraceNotFoundError: a run is not in the store.
    """
    session_id = new_run_id()
    with configure_tracing(SERVICE_NAME, store=store, instrument=("httpx",)), ToolServer(kills=kills) as tools:
        root_ids = [_run(agent, tools.url, session_id) for agent in AGENTS]
    return [_found_again(store, root_id) for root_id in root_ids]


def _run(agent: Agent, tools_url: str, session_id: str) -> str:
    """Run one agent in a trace of its own and return `<trace_id>-<span_id>` of the root; how it ended is recorded."""
    root_id = ""
    around = TraceContext(agent.span_name, session_id=session_id, attributes=agent.attributes)
    with suppress(ToolError, httpx.HTTPError), around as span:
        context = span.get_span_context()
        root_id = f"{format_trace_id(context.trace_id)}-{format_span_id(context.span_id)}"
        span.set_attribute(GEN_AI_OUTPUT_MESSAGES, [message("assistant", agent.answer(tools_url))])
    return root_id


def _found_again(store: TraceStore, root_id: str) -> DemoRun:
    try:
        # The root's id stands for whatever made the root fail, and for the pass if nothing did.
        failure_id = store.get_trace(root_id).failure_id
    except TraceNotFoundError as error:
        hint = "does the environment turn it off (OTEL_SDK_DISABLED, OTEL_TRACES_SAMPLER)?"
        raise TraceNotFoundError(f"a run of the demo was not recorded; {hint}") from error
    event, record = store.get_trace(failure_id)
    return DemoRun(
        failure_id=event.failure_id,
        subject=event.subject,
        failure_type=event.failure_type,
        steps_count=len(record.steps),
        trace_id=str(event.trace_id),
    )
