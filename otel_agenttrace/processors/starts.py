"""Which spans are recorded when they start, too, so that a process that is killed leaves behind what it was doing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import TASK_STATUS

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import Span

    from otel_agenttrace.config import StartRecords
    from otel_agenttrace.model.record import Attributes

_TASK_STATUS = str(TASK_STATUS)  # dictionaries are slower on the constants' class

_OF_AGENTS = (
    "gen_ai.",
    "openinference.",
    "traceloop.",
    "agenttrace.",
    "llm.",
    "tool.",
    "langfuse.",
    "langsmith.",
    "logfire.",
    "ag2.",
    "ai.operationId",
    "mcp.",
    "gcp.vertex.agent.",
)
"""How the names begin that the dialects mark spans of agents, models and tools with at their start."""


def start_rule(wanted: StartRecords) -> Callable[[Span, Attributes], bool] | None:
    """What decides about a span that has just started, with its attributes; None where none is wanted.

    `these` are roots (of the process: the parent may be in another), tasks, and spans of agents, models and tools.
    """
    if wanted == "none":
        return None
    return _is_any if wanted == "all" else _is_telling


def _is_any(_span: Span, _attributes: Attributes) -> bool:
    return True


def _is_telling(span: Span, attributes: Attributes) -> bool:
    parent = span.parent
    if parent is None or parent.is_remote or _TASK_STATUS in attributes:
        return True
    return any(name.startswith(_OF_AGENTS) for name in attributes)
