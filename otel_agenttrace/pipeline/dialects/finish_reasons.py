"""Why a model stopped, out of the answer of its API as emitters put it on spans: JSON text, perhaps cut."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue

_MAX_LENGTH = 256 * 1024

# What stands within a text of the JSON has its quotes escaped, and so does not match.
_REASON = re.compile(
    r'"(?:finish_reason|finishReason|stop_reason|stopReason|done_reason)"\s*:\s*"([\w.-]{1,64})"'
    r'|"incomplete_details"\s*:\s*\{\s*"reason"\s*:\s*"([\w.-]{1,64})"'
)


def finish_reasons_in(answer: AnyValue) -> list[AnyValue] | None:
    """The reasons that an answer gives, each once; None if it gives none."""
    if not isinstance(answer, str):
        return None
    found: dict[AnyValue, None] = dict.fromkeys(
        match[1] or match[2] for match in _REASON.finditer(answer[:_MAX_LENGTH])
    )
    return list(found) or None
