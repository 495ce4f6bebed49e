"""Arguments and results of tools, as several emitters write them."""

from __future__ import annotations

from typing import Any

import pytest

from otel_agenttrace.pipeline.dialects.tool_values import arguments_of, result_of, tool_call_id_in


@pytest.mark.parametrize(
    ("value", "arguments"),
    [
        ('{"city": "Oslo"}', {"city": "Oslo"}),
        ("{'city': 'Oslo', 'days': [1, None, True]}", {"city": "Oslo", "days": [1, None, True]}),
        ({"args": [], "kwargs": {"city": "Oslo"}}, {"city": "Oslo"}),
        ({"args": ["Oslo"], "kwargs": {}}, "Oslo"),
        ({"kwargs": {"city": "Oslo"}}, {"city": "Oslo"}),
        ({"args": ["Oslo"]}, "Oslo"),
        ({"args": ["Oslo", 1]}, {"args": ["Oslo", 1]}),
        ({"args": [], "sanitize_inputs_outputs": True, "kwargs": {"city": "Oslo"}}, {"city": "Oslo"}),
        ({"sanitize_inputs_outputs": True}, {"sanitize_inputs_outputs": True}),
        ({"args": ["Oslo"], "kwargs": {"days": 1}}, {"args": ["Oslo"], "kwargs": {"days": 1}}),
        ({"args": [], "kwargs": {}, "city": "Oslo"}, {"args": [], "kwargs": {}, "city": "Oslo"}),
        ({"input_str": "{'city': 'Oslo'}", "tags": [], "inputs": {"city": "Oslo"}, "kwargs": {}}, {"city": "Oslo"}),
        ({"input_str": "{'city': 'Oslo'}", "tags": []}, {"city": "Oslo"}),
        ({"input_str": "Oslo"}, {"input_str": "Oslo"}),
        ({"input_str": "Oslo", "tags": [], "city": "Oslo"}, {"input_str": "Oslo", "tags": [], "city": "Oslo"}),
        ("Oslo", "Oslo"),
        (None, None),
    ],
)
def test_arguments_come_out_of_every_envelope(value: Any, arguments: Any) -> None:
    """Arguments of both kinds stay together."""
    assert arguments_of(value) == arguments


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ({"args": ["Oslo"], "kwargs": {}}, {"city": "Oslo"}),
        ({"args": ["Oslo"], "kwargs": {"days": 1}}, {"city": "Oslo", "days": 1}),
        ({"args": ["Oslo", 1]}, {"city": "Oslo", "days": 1}),
        ({"args": ["Oslo", 1, 2], "kwargs": {}}, {"args": ["Oslo", 1, 2], "kwargs": {}}),
        ({"args": ["Oslo"], "kwargs": 5}, {"args": ["Oslo"], "kwargs": 5}),
    ],
)
def test_positional_arguments_get_their_names(call: Any, arguments: Any) -> None:
    """Where the parameters are known, and there are enough of them."""
    assert arguments_of(call, ("city", "days")) == arguments


@pytest.mark.parametrize(
    "text", ["{'a': open('x')}", "{'a': {1}}", "{'a': b''}", "{'a'", "{'a': 9" + "9" * 400 + "}", "{'" + "[" * 4000]
)
def test_what_is_no_plain_mapping_stays_a_text(text: str) -> None:
    """Nothing is run, and nothing that JSON has no word for is made of it."""
    assert arguments_of(text) == text


_MESSAGE = {"content": "4 degrees", "type": "tool", "tool_call_id": "call_1"}
_CONSTRUCTOR = {"lc": 1, "type": "constructor", "id": ["langchain", "ToolMessage"], "kwargs": _MESSAGE}


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (_MESSAGE, "4 degrees"),
        ({**_MESSAGE, "content": '{"celsius": 4}'}, {"celsius": 4}),
        ({"type": "tool", "data": _MESSAGE}, "4 degrees"),
        (_CONSTRUCTOR, "4 degrees"),
        ({"output": _CONSTRUCTOR, "kwargs": {"color": "green"}}, "4 degrees"),
        ({"type": "tool", "data": {**_MESSAGE, "status": "error"}}, {**_MESSAGE, "status": "error"}),
        ({"output": {"celsius": 4}}, {"output": {"celsius": 4}}),
        ({"type": "tool", "data": "4 degrees"}, {"type": "tool", "data": "4 degrees"}),
        ({"lc": 1, "kwargs": 5}, {"lc": 1, "kwargs": 5}),
        ('{"celsius": 4}', {"celsius": 4}),
        ("4 degrees", "4 degrees"),
        (None, None),
    ],
)
def test_results_come_out_of_every_dump_of_a_message(value: Any, result: Any) -> None:
    """A message that tells of an error stays whole, and so does what only looks like a dump."""
    assert result_of(value) == result


def test_the_call_is_told_by_the_message_of_a_tool() -> None:
    """What a tool quotes is not."""
    assert tool_call_id_in('{"content": "x", "tool_call_id": "call_1"}') == "call_1"
    assert tool_call_id_in('{"content": "{\\"tool_call_id\\": \\"call_2\\"}"}') is None
    assert tool_call_id_in({"tool_call_id": "call_1"}) is None
