"""Secrets in attribute values: mappings, lists, bytes, and JSON inside strings at any depth."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from otel_agenttrace.pipeline.keys import unused_key
from otel_agenttrace.pipeline.secret_keys import (
    SCHEMA_VALUES,
    is_header,
    is_schema,
    is_secret_number,
    is_secret_text,
    is_token_probability,
    marker,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_agenttrace.model.record import AnyValue
    from otel_agenttrace.pipeline.secret_keys import SecretNames
    from otel_agenttrace.pipeline.secret_text import TextRedactor

_NAME_KEYS = ("name", "key", "header")


class ValueRedactor:
    """Hides secrets in values. Thread-safe.

    Every method takes the list to which it adds the rule of each secret that it hid, and returns what it was given,
    the same object, when it hid none.

    Args:
        names: which names say that their value is secret.
        texts: hides secrets in text.
    """

    def __init__(self, names: SecretNames, texts: TextRedactor) -> None:
        self._names = names
        self._texts = texts
        self._redact_key = lru_cache(maxsize=4096)(texts.redact)  # spans have the same keys over and over

    def mapping(self, mapping: dict[str, Any], hidden: list[str]) -> dict[str, Any]:
        """Attributes, or a mapping in one; a key that holds a secret is rewritten too."""
        named = _name_beside_value(mapping)
        return self._rebuilt(
            mapping,
            hidden,
            lambda key, value: self._named(named if named and key == "value" else key, value, hidden, mapping),
        )

    def _rebuilt(
        self, mapping: dict[str, Any], hidden: list[str], clean_item: Callable[[str, Any], Any]
    ) -> dict[str, Any]:
        before = len(hidden)
        clean: dict[str, Any] = {}
        for key, value in mapping.items():
            # The clean key decides, so that a second redaction decides as the first one did.
            clean_key, rules = self._redact_key(key)
            hidden += rules
            clean[unused_key(clean_key, clean)] = clean_item(clean_key, value)
        return clean if len(hidden) > before else mapping

    def text(self, text: str, hidden: list[str]) -> str:
        """A text, which may be JSON."""
        if not self._texts.may_hold_secret(text.encode("utf-8", "surrogatepass")):
            return text
        if text.lstrip()[:1] in ("{", "[", '"'):
            before = len(hidden)
            try:
                return self._json(text, hidden)
            except (ValueError, RecursionError):  # not JSON, or nested too deeply to be walked
                del hidden[before:]
        clean, rules = self._texts.redact(text)
        hidden += rules
        return clean

    def _json(self, text: str, hidden: list[str]) -> str:
        value = json.loads(text, object_pairs_hook=_without_repetition)
        before = len(hidden)
        clean = self._unnamed(value, hidden)
        if len(hidden) == before:
            return text
        return json.dumps(clean, ensure_ascii=text.isascii(), separators=(",", ":"))

    def _named(self, name: str, value: AnyValue, hidden: list[str], siblings: Mapping[str, Any]) -> AnyValue:
        rule = self._names.rule_of(name)
        if rule is None or (rule == "token" and is_token_probability(siblings)):
            return self._unnamed(value, hidden)
        return self._secret(rule, value, hidden)

    def _secret(self, rule: str, value: AnyValue, hidden: list[str]) -> AnyValue:
        if isinstance(value, list):
            return [self._secret(rule, item, hidden) for item in value]
        if isinstance(value, dict):
            return self._secret_mapping(rule, value, hidden)
        if isinstance(value, str):
            is_secret = is_secret_text(rule, value)
        elif isinstance(value, bytes):
            is_secret = bool(value)
        else:
            is_secret = value is not None and is_secret_number(rule, value)
        if not is_secret:
            return self._unnamed(value, hidden)
        hidden.append(rule)
        return marker(rule)

    def _secret_mapping(self, rule: str, mapping: dict[str, Any], hidden: list[str]) -> dict[str, Any]:
        is_description = is_schema(mapping)

        def clean_item(key: str, value: AnyValue) -> AnyValue:
            if is_description and key not in SCHEMA_VALUES:
                return self._unnamed(value, hidden)
            own_rule = self._names.rule_of(key)
            if own_rule is None and isinstance(value, (bool, int, float)):
                return value
            return self._secret(own_rule or rule, value, hidden)

        return self._rebuilt(mapping, hidden, clean_item)

    def _unnamed(self, value: AnyValue, hidden: list[str]) -> AnyValue:
        if isinstance(value, str):
            return self.text(value, hidden)
        if isinstance(value, dict):
            return self.mapping(value, hidden)
        if isinstance(value, list):
            return self._list(value, hidden)
        if isinstance(value, bytes):
            return self._bytes(value, hidden)
        return value

    def _list(self, items: list[Any], hidden: list[str]) -> list[Any]:
        before = len(hidden)
        clean: list[Any]
        if items and all(map(_is_pair, items)):
            clean = [[self.text(name, hidden), self._named(name, value, hidden, {})] for name, value in items]
        elif _is_pair(items) and (rule := self._header_rule(*items)):
            clean = [items[0], self._secret(rule, items[1], hidden)]
        else:
            clean = self._arguments(items, hidden)
        return clean if len(hidden) > before else items

    def _header_rule(self, name: str, value: Any) -> str | None:
        """The rule for a lone pair, if it is a header and not two names of headers."""
        rule = self._names.rule_of(name)
        if rule is None or not is_header(name) or not isinstance(value, str):
            return None
        looks_like_value = any(sign in value for sign in " =0123456789") and self._names.rule_of(value) is None
        return rule if looks_like_value else None

    def _arguments(self, items: list[Any], hidden: list[str]) -> list[Any]:
        """Any list, which may be a command line in which a secret follows its flag."""
        clean = []
        rule = None
        for item in items:
            is_flag = isinstance(item, str) and item.startswith("-")
            clean.append(self._secret(rule, item, hidden) if rule and not is_flag else self._unnamed(item, hidden))
            rule = self._names.rule_of(item.lstrip("-")) if is_flag and "=" not in item else None
        return clean

    def _bytes(self, value: bytes, hidden: list[str]) -> bytes:
        if not self._texts.may_hold_secret(value):
            return value
        encoding = "utf-8"
        try:
            text = value.decode(encoding)
        except UnicodeDecodeError:
            encoding = "latin-1"  # every byte is a character of it and comes back as it was
            text = value.decode(encoding)
        # Only JSON that was written anew can hold what the encoding lacks, and there this is its escape.
        return self.text(text, hidden).encode(encoding, "backslashreplace")


def _name_beside_value(mapping: Mapping[str, Any]) -> str | None:
    """The name in `{"name": "password", "value": "..."}`, the form that headers and OTLP attributes have in JSON."""
    if "value" not in mapping:
        return None
    return next((name for key in _NAME_KEYS if isinstance(name := mapping.get(key), str)), None)


def _is_pair(item: Any) -> bool:
    return isinstance(item, list) and len(item) == 2 and isinstance(item[0], str)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raise ValueError for a repeated key: a secret under the first one would be lost to sight, not to readers."""
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise ValueError("repeated key")
    return mapping
