"""What a span says about models, tools and agents, whatever words its emitter uses.

A `Dialect` is a table from canonical fields to the attributes that may hold them, in a file of its own in
`dialects/`. Each field is looked for in the dialects in order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from otel_agenttrace.contract.attributes import MCP_METHOD_NAME
from otel_agenttrace.pipeline.dialects.otel_genai import OTEL_GENAI
from otel_agenttrace.pipeline.dialects.own import OWN
from otel_agenttrace.pipeline.numbers import as_number

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue, Attributes, SpanRecord

_DIALECTS = (OTEL_GENAI, OWN)

_MAX_AMOUNT = 10**15
"""Nobody uses that many tokens; the sum of a million of them still is an int64."""

_TOOL_OPERATION = "execute_tool"
_MODEL_OPERATIONS = frozenset({"chat", "embeddings", "generate_content", "text_completion"})
_OTHER_OPERATIONS = frozenset({"create_agent", _TOOL_OPERATION, "invoke_agent", "invoke_workflow", "plan", "retrieval"})


@dataclass(frozen=True, slots=True)
class Canonical:
    """The canonical fields of a span, None where it does not say.

    Attributes:
        operation: a `gen_ai.operation.name`: `chat`, `execute_tool`, `invoke_agent`, ...
        model: the model that answered, else the one that was asked for.
        cost_usd: US dollars, as the emitter reports them.
    """

    operation: str | None = None
    model: str | None = None
    provider: str | None = None
    tool_name: str | None = None
    agent_name: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    _record: SpanRecord | None = field(default=None, repr=False, compare=False)

    @property
    def input(self) -> AnyValue:
        """Messages or arguments; JSON text is parsed, which is why this is done only when asked for."""
        return None if self._record is None else _content(self._record, _INPUT)

    @property
    def output(self) -> AnyValue:
        """Messages or a result; JSON text is parsed."""
        return None if self._record is None else _content(self._record, _OUTPUT)

    @property
    def is_tool_call(self) -> bool:
        """Whether the span is one call of a tool."""
        return self.operation == _TOOL_OPERATION

    @property
    def is_model_call(self) -> bool:
        """Whether the span is one call of a model; an operation of an unknown name is one if it used tokens."""
        if self.operation in _MODEL_OPERATIONS:
            return True
        if self.operation in _OTHER_OPERATIONS or self.model is None:
            return False
        return self.input_tokens is not None or self.output_tokens is not None


def canonical(record: SpanRecord) -> Canonical:
    """Read the canonical fields of a span. Values of a wrong type count as absent; a number may be written as text."""
    attributes = record.attributes
    tool_name = _text(attributes, _TOOL_NAME)
    return Canonical(
        _text(attributes, _OPERATION) or _implied_operation(attributes, tool_name),
        _text(attributes, _MODEL),
        _text(attributes, _PROVIDER),
        tool_name,
        _text(attributes, _AGENT_NAME),
        _count(attributes, _INPUT_TOKENS),
        _count(attributes, _OUTPUT_TOKENS),
        _amount(attributes, _COST_USD),
        record,
    )


def agent_name_of(record: SpanRecord) -> str | None:
    """The canonical `agent_name` alone."""
    return _text(record.attributes, _AGENT_NAME)


def _names(canonical_field: str) -> tuple[str, ...]:
    return tuple(name for dialect in _DIALECTS for name in getattr(dialect, canonical_field))


_OPERATION = _names("operation")
_MODEL = _names("model")
_PROVIDER = _names("provider")
_TOOL_NAME = _names("tool_name")
_AGENT_NAME = _names("agent_name")
_INPUT_TOKENS = _names("input_tokens")
_OUTPUT_TOKENS = _names("output_tokens")
_COST_USD = _names("cost_usd")
_INPUT = _names("input")
_OUTPUT = _names("output")


def _implied_operation(attributes: Attributes, tool_name: str | None) -> str | None:
    return _TOOL_OPERATION if tool_name or attributes.get(MCP_METHOD_NAME) == "tools/call" else None


def _text(attributes: Attributes, names: tuple[str, ...]) -> str | None:
    for name in names:
        value = attributes.get(name)
        if isinstance(value, str) and value:
            return value
    return None


def _count(attributes: Attributes, names: tuple[str, ...]) -> int | None:
    amount = _amount(attributes, names)
    return None if amount is None else int(amount)


def _amount(attributes: Attributes, names: tuple[str, ...]) -> float | None:
    for name in names:
        value = as_number(attributes.get(name))
        if value is not None and 0 <= value < _MAX_AMOUNT:
            return value
    return None


def _content(record: SpanRecord, names: tuple[str, ...]) -> AnyValue:
    for attributes in (record.attributes, *(event.attributes for event in record.events)):
        for name in names:
            value = attributes.get(name)
            if value is not None:
                return _parsed(value)
    return None


def _parsed(value: AnyValue) -> AnyValue:
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        parsed: AnyValue = orjson.loads(value)
    except ValueError:
        return value
    return parsed
