"""Attributes that a span takes over from the one above it: the task, its phase, its project, the session, the user.

They travel in the OTel Context (https://opentelemetry.io/docs/specs/otel/context/), so they reach whatever a context
reaches: tasks, threads and executors with a copied context, other libraries' spans. Our own helpers put them on the
spans they start; with `configure_tracing`, a processor puts them on everybody's.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry import context as context_api
from opentelemetry.trace import get_current_span

from otel_agenttrace.contract.attributes import PROJECT_ID, SESSION_ID, TASK_ID, TASK_PHASE, USER_ID

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextvars import Token

    from opentelemetry.context import Context

    from otel_agenttrace.model.record import AnyValue

INHERITABLE = (PROJECT_ID, TASK_ID, TASK_PHASE, SESSION_ID, USER_ID)
"""What descendants inherit; never `task.status`, which would make each of them a task span."""

_NAMES = tuple(map(str, INHERITABLE))
"""The same without the constants' class, on which dictionaries and orjson are slower; this runs for every span."""

_KEY = context_api.create_key("agenttrace-inherited")


class _Inherited(NamedTuple):
    values: dict[str, AnyValue]
    below_span_id: int
    """The span that was current when the values were set: on it, and on nothing deeper, they override its own."""


def current_inherited(context: Context | None = None) -> dict[str, AnyValue]:
    """What a span started in `context` (default: the current one) inherits.

    Of a value set on the parent span itself and one set in the context, the one set later in the line of descent
    counts. Only a parent of this process that is recorded can be read. The result is the caller's own.
    """
    parent = get_current_span(context)
    own = _inheritable(parent)
    kept = context_api.get_value(_KEY, context)
    if not isinstance(kept, _Inherited):
        return own
    if not own:
        return dict(kept.values)
    if kept.below_span_id == parent.get_span_context().span_id:
        return own | kept.values
    return kept.values | own


def with_inherited(values: Mapping[str, AnyValue], context: Context | None = None) -> Context:
    """A context in which those of `values` that `INHERITABLE` lists are inherited, and one that is None no longer."""
    merged = current_inherited(context) | {key: values[key] for key in _NAMES if key in values}
    kept: dict[str, AnyValue] = {key: value for key, value in merged.items() if value is not None}
    below = get_current_span(context).get_span_context().span_id
    return context_api.set_value(_KEY, _Inherited(kept, below), context)


def attach_inherited(values: Mapping[str, AnyValue]) -> Token[Context]:
    """Make `with_inherited(values)` current; give the token to `opentelemetry.context.detach` to undo it."""
    return context_api.attach(with_inherited(values))


def _inheritable(span: object) -> dict[str, AnyValue]:
    attributes = getattr(span, "attributes", None)
    if not isinstance(attributes, MappingProxyType):  # what the SDK's spans give; others cannot be read
        return {}
    values = attributes.copy()  # one call into C; each look-up through the SDK's mapping is Python code
    return {key: values[key] for key in _NAMES if key in values}
