"""Counts inside of JSON text."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from otel_agenttrace.pipeline.dialects.counts_in_json import count_in
from otel_agenttrace.testing.spans import make_span


def _count(value: Any, *names: str) -> Any:
    return count_in("data", *names)(make_span(attributes={"data": value}))


def test_the_first_count_under_one_of_the_names_is_found() -> None:
    """However deep it is."""
    text = '{"usage": {"input_tokens" : 20, "cache_read": 1000, "cached": 7}}'

    assert _count(text, "cache_read", "cached") == 1000
    assert _count(text, "input_tokens") == 20
    assert _count(text, "tokens") is None


def test_what_an_answer_quotes_is_no_count() -> None:
    """JSON inside of a text has escaped quotation marks."""
    text = orjson.dumps({"text": '{"total": 5}', "usage": {"total": 7}}).decode()

    assert _count(text, "total") == 7


def test_of_a_long_text_the_end_is_searched() -> None:
    """Usage stands behind the content."""
    text = orjson.dumps({"text": "x" * 300_000, "total": 7}).decode()

    assert _count(text, "total") == 7


@pytest.mark.parametrize("odd", [None, 5, True, b'{"n": 1}', {"n": 1}, "", '{"n": "1"}', '{"n": 1.5}', '{"n": -1}'])
def test_odd_values_hold_no_count(odd: Any) -> None:
    """Only whole numbers in text count."""
    assert _count(odd, "n") is None
    assert _count('{"n": 1' + "0" * 20 + "}", "n") is None
