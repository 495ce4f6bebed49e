"""InheritingSpanProcessor: every span, whoever starts it, takes over the task and session it is part of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.context import get_current
from opentelemetry.sdk.trace import SpanProcessor

from otel_agenttrace.contract.attributes import PROJECT_ID, TASK_ID, TASK_STATUS
from otel_agenttrace.instrument.faults import note_fault
from otel_agenttrace.instrument.inherited import current_inherited

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Span

    from otel_agenttrace.model.record import AnyValue, Attributes


# Without the constants' class, on which dictionaries and orjson are slower; this runs for every span.
_PROJECT_ID, _TASK_ID, _TASK_STATUS = str(PROJECT_ID), str(TASK_ID), str(TASK_STATUS)


class InheritingSpanProcessor(SpanProcessor):
    """Stamps a starting span with what `instrument.inherited.INHERITABLE` lists and it does not have itself.

    Baggage is not read: it comes from outside the process, and nobody outside decides what task a span belongs to.

    Args:
        project: `project.id` of the spans that belong to a task and inherit none.
    """

    def __init__(self, project: str | None = None) -> None:
        self._project = project

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Stamp the span; never raises."""
        try:
            inherit(span, parent_context, self._project)
        except Exception:  # noqa: BLE001 - no fault of ours reaches the agent
            note_fault("inherit attributes")


def inherit(span: Span, parent_context: Context | None, project: str | None) -> Attributes:
    """Stamp the span with what it inherits, and return all attributes it then has."""
    own: Attributes = span.attributes.copy()  # type: ignore[union-attr] # a proxy: one call, reading it is many
    missing: Attributes = {}
    context = get_current() if parent_context is None else parent_context
    # Nothing is above a span that starts in an empty context, as most roots do.
    if context and (inherited := current_inherited(context)):
        missing = {key: value for key, value in inherited.items() if key not in own}
        own.update(missing)
    if _PROJECT_ID not in own and project is not None and belongs_to_task(own):
        own[_PROJECT_ID] = missing[_PROJECT_ID] = project
    if missing:
        span.set_attributes(missing)
    return own


def belongs_to_task(attributes: Mapping[str, AnyValue]) -> bool:
    """Whether a span is a task, or part of one."""
    return _TASK_ID in attributes or _TASK_STATUS in attributes
