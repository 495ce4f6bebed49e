"""What is made of a span behind the queue, in microseconds of CPU time, beside the SDK's own bare span in the same run.

`normalize` reads the canonical fields and writes them under OTel's names; `usage` prices the call. Both run on the
consumer's side, so an agent does not wait for them. Each dialect's span has 20 attributes; the best of many rounds
counts.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import TracerProvider

from otel_agenttrace.model.record import SpanRecord
from otel_agenttrace.pipeline.stages import understand

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 30
SPANS_PER_ROUND = 2000

_APP: dict[str, Any] = {f"app.attribute_{number}": number for number in range(20)}
CALLS: dict[str, dict[str, Any]] = {
    "OTel GenAI": {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4.1-mini",
        "gen_ai.response.model": "gpt-4.1-mini-2025-04-14",
        "gen_ai.usage.input_tokens": 1312,
        "gen_ai.usage.output_tokens": 288,
        "gen_ai.usage.cache_read.input_tokens": 1024,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.agent.name": "booking",
        "gen_ai.conversation.id": "sess-12",
    },
    "OpenInference": {
        "openinference.span.kind": "LLM",
        "llm.provider": "openai",
        "llm.model_name": "gpt-4.1-mini-2025-04-14",
        "llm.token_count.prompt": 1312,
        "llm.token_count.completion": 288,
        "llm.token_count.prompt_details.cache_read": 1024,
        "input.value": "What is the weather in Oslo?",
        "output.value": "It rains.",
        "session.id": "sess-12",
    },
    "Vercel AI SDK": {
        "ai.operationId": "ai.generateText.doGenerate",
        "ai.model.provider": "openai.responses",
        "ai.model.id": "gpt-4.1-mini",
        "ai.response.model": "gpt-4.1-mini-2025-04-14",
        "ai.usage.inputTokens": 1312,
        "ai.usage.outputTokens": 288,
        "ai.usage.cachedInputTokens": 1024,
        "ai.response.finishReason": "stop",
        "ai.telemetry.functionId": "booking",
        "ai.telemetry.metadata.sessionId": "sess-12",
    },
    "Langfuse": {
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": "gpt-4.1-mini-2025-04-14",
        "langfuse.observation.usage_details": '{"input": 288, "output": 288, "input_cached_tokens": 1024}',
        "langfuse.observation.input": "What is the weather in Oslo?",
        "langfuse.observation.output": "It rains.",
        "langfuse.session.id": "sess-12",
    },
    "none (an HTTP call)": {"http.request.method": "GET", "url.full": "http://localhost/"},
}


def best_of(work: Callable[[], object]) -> float:
    """Return the microseconds of CPU time that one call takes, the best of all rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.thread_time_ns()
        for _ in range(SPANS_PER_ROUND):
            work()
        best = min(best, (time.thread_time_ns() - start) / SPANS_PER_ROUND / 1000)
    return best


def bare_span() -> float:
    """Return what the SDK takes for a span with 20 attributes that nobody processes."""
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("benchmark")

    def work() -> None:
        with tracer.start_as_current_span("chat gpt-4.1-mini", attributes=_APP):
            pass

    return best_of(work)


def record_of(call: dict[str, Any]) -> SpanRecord:
    """Return a span with the attributes of a call, filled up to 20."""
    filling = list(_APP.items())[: 20 - len(call)]
    return SpanRecord("0" * 31 + "1", "0" * 15 + "1", "chat", 1, 2, attributes={**call, **dict(filling)})


def main() -> None:
    """Print the figures."""
    bare = bare_span()
    print(f"the SDK's bare span, 20 attributes          {bare:6.1f} us")
    print("normalize and usage together, 20 attributes            ratio to the bare span")
    for title, call in CALLS.items():
        record = record_of(call)
        cost = best_of(lambda record=record: understand(record))  # type: ignore[misc]
        print(f"  {title:40}  {cost:6.1f} us   {cost / bare:5.2f} (at most 25 us beside 17: 1.47)")


if __name__ == "__main__":
    main()
