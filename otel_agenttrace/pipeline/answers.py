"""What is remarkable in one answer of a model: refused, cut, filtered, empty."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from otel_agenttrace.pipeline.flag import Flag
from otel_agenttrace.pipeline.messages import ReasoningPart, TextPart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_agenttrace.model.record import Attributes
    from otel_agenttrace.pipeline.canonical import Canonical
    from otel_agenttrace.pipeline.steps import Step

_TRUNCATED = frozenset({"incomplete", "length", "max_output_tokens", "max_tokens", "model_context_window_exceeded"})
_FILTERED = frozenset(
    {"blocklist", "content_filter", "content_filtered", "guardrail_intervened", "image_safety", "prohibited_content",
     "recitation", "safety", "spii"}
)  # fmt: skip
_REFUSED = frozenset({"refusal", "refused"})
_REFUSAL = re.compile(
    r"\W*(?:(?:i'm|i am)(?: \w+)? (?:sorry|afraid)\b[^.!?\n]{0,60}? )?"
    r"i(?: can't| cannot| can not|'m unable to| am unable to|'m not able to| am not able to| must decline to| won't)"
    r" (?:assist|help|comply|fulfill?|engage|(?:provide|share) (?:that|this|such|instructions|guidance))\b(?! but\b)",
    re.IGNORECASE,
)
_REFUSAL_WITHIN = 200
"""Characters: whoever refuses says so at once."""

_MAX_QUOTED = 200


def answer_flags(step: Step) -> Iterator[Flag]:
    """What is remarkable in the answer of one model call."""
    span_id, said = step.span.span_id, step.said
    reasons = {_word(reason) for reason in said.finish_reasons}
    reasons |= {_word(message.finish_reason) for message in said.output_messages}
    model = said.model or "the model"
    if cut := reasons & _TRUNCATED:
        evidence: Attributes = {"finish_reason": min(cut), "output_tokens": said.output_tokens}
        yield Flag("truncated", span_id, f"the answer of {model} was cut at its length limit", evidence)
    if filtered := reasons & _FILTERED:
        evidence = {"finish_reason": min(filtered)}
        yield Flag("content_filter", span_id, f"a content filter stopped the answer of {model}", evidence)
    refusal = _refusal(said, reasons)
    if refusal is not None:
        yield Flag("refusal", span_id, f"{model} refused to answer", {"text": refusal[:_MAX_QUOTED]})
    elif not cut and not filtered and _is_empty(step):
        yield Flag("empty_answer", span_id, f"{model} answered nothing", {"output_tokens": said.output_tokens})


def is_refusal(text: str) -> bool:
    """Whether an answer is a refusal, as models usually word it."""
    return _REFUSAL.match(text[:_REFUSAL_WITHIN].replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")) is not None


def _refusal(said: Canonical, reasons: set[str]) -> str | None:
    text = "\n".join(message.text for message in said.output_messages)
    return text if reasons & _REFUSED or is_refusal(text) else None


def _is_empty(step: Step) -> bool:
    """Whether a call of a model that went well gave neither words nor calls of tools."""
    span, messages = step.span, step.said.output_messages
    if span.end_time_unix_nano is None or span.status_code == "ERROR" or step.said.operation == "embeddings":
        return False
    if not messages:
        return step.said.output_tokens == 0
    return not any(
        message.text.strip() or any(not isinstance(part, (TextPart, ReasoningPart)) for part in message.parts)
        for message in messages
    )


def _word(reason: str) -> str:
    return reason.strip().lower().replace("-", "_").rpartition(".")[2]
