"""What a single value must fulfil, as one prebuilt function per attribute.

They run on the agent's thread when a span ends, so the common case is one call and one or two comparisons; texts are
made only when something is wrong.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from otel_agenttrace.contract.registry import AttributeDefinition, ValueRules

Problem: TypeAlias = "tuple[str, str]"
"""The rule that was broken, and what is wrong, to be read behind the attribute's name."""

Check: TypeAlias = Callable[[Any], "Problem | None"]

MAX_SHOWN_CHARS = 64
"""How much of a value a message may quote: enough to see what it is, too little to leak it."""

MAX_NAME_CHARS = 128
"""How much of an unknown name is kept."""

_MAX_KEPT_CHARS = 256
_MAX_KEPT_VALUES = 256

_TYPE_NAMES = {
    "string": "a string",
    "int": "an integer",
    "double": "a number",
    "boolean": "true or false",
}
_PLURALS = {"string": "strings", "int": "integers", "double": "numbers", "boolean": "true or false"}


def build_check(definition: AttributeDefinition, values: Collection[Any] = ()) -> Check | None:
    """The check of an attribute's value, `values` being those of an enum; None if every value will do."""
    type_ = definition.type
    if type_.startswith("template["):
        type_ = type_[len("template[") : -1]
    if type_ == "any":
        return None
    if type_ == "enum":
        return _enum_check(values, closed=definition.rules.closed)
    if type_.endswith("[]"):
        return _list_check(type_[:-2], _check_of_type(type_[:-2], definition.rules))
    return _check_of_type(type_, definition.rules)


def shown(value: object) -> str:
    """A value for a message: cut, and with nothing in it that could drive a terminal."""
    if isinstance(value, str):
        return repr(value[:MAX_SHOWN_CHARS]) + ("..." if len(value) > MAX_SHOWN_CHARS else "")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and value.bit_length() > 64:
        return "an integer beyond 64 bits"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    return {type(None): "null", bytes: "bytes", dict: "a mapping"}.get(type(value), type(value).__name__)


def cut_name(name: str) -> str:
    """An attribute's or event's name, cut."""
    return name[:MAX_NAME_CHARS]


@lru_cache(maxsize=512)
def closest(name: str, names: tuple[str, ...]) -> str:
    """The one of `names` that `name` was probably meant to be; empty if none is near."""
    import difflib  # noqa: PLC0415 - only a violation needs it

    return next(iter(difflib.get_close_matches(name, names, n=1, cutoff=0.75)), "")


def _check_of_type(type_: str, rules: ValueRules) -> Check:
    if type_ == "string":
        return _string_check(rules)
    if type_ == "boolean":
        return lambda value: None if value is True or value is False else _wrong_type(value, "boolean")
    return _number_check(type_, rules)


def _string_check(rules: ValueRules) -> Check:
    if rules.pattern:
        return _pattern_check(rules)
    if rules.non_empty:

        def check_text(value: Any) -> Problem | None:
            if not isinstance(value, str):
                return _wrong_type(value, "string")
            return None if value and not value.isspace() else ("empty", "is empty")

        return check_text
    return lambda value: None if isinstance(value, str) else _wrong_type(value, "string")


def _pattern_check(rules: ValueRules) -> Check:
    matches = re.compile(rules.pattern).fullmatch
    expected = rules.pattern_says or f"the form {rules.pattern}"
    fine: set[str] = set()  # spans of one task repeat their checksums, and matching one costs as much as ten look-ups

    def check_pattern(value: Any) -> Problem | None:
        if not isinstance(value, str):
            return _wrong_type(value, "string")
        if value in fine:
            return None
        if not matches(value):
            return "pattern", f"is {shown(value)}; expected {expected}"
        if len(value) <= _MAX_KEPT_CHARS:
            if len(fine) >= _MAX_KEPT_VALUES:
                fine.clear()
            fine.add(value)
        return None

    return check_pattern


def _number_check(type_: str, rules: ValueRules) -> Check:
    # bool is a subclass of int, but true is not a number.
    kinds = (int,) if type_ == "int" else (int, float)
    low = -math.inf if rules.minimum is None else rules.minimum
    high = math.inf if rules.maximum is None else rules.maximum
    bounded = rules.minimum is not None or rules.maximum is not None

    def check_number(value: Any) -> Problem | None:
        if type(value) not in kinds and (not isinstance(value, kinds) or isinstance(value, bool)):
            return _wrong_type(value, type_)
        # Not-a-number is inside no range.
        if bounded and not low <= value <= high:
            return "range", f"is {shown(value)}; expected {range_text(rules)}"
        return None

    return check_number


def range_text(rules: ValueRules) -> str:
    """The bounds of a number in words."""
    if rules.minimum is None:
        return f"at most {rules.maximum:g}"
    return f"at least {rules.minimum:g}" if rules.maximum is None else f"{rules.minimum:g} to {rules.maximum:g}"


def _enum_check(values: Collection[Any], *, closed: bool) -> Check:
    kind = type(next(iter(values)))
    type_ = {str: "string", int: "int", bool: "boolean"}[kind]
    allowed = frozenset(values)
    ordered = tuple(values)

    def check_choice(value: Any) -> Problem | None:
        # 1 == True, and a list cannot be looked up at all: the type comes first.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            return _wrong_type(value, type_)
        return None if value in allowed or not closed else ("enum", f"is {shown(value)}; {_choices(value, ordered)}")

    return check_choice


def _choices(value: object, ordered: tuple[Any, ...]) -> str:
    meant = closest(value[:MAX_SHOWN_CHARS], ordered) if isinstance(value, str) else ""
    return f"did you mean {meant}?" if meant else f"expected one of {', '.join(map(str, ordered))}"


def _list_check(type_: str, check_item: Check) -> Check:
    def check_list(value: Any) -> Problem | None:
        if not isinstance(value, (list, tuple)):
            return "type", f"is {shown(value)}; expected a list of {_PLURALS[type_]}"
        for item in value:
            problem = check_item(item)
            if problem is not None:
                return problem[0], f"has an item that {problem[1]}"
        return None

    return check_list


def _wrong_type(value: object, type_: str) -> Problem:
    return "type", f"is {shown(value)}; expected {_TYPE_NAMES[type_]}"
