"""Why a model stopped, as the answers of APIs tell it."""

from __future__ import annotations

import pytest

from otel_agenttrace.pipeline.dialects.finish_reasons import finish_reasons_in


@pytest.mark.parametrize(
    ("answer", "reasons"),
    [
        (
            '{"choices":[{"finish_reason":"stop"},{"finish_reason": "length"},{"finish_reason":"stop"}]}',
            ["stop", "length"],
        ),
        ('{"stop_reason": "end_turn", "stop_sequence": null}', ["end_turn"]),
        ('{"candidates":[{"finishReason":"MAX_TOKENS"}]}', ["MAX_TOKENS"]),
        ('{"stopReason" : "tool_use"}', ["tool_use"]),
        ('{"done": true, "done_reason": "stop"}', ["stop"]),
        ('{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}', ["max_output_tokens"]),
        ('{"incomplete_details":null,"choices":[{"finish_reason":null}]}', None),
        ('{"choices":[{"finish_reason":"stop"', ["stop"]),
        ('{"content": "{\\"finish_reason\\": \\"stop\\"}"}', None),
        ("Done.", None),
        (None, None),
        ({"finish_reason": "stop"}, None),
    ],
)
def test_reasons_are_found_in_the_answers_of_every_api(answer: object, reasons: list[str] | None) -> None:
    """Cut answers too; what a model itself writes in JSON is no reason."""
    assert finish_reasons_in(answer) == reasons  # type: ignore[arg-type]
