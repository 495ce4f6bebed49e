"""Lists that are spread over many attributes."""

from __future__ import annotations

from otel_agenttrace.pipeline.dialects.flattened import chat_role, column, numbered, without_absent


def test_items_are_in_order_of_their_numbers() -> None:
    """Not in that of the attributes, nor of the text; gaps do not matter."""
    attributes = {"a.10.x": 3, "a.2.y": 2, "a.2.x": 1, "a.700000000.x": 4, "b.0.x": 5}

    assert numbered(attributes, "a") == [{"y": 2, "x": 1}, {"x": 3}, {"x": 4}]


def test_names_that_are_no_items_are_left_out() -> None:
    """A number too large to be one, a sign, no number, another name."""
    names = ("a", "a.", "a.x", "a.-1.x", "a.1e3.x", f"a.{'9' * 5000}.x", "ab.0.x", "a.²")

    assert numbered(dict.fromkeys(names, "x"), "a") == []


def test_no_more_attributes_are_read_than_a_span_sensibly_has() -> None:
    """Whoever writes a span decides on their number."""
    assert len(numbered({f"a.{index}.x": 0 for index in range(50_000)}, "a")) == 10_000


def test_a_column_holds_the_texts_of_one_name() -> None:
    """Items without it, or with something else there, are passed over."""
    assert column({"a.0.x": "0", "a.1.y": "1", "a.2.x": 2, "a.3.x": "3"}, "a", "x") == ["0", "3"]


def test_roles_are_known_in_any_case() -> None:
    """The default is for those which are not."""
    assert [chat_role(role, "user") for role in ("ASSISTANT", "chatbot", "narrator", 5, None)] == [
        "assistant", "assistant", "user", "user", "user",
    ]  # fmt: skip


def test_fields_that_hold_nothing_are_absent() -> None:
    """Zero and False are something."""
    assert without_absent({"a": None, "b": "", "c": [], "d": 0, "e": False}) == {"d": 0, "e": False}
