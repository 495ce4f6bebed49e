"""All dialects as one table: which of them a span speaks, and where to look for each field then."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_agenttrace.pipeline.dialects.ag2 import AG2
from otel_agenttrace.pipeline.dialects.any_agent import ANY_AGENT
from otel_agenttrace.pipeline.dialects.google_adk import GOOGLE_ADK
from otel_agenttrace.pipeline.dialects.langfuse import LANGFUSE
from otel_agenttrace.pipeline.dialects.langsmith import LANGSMITH
from otel_agenttrace.pipeline.dialects.litellm import LITELLM
from otel_agenttrace.pipeline.dialects.mcp import MCP
from otel_agenttrace.pipeline.dialects.openinference import OPENINFERENCE
from otel_agenttrace.pipeline.dialects.openllmetry import OPENLLMETRY
from otel_agenttrace.pipeline.dialects.otel_genai import OTEL_GENAI
from otel_agenttrace.pipeline.dialects.own import OWN
from otel_agenttrace.pipeline.dialects.pydantic_ai import PYDANTIC_AI
from otel_agenttrace.pipeline.dialects.vercel_ai import VERCEL_AI

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.pipeline.dialects.dialect import Dialect, MessageSource, Source

DIALECTS: tuple[Dialect, ...] = (
    LANGSMITH,
    OTEL_GENAI,
    OPENINFERENCE,
    LANGFUSE,
    LITELLM,
    OPENLLMETRY,
    VERCEL_AI,
    PYDANTIC_AI,
    GOOGLE_ADK,
    AG2,
    ANY_AGENT,
    MCP,
    OWN,
)
"""What one of them says comes before what the next says."""

_MOST_SPECIFIC_FIRST = (*(dialect for dialect in DIALECTS if dialect not in (OTEL_GENAI, OWN)), OTEL_GENAI, OWN)
"""Many emitters write OTel's names beside their own, and so does our own `normalize`."""

_MAX_PLANS = 1024
_MAX_PLAN_CHARS = 8192
"""Of all names together, up to which a plan for them is kept."""

_MAX_MARK = 128
"""Characters of a name that are compared with marks: names come from whoever wrote the trace."""


class OperationSource(NamedTuple):
    """Where an operation stands, and what its words mean."""

    source: Source
    operations: Mapping[str, str]
    keeps: bool


class Plan(NamedTuple):
    """Where to look, for spans that speak some dialects. The fields are those of `Dialect`."""

    name: str
    operation: tuple[OperationSource, ...]
    request_model: tuple[Source, ...]
    response_model: tuple[Source, ...]
    provider: tuple[Source, ...]
    agent_name: tuple[Source, ...]
    tool_name: tuple[Source, ...]
    tool_call_id: tuple[Source, ...]
    conversation: tuple[Source, ...]
    input_tokens: tuple[Source, ...]
    output_tokens: tuple[Source, ...]
    cache_read_tokens: tuple[Source, ...]
    cache_write_tokens: tuple[Source, ...]
    reasoning_tokens: tuple[Source, ...]
    total_tokens: tuple[Source, ...]
    uncached_input_tokens: tuple[Source, ...]
    finish_reasons: tuple[Source, ...]
    reported_cost_usd: tuple[Source, ...]
    tool_definitions: tuple[Source, ...]
    input_messages: tuple[MessageSource, ...]
    output_messages: tuple[MessageSource, ...]
    input: tuple[Source, ...]
    output: tuple[Source, ...]


_ON_THE_SPAN = tuple(
    name
    for name in Plan._fields
    if name not in ("name", "operation", "tool_definitions", "input_messages", "output_messages", "input", "output")
)
"""The fields that are looked for among the attributes of the span alone, the operation apart."""


def plan_for(record: SpanRecord) -> Plan | None:
    """Where to look on this span; None if it speaks no dialect that is known.

    Spans from one place in the code have the same attribute names in the same order, so that is worked out once.
    """
    names = tuple(record.attributes)
    key = (_spoken(record) if record.events else record.scope.name), names
    try:
        return _plans[key]
    except KeyError:
        return _keep(key, _plan_of(_spoken(record), names))


_plans: dict[tuple[int | str, tuple[str, ...]], Plan | None] = {}
"""By the names of attributes, and by the scope; where the events matter too, by what is spoken."""


def _keep(key: tuple[int | str, tuple[str, ...]], plan: Plan | None) -> Plan | None:
    who, names = key
    if sum(map(len, names)) + len(str(who)) <= _MAX_PLAN_CHARS:
        if len(_plans) >= _MAX_PLANS:
            _plans.clear()
        _plans[key] = plan
    return plan


def _spoken(record: SpanRecord) -> int:
    """The dialects whose marks the span bears, as bits."""
    spoken = _scope_bits(record.scope.name[:_MAX_MARK])
    for key in record.attributes:
        spoken |= _key_bits(key if len(key) <= _MAX_MARK else key[:_MAX_MARK])
    for event in record.events:
        spoken |= _key_bits(event.name[:_MAX_MARK])
        for key in event.attributes:
            spoken |= _key_bits(key[:_MAX_MARK])
    return spoken


def _plan_of(spoken: int, names: tuple[str, ...]) -> Plan | None:
    return _plan(spoken, _attributes_of(spoken).intersection(names)) if spoken else None


# Spans repeat their attribute names, so each name is compared with the marks once.
@lru_cache(maxsize=10_000)
def _key_bits(key: str) -> int:
    return sum(1 << index for index, dialect in enumerate(DIALECTS) if _bears(key, dialect.marks))


@lru_cache(maxsize=1000)
def _scope_bits(scope: str) -> int:
    return sum(1 << index for index, dialect in enumerate(DIALECTS) if _bears(scope, dialect.scopes))


def _bears(name: str, marks: tuple[str, ...]) -> bool:
    return any(name == mark or name.startswith(mark if mark.endswith(".") else f"{mark}.") for mark in marks)


@lru_cache(maxsize=1000)
def _attributes_of(spoken: int) -> frozenset[str]:
    """All attributes of a span in which a plan may look for what is not content."""
    found = (source for dialect in _dialects(spoken) for name in _ON_THE_SPAN for source in getattr(dialect, name))
    return frozenset(_plain(source) for source in found if isinstance(source, str))


@lru_cache(maxsize=1000)
def _plan(spoken: int, present: frozenset[str]) -> Plan:
    """The plan without the attributes that a span has not; content may stand on its events, and is left as it is."""
    dialects = _dialects(spoken)
    sources = {
        name: tuple(
            _plain(source)
            for dialect in dialects
            for source in getattr(dialect, name)
            if name not in _ON_THE_SPAN or callable(source) or source in present
        )
        for name in Plan._fields
        if name not in ("name", "operation")
    }
    operation = tuple(
        OperationSource(_plain(source), dialect.operations, dialect.keeps_operations)
        for dialect in dialects
        for source in dialect.operation
    )
    return Plan(name=min(dialects, key=_MOST_SPECIFIC_FIRST.index).name, operation=operation, **sources)


def _dialects(spoken: int) -> list[Dialect]:
    return [dialect for index, dialect in enumerate(DIALECTS) if spoken >> index & 1]


def _plain(source: Any) -> Any:
    # Dictionaries are slower on the class of the contract's constants.
    return str(source) if isinstance(source, str) else source
