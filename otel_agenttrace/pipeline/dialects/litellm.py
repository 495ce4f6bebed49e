"""LiteLLM's own spans: OpenLLMetry's names, with other words for operations, and a cost.

https://docs.litellm.ai/docs/observability/opentelemetry_integration
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.pipeline.dialects.dialect import Dialect
from otel_agenttrace.pipeline.numbers import as_number

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue, SpanRecord

_COST = "gen_ai.cost"
_SCOPE = "litellm"
_KINDS = {
    "anthropic_messages": "chat",
    "completion": "chat",
    "embedding": "embeddings",
    "generate_content": "generate_content",
    "rerank": "rerank",
    "responses": "chat",
    "text_completion": "text_completion",
}
"""Its functions, each of which has a twin that begins with `a`, for asyncio. `completion` is that of chats."""


def _kind(record: SpanRecord) -> AnyValue:
    # OpenLLMetry says `completion` for what is no chat, under the same name.
    return record.attributes.get("llm.request.type") if record.scope.name == _SCOPE else None


def _sum(record: SpanRecord) -> AnyValue:
    """What in- and output cost, where the sum is not told."""
    costs = [as_number(record.attributes.get(f"{_COST}.{side}_cost")) for side in ("input", "output")]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None


LITELLM = Dialect(
    name="litellm",
    marks=(_COST,),
    scopes=(_SCOPE,),
    operation=(_kind,),
    operations=_KINDS | {f"a{name}": operation for name, operation in _KINDS.items()},
    reported_cost_usd=(f"{_COST}.total_cost", _sum),
)
