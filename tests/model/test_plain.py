"""Attribute values as JSON can say them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given

from otel_agenttrace.model.plain import plain_value
from otel_agenttrace.testing.strategies import any_values


@given(any_values)
def test_any_value_can_be_said_in_strict_json(value: Any) -> None:
    """No encoder has to be told about bytes, NaN or infinities."""
    json.dumps(plain_value(value), allow_nan=False).encode()


def test_what_json_has_no_word_for_becomes_text() -> None:
    """Bytes are base64, numbers that are none have their names, a lone surrogate is spelled out."""
    value: Any = {
        "b": b"\x00\x01",
        "n": [float("nan"), float("inf"), float("-inf"), 1.5, None, True],
        "s\udc80": "é\udc80",
    }

    assert plain_value(value) == {
        "b": "AAE=",
        "n": ["NaN", "Infinity", "-Infinity", 1.5, None, True],
        "s\\udc80": "é\\udc80",
    }


def test_nesting_without_end_is_cut() -> None:
    """A value of any depth can be shown."""
    value: Any = "bottom"
    for _ in range(5000):
        value = {"a": value}

    assert "nested too deeply" in json.dumps(plain_value(value))
