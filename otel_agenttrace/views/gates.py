"""What gates found, as lines below the span that they guard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import TASK_STATUS
from otel_agenttrace.views.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_agenttrace.model.gate import GateResult
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.views.lines import Style

MAX_GATES = 10
"""Gates that did not pass, and names of those that did, which are shown of one span."""

_TELLING_STATUSES = ("not_started", "blocked", "cancelled")
_GATE_EVENTS = "gate.check."


def standing(record: SpanRecord) -> str:
    """Where a task stands that is neither running nor completed; what failed has a mark of its own."""
    status = record.attributes.get(TASK_STATUS)
    return status if isinstance(status, str) and status in _TELLING_STATUSES else ""


def gate_texts(record: SpanRecord) -> Iterator[tuple[str, Style]]:
    """Yield one text for the gates of a span that passed, and one for each that did not, with how bad that is."""
    if not any(event.name.startswith(_GATE_EVENTS) for event in record.events):
        return
    from otel_agenttrace.model.gate_events import gate_results  # noqa: PLC0415 - of few spans, and it imports pydantic

    results = gate_results([record])
    passed = list(dict.fromkeys(one_line(result.gate_id) for result in results if result.result == "pass"))
    if passed:
        more = f" and {len(passed) - MAX_GATES} more" if len(passed) > MAX_GATES else ""
        yield f"gates passed: {', '.join(passed[:MAX_GATES])}{more}", "dim"
    others = [result for result in results if result.result != "pass"]
    for result in others[:MAX_GATES]:
        yield _text(result), "error" if result.blocks else "recovered"
    if len(others) > MAX_GATES:
        yield f"and {len(others) - MAX_GATES} more gates that did not pass", "recovered"


def _text(result: GateResult) -> str:
    found = "failed" if result.result == "fail" else "skipped"
    text = f"gate {result.gate_id} {found}: {result.reason}"
    if result.overridden_by is not None:
        return f"{text} (overridden by {result.overridden_by}: {result.override_reason or 'no reason given'})"
    return text
