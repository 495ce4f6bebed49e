"""The shape of a dialect: in which words one family of emitters says the canonical fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_agenttrace.model.record import SpanRecord

Source: TypeAlias = "str | Callable[[SpanRecord], Any]"
"""The name of an attribute, or a function where a name is not enough. A function returns None for what is not there,
and never raises, whatever the span holds."""

MessageSource: TypeAlias = Source
"""As above; the value, JSON text too, is given to `read_messages`, unless it is a tuple of messages already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Where each canonical field stands, the preferred source first; see `Canonical` for the fields.

    A dialect is asked only for spans that bear one of its marks. What OTel's own names say comes before all dialects.

    Attributes:
        name: as in `Canonical.dialect`.
        marks: names of attributes and events, or first parts of them (`llm` is for `llm.model_name` too), that only it
            uses.
        scopes: the same for the names of instrumentation scopes.
        operation: sources of what the span does; `operations` translates what they say.
        operations: words of the dialect, in lower case, to values of `gen_ai.operation.name`.
        keeps_operations: whether a word that `operations` does not list is an operation too; else it says nothing.
        total_tokens: of input and output, by which one sees what the others leave out.
        uncached_input_tokens: the input tokens, where it is known that cached ones are not among them.
        input: what went in, of any form, where it is not messages: looked up on the span, then on its events.
        output: what came out, as `input`.
    """

    name: str
    marks: tuple[str, ...]
    scopes: tuple[str, ...] = ()
    operation: tuple[Source, ...] = ()
    operations: Mapping[str, str] = field(default_factory=dict)
    keeps_operations: bool = False
    request_model: tuple[Source, ...] = ()
    response_model: tuple[Source, ...] = ()
    provider: tuple[Source, ...] = ()
    agent_name: tuple[Source, ...] = ()
    tool_name: tuple[Source, ...] = ()
    tool_call_id: tuple[Source, ...] = ()
    conversation: tuple[Source, ...] = ()
    input_tokens: tuple[Source, ...] = ()
    output_tokens: tuple[Source, ...] = ()
    cache_read_tokens: tuple[Source, ...] = ()
    cache_write_tokens: tuple[Source, ...] = ()
    reasoning_tokens: tuple[Source, ...] = ()
    total_tokens: tuple[Source, ...] = ()
    uncached_input_tokens: tuple[Source, ...] = ()
    finish_reasons: tuple[Source, ...] = ()
    reported_cost_usd: tuple[Source, ...] = ()
    tool_definitions: tuple[Source, ...] = ()
    input_messages: tuple[MessageSource, ...] = ()
    output_messages: tuple[MessageSource, ...] = ()
    input: tuple[Source, ...] = ()
    output: tuple[Source, ...] = ()


def told(record: SpanRecord, source: Source) -> Any:
    """What a source says of a span, None if nothing."""
    return record.attributes.get(source) if isinstance(source, str) else source(record)


def told_anywhere(record: SpanRecord, source: Source) -> Any:
    """As `told`; an attribute may stand on an event of the span, where older conventions put content."""
    if not isinstance(source, str):
        return source(record)
    if source in record.attributes:
        return record.attributes[source]
    for event in record.events:
        if source in event.attributes:
            return event.attributes[source]
    return None
