"""What conditions mean."""

from __future__ import annotations

import pytest

from otel_agenttrace.stores.matching import number_of, text_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", "text"),
        (3, "3"),
        (2**70, "1180591620717411303424"),
        (3.0, "3.0"),
        (1e22, "1e+22"),
        (0.1 + 0.2, "0.30000000000000004"),
        (float("-inf"), "-Infinity"),
        (True, "true"),
        (None, "null"),
        (b"\x00\x01", "AAE="),
        ([1, "two", None], '[1,"two",null]'),
        ({"a": b"\x00"}, '{"a":{"bytesValue":"AA=="}}'),
    ],
)
def test_a_value_has_one_text(value: object, text: str) -> None:
    """What `=` compares is what the value would be as JSON, without the quotes."""
    assert text_of(value) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "number"), [(3, 3), (3.5, 3.5), ("3", 3), ("-3.5e2", -350.0), ("three", None), ("", None), (True, None)]
)
def test_numbers_may_be_written_as_text(value: str | float, number: float | None) -> None:
    """A command line has nothing but texts; what is no number compares with none."""
    assert number_of(value) == number
