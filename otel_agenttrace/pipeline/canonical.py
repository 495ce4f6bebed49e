"""What a span says about models, tools and agents, whatever words its emitter uses.

Each family of emitters is a `Dialect`, a table of its own in `dialects/`: from canonical fields to the attributes that
may hold them. OTel's own names are looked for first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.contract.attributes import AGENTTRACE_COST_USD
from otel_agenttrace.model.drafts import draft_of
from otel_agenttrace.model.record import session_id_of
from otel_agenttrace.pipeline.dialects.dialect import told, told_anywhere
from otel_agenttrace.pipeline.dialects.providers import is_framework, provider_in_model, provider_name
from otel_agenttrace.pipeline.dialects.table import plan_for
from otel_agenttrace.pipeline.message_forms import read_messages
from otel_agenttrace.pipeline.message_parts import parsed
from otel_agenttrace.pipeline.numbers import as_number
from otel_agenttrace.pipeline.whole_counts import whole_counts

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue, SpanRecord
    from otel_agenttrace.pipeline.dialects.dialect import MessageSource, Source
    from otel_agenttrace.pipeline.dialects.table import OperationSource, Plan
    from otel_agenttrace.pipeline.messages import Message, Role

_MAX_AMOUNT = 10**15
"""Nobody uses that many tokens; the sum of a million of them still is an int64."""

_TOOL_OPERATION = "execute_tool"
_USUAL_OPERATION = "chat"
"""Of a span that tells of a model and tokens, but not what it does."""

_MODEL_OPERATIONS = frozenset({"chat", "embeddings", "generate_content", "text_completion"})
_OTHER_OPERATIONS = frozenset({"create_agent", _TOOL_OPERATION, "invoke_agent", "invoke_workflow", "plan", "retrieval"})

_SAYING_NOTHING = frozenset({"embeddings", _TOOL_OPERATION, "retrieval"})
"""They have texts, arguments and results; where emitters write these under the names of messages, nobody said them."""


class _Content(NamedTuple):
    """What was said, which is read only when asked for."""

    record: SpanRecord
    plan: Plan

    def value(self, sources: tuple[Source, ...]) -> AnyValue:
        for source in sources:
            value = told_anywhere(self.record, source)
            if value is not None:
                found: AnyValue = parsed(value)
                return found
        return None

    def messages(self, sources: tuple[MessageSource, ...], role: Role) -> tuple[Message, ...]:
        for source in sources:
            value = told_anywhere(self.record, source)
            messages = value if isinstance(value, tuple) else read_messages(value, role)
            if messages:
                return messages
        return ()


@dataclass(frozen=True, slots=True)
class Canonical:
    """The canonical fields of a span, None where it does not say.

    Attributes:
        dialect: the family of emitters whose words the span uses; None if none that is known.
        operation: a `gen_ai.operation.name`: `chat`, `execute_tool`, `invoke_agent`, ...
        conversation: the session that the span names.
        input_tokens: all of them, cached ones too.
        output_tokens: all of them, those of reasoning too.
        cache_read_tokens: input tokens that came out of the provider's cache.
        cache_write_tokens: input tokens that were put into it.
        finish_reasons: why the model stopped, for each choice; empty where it does not say.
        cost_usd: US dollars; what this package worked out at list prices or was told by the user, else as reported.
        reported_cost_usd: US dollars, as the emitter reports them.
    """

    dialect: str | None = None
    operation: str | None = None
    request_model: str | None = None
    response_model: str | None = None
    provider: str | None = None
    agent_name: str | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None
    conversation: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    finish_reasons: tuple[str, ...] = ()
    cost_usd: float | None = None
    reported_cost_usd: float | None = None
    _content: _Content | None = field(default=None, repr=False, compare=False)

    @property
    def model(self) -> str | None:
        """The model that answered, else the one that was asked for."""
        return self.response_model or self.request_model

    @property
    def input(self) -> AnyValue:
        """Messages or arguments as the emitter wrote them; JSON text is parsed, which is why only when asked for."""
        return None if self._content is None else self._content.value(self._content.plan.input)

    @property
    def output(self) -> AnyValue:
        """Messages or a result as the emitter wrote them; JSON text is parsed."""
        return None if self._content is None else self._content.value(self._content.plan.output)

    @property
    def input_messages(self) -> tuple[Message, ...]:
        """What a model or an agent was given, oldest first; empty where the span has no messages."""
        if self._content is None or self.operation in _SAYING_NOTHING:
            return ()
        return self._content.messages(self._content.plan.input_messages, "user")

    @property
    def output_messages(self) -> tuple[Message, ...]:
        """What a model or an agent answered; empty where the span has no messages."""
        if self._content is None or self.operation in _SAYING_NOTHING:
            return ()
        return self._content.messages(self._content.plan.output_messages, "assistant")

    @property
    def tool_definitions(self) -> AnyValue:
        """The tools that a model was offered, as the emitter wrote them; JSON text is parsed."""
        return None if self._content is None else self._content.value(self._content.plan.tool_definitions)

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


_Draft = draft_of(Canonical)
_NOTHING = Canonical()


def canonical(record: SpanRecord) -> Canonical:
    """Read the canonical fields of a span. Values of a wrong type count as absent; a number may be written as text."""
    plan = plan_for(record)
    conversation = session_id_of(record.attributes)
    cost = _amount(record.attributes.get(AGENTTRACE_COST_USD))
    if plan is None:
        is_silent = conversation is None and cost is None
        return _NOTHING if is_silent else Canonical(conversation=conversation, cost_usd=cost)
    tool_name = _text(record, plan.tool_name)
    reported = _first_amount(record, plan.reported_cost_usd)
    cache_read, cache_write = _count(record, plan.cache_read_tokens), _count(record, plan.cache_write_tokens)
    reasoning = _count(record, plan.reasoning_tokens)
    tokens = _count(record, plan.input_tokens), _count(record, plan.output_tokens)
    if cache_read or cache_write or reasoning:
        tokens = whole_counts(
            *tokens,
            cached=(cache_read or 0) + (cache_write or 0),
            reasoning=reasoning or 0,
            total=_count(record, plan.total_tokens),
            uncached_input=_count(record, plan.uncached_input_tokens),
        )
    request_model, response_model = _text(record, plan.request_model), _text(record, plan.response_model)
    operation = _operation(record, plan.operation) or (_TOOL_OPERATION if tool_name else None)
    if operation is None and (request_model or response_model) and tokens != (None, None):
        operation = _USUAL_OPERATION
    said = _Draft(
        plan.name,
        operation,
        request_model,
        response_model,
        _provider(record, plan.provider, request_model or response_model),
        _text(record, plan.agent_name),
        tool_name,
        _text(record, plan.tool_call_id),
        conversation or _text(record, plan.conversation),
        *tokens,
        cache_read,
        cache_write,
        reasoning,
        _words(record, plan.finish_reasons),
        reported if cost is None else cost,
        reported,
        _Content(record, plan),
    )
    said.__class__ = Canonical
    return said  # type: ignore[no-any-return]


def agent_name_of(record: SpanRecord) -> str | None:
    """The canonical `agent_name` alone."""
    plan = plan_for(record)
    return None if plan is None else _text(record, plan.agent_name)


def tool_output_of(record: SpanRecord) -> AnyValue:
    """The canonical `output` of a call of a tool, read alone; None for any other span."""
    plan = plan_for(record)
    if plan is None:
        return None
    operation = _operation(record, plan.operation) or (_TOOL_OPERATION if _text(record, plan.tool_name) else None)
    return _Content(record, plan).value(plan.output) if operation == _TOOL_OPERATION else None


def _operation(record: SpanRecord, sources: tuple[OperationSource, ...]) -> str | None:
    for source, operations, keeps in sources:
        value = told(record, source)
        if isinstance(value, str) and value:
            known = operations.get(value.lower()) or (value if keeps else None)
            if known is not None:
                return known
    return None


def _text(record: SpanRecord, sources: tuple[Source, ...]) -> str | None:
    for source in sources:
        value = told(record, source)
        if isinstance(value, str) and value:
            return value
    return None


def _provider(record: SpanRecord, sources: tuple[Source, ...], model: str | None) -> str | None:
    """The provider; where a framework is named in its place another source, else what the model's name tells."""
    named = _text(record, sources)
    if named is None or not is_framework(named):
        return None if named is None else provider_name(named)
    others = (_text(record, (source,)) for source in sources)
    found = next((name for name in others if name is not None and not is_framework(name)), None)
    return provider_in_model(model) if found is None else provider_name(found)


def _count(record: SpanRecord, sources: tuple[Source, ...]) -> int | None:
    amount = _first_amount(record, sources)
    return None if amount is None else int(amount)


def _first_amount(record: SpanRecord, sources: tuple[Source, ...]) -> float | None:
    for source in sources:
        amount = _amount(told(record, source))
        if amount is not None:
            return amount
    return None


def _amount(value: AnyValue) -> float | None:
    number = None if value is None else as_number(value)
    return number if number is not None and 0 <= number < _MAX_AMOUNT else None


def _words(record: SpanRecord, sources: tuple[Source, ...]) -> tuple[str, ...]:
    for source in sources:
        value = parsed(told(record, source))
        words = value if isinstance(value, list) else [value]
        found = tuple(word for word in words if isinstance(word, str) and word)
        if found:
            return found
    return ()
