"""Arguments and results of tools, as several emitters write them."""

from __future__ import annotations

from typing import Any

import pytest

from otel_agenttrace.pipeline.dialects.tool_values import arguments_of, tool_call_id_in


@pytest.mark.parametrize(
    ("value", "arguments"),
    [
        ('{"city": "Oslo"}', {"city": "Oslo"}),
        ("{'city': 'Oslo', 'days': [1, None, True]}", {"city": "Oslo", "days": [1, None, True]}),
        ({"args": [], "kwargs": {"city": "Oslo"}}, {"city": "Oslo"}),
        ({"args": ["Oslo"], "kwargs": {}}, "Oslo"),
        ({"kwargs": {"city": "Oslo"}}, {"city": "Oslo"}),
        ({"args": ["Oslo"], "kwargs": {"days": 1}}, {"args": ["Oslo"], "kwargs": {"days": 1}}),
        ({"args": [], "kwargs": {}, "city": "Oslo"}, {"args": [], "kwargs": {}, "city": "Oslo"}),
        ("Oslo", "Oslo"),
        (None, None),
    ],
)
def test_arguments_come_out_of_every_envelope(value: Any, arguments: Any) -> None:
    """Arguments of both kinds stay together."""
    assert arguments_of(value) == arguments


@pytest.mark.parametrize(
    "text", ["{'a': open('x')}", "{'a': {1}}", "{'a': b''}", "{'a'", "{'a': 9" + "9" * 400 + "}", "{'" + "[" * 4000]
)
def test_what_is_no_plain_mapping_stays_a_text(text: str) -> None:
    """Nothing is run, and nothing that JSON has no word for is made of it."""
    assert arguments_of(text) == text


def test_the_call_is_told_by_the_message_of_a_tool() -> None:
    """What a tool quotes is not."""
    assert tool_call_id_in('{"content": "x", "tool_call_id": "call_1"}') == "call_1"
    assert tool_call_id_in('{"content": "{\\"tool_call_id\\": \\"call_2\\"}"}') is None
    assert tool_call_id_in({"tool_call_id": "call_1"}) is None
