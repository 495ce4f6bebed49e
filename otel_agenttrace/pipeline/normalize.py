"""A span stage: the canonical fields under OTel's names, beside what the emitter wrote."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import (
    GEN_AI_AGENT_NAME,
    GEN_AI_CONVERSATION_ID,
    GEN_AI_OPERATION_NAME,
    GEN_AI_PROVIDER_NAME,
    GEN_AI_REQUEST_MODEL,
    GEN_AI_RESPONSE_FINISH_REASONS,
    GEN_AI_RESPONSE_MODEL,
    GEN_AI_TOOL_CALL_ID,
    GEN_AI_TOOL_NAME,
    GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
    GEN_AI_USAGE_INPUT_TOKENS,
    GEN_AI_USAGE_OUTPUT_TOKENS,
    GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
)
from otel_agenttrace.model.record import session_id_of, with_attributes
from otel_agenttrace.pipeline.canonical import canonical

if TYPE_CHECKING:
    from otel_agenttrace.model.record import Attributes, SpanRecord
    from otel_agenttrace.pipeline.canonical import Canonical

_NAMES = {
    "operation": str(GEN_AI_OPERATION_NAME),
    "request_model": str(GEN_AI_REQUEST_MODEL),
    "response_model": str(GEN_AI_RESPONSE_MODEL),
    "provider": str(GEN_AI_PROVIDER_NAME),
    "agent_name": str(GEN_AI_AGENT_NAME),
    "tool_name": str(GEN_AI_TOOL_NAME),
    "tool_call_id": str(GEN_AI_TOOL_CALL_ID),
}
_USAGE = {
    "input_tokens": str(GEN_AI_USAGE_INPUT_TOKENS),
    "output_tokens": str(GEN_AI_USAGE_OUTPUT_TOKENS),
    "cache_read_tokens": str(GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    "cache_write_tokens": str(GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
    "reasoning_tokens": str(GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
}
"""On calls of models only: what is above them repeats it, and a dashboard that sums it up would count it twice."""

_ALL = tuple((_NAMES | _USAGE).values())
_values_of = attrgetter(*_NAMES, *_USAGE)
_FINISH_REASONS = str(GEN_AI_RESPONSE_FINISH_REASONS)
_CONVERSATION_ID = str(GEN_AI_CONVERSATION_ID)


def normalize(record: SpanRecord, said: Canonical | None = None) -> SpanRecord:
    """Write the small canonical fields under OTel's names, where the emitter used other words.

    What the emitter wrote stays as it is, and none of its attributes is overwritten. Messages are not written again:
    they are large, and read from where they are.

    Args:
        record: the span.
        said: its canonical fields, where the caller has them.
    """
    said = said or canonical(record)
    if said.dialect is None:
        return record
    attributes = record.attributes
    names = _ALL if said.is_model_call else _ALL[: len(_NAMES)]
    added: Attributes = {
        name: value
        for name, value in zip(names, _values_of(said), strict=False)
        if value is not None and name not in attributes
    }
    if said.finish_reasons and _FINISH_REASONS not in attributes:
        added[_FINISH_REASONS] = list(said.finish_reasons)
    if said.conversation is not None and session_id_of(attributes) is None:
        added[_CONVERSATION_ID] = said.conversation
    return with_attributes(record, {**attributes, **added}) if added else record
