"""Redaction: secrets are hidden before the first byte of a span leaves the process or reaches a disk.

On the agent's thread, over the serialised record: one quick look says for nearly every record that there is nothing in
it. Only where there may be something is it searched by RE2, decoded, walked and rewritten.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import re2

from otel_agenttrace.errors import ConfigError
from otel_agenttrace.forks import call_in_children
from otel_agenttrace.model.codec import SerializedSpan, deserialize, serialize_record
from otel_agenttrace.pipeline.counts import Counts
from otel_agenttrace.pipeline.expressions import Expression
from otel_agenttrace.pipeline.redact_record import RecordRedactor, without_texts
from otel_agenttrace.pipeline.secret_keys import SecretNames, normalize
from otel_agenttrace.pipeline.secret_text import TextRedactor
from otel_agenttrace.pipeline.secret_values import ValueRedactor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_agenttrace.model.record import SpanRecord

RedactFunction: TypeAlias = Callable[[str, str], "str | None"]
"""A user's own rule for one text: see `RedactConfig.callable`."""

_logger = logging.getLogger(__name__)
_MAX_CLEAN_TEXTS = 4096
_SECONDS_TO_GET_OUT = 1.0
_PAUSE_S = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactConfig:
    """What is hidden besides secrets that are known by name or by pattern.

    Attributes:
        keys: further names whose values are secret, in ASCII, in any notation; a longer name that ends in one counts
            too.
        allow_keys: whole names whose values are never hidden by name; patterns still apply to them.
        patterns: further expressions, in RE2's syntax; what one matches is hidden.
        emails: whether e-mail addresses are hidden.
        cards: whether payment card numbers are hidden (13 to 19 digits with a valid check digit).
        callable: called with the key and the text of every string of a span, after all else was hidden in it. It
            returns the text to keep, or None to hide it whole. The key is the attribute's, with a dot and the inner
            key for each level of a structured value, or `name`, `status_message`, `trace_state`, `event.name`,
            `scope.name`, `scope.version`. What it fails on, or answers with anything else, is hidden whole.

    With `patterns` or a `callable` every span is decoded: some 80 microseconds for one of 1 KB instead of 3.

    Raises:
        ConfigError: a name or an expression is not usable; the message names it.
    """

    keys: tuple[str, ...] = ()
    allow_keys: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    emails: bool = False
    cards: bool = False
    callable: RedactFunction | None = None

    def __post_init__(self) -> None:
        _check_names("keys", self.keys)
        _check_names("allow_keys", self.allow_keys)
        compile_patterns(self.patterns)
        if self.callable is not None and not callable(self.callable):
            raise ConfigError(f"redact.callable: accepts a function of (key, text), not {self.callable!r}")


def _check_names(setting: str, names: Sequence[str]) -> None:
    if isinstance(names, str):
        raise ConfigError(f"redact.{setting}: accepts a sequence of names, not the one text {names!r}")
    for name in names:
        if not isinstance(name, str) or not normalize(name).strip("_"):
            raise ConfigError(f"redact.{setting}: {name!r} is not a name with a letter or a digit in it")
        if not name.isascii():  # the detector folds case and words in ASCII alone, and would never find it
            raise ConfigError(f"redact.{setting}: {name!r} has signs beyond ASCII; redact.patterns takes any")


def compile_patterns(patterns: Sequence[str]) -> list[Expression]:
    """Compile users' expressions; raise ConfigError, which names the one, if RE2 does not take it."""
    if isinstance(patterns, str):
        raise ConfigError(f"redact.patterns: accepts a sequence of expressions, not the one text {patterns!r}")
    return [_compiled(pattern) for pattern in patterns]


def _compiled(pattern: str) -> Expression:
    try:
        return Expression(pattern)
    except (re2.error, TypeError) as error:
        raise ConfigError(f"redact.patterns: {pattern!r} is not an RE2 expression: {error}") from error


class Redactor:
    """Hides secrets in serialised records. Thread-safe; one serves a whole process.

    It covers names, status messages, attribute keys and values, events, links, trace states, resource and scope, and
    never touches ids, times, or numbers without a secret name before them. A span that lost secrets says how many in
    `agenttrace.redacted`. Redacting twice changes nothing, as long as the `callable` keeps to that too.

    Args:
        config: what to hide besides secrets.
    """

    def __init__(self, config: RedactConfig | None = None) -> None:
        config = config or RedactConfig()
        names = SecretNames(config.keys, config.allow_keys)
        texts = TextRedactor(names, compile_patterns(config.patterns), emails=config.emails, cards=config.cards)
        # Users' expressions are written for text, not for the JSON that holds it: no search over a record can stand in.
        self._looks_at_all = bool(config.patterns) or config.callable is not None
        self._finds_nothing = _never if self._looks_at_all else texts.detector.finds_nothing
        self._search = texts.detector.match
        self._records = RecordRedactor(ValueRedactor(names, texts), config.callable)
        self._clean_texts: dict[bytes, bytes] = {}
        self._counts = Counts()

    @property
    def counts(self) -> dict[str, int]:
        """How many secrets each rule hid so far; `error` counts spans and resources that had to be hidden whole."""
        return self._counts.snapshot()

    def redact(self, serialized: SerializedSpan) -> SerializedSpan:
        """The record without secrets; the same object where there are none.

        Where redaction itself fails, all texts of the record are hidden.

        Raises:
            DecodeError: it may hold secrets and is not a serialised record; what `model.codec` made always is one.
        """
        span, resource, scope = serialized
        clean_resource = self._clean_texts.get(resource)
        clean_scope = self._clean_texts.get(scope)
        if clean_resource is None or clean_scope is None or not self._finds_nothing(span):
            return self._searched(serialized)
        if clean_resource == resource and clean_scope == scope:
            return serialized
        return SerializedSpan(span, clean_resource, clean_scope)

    def _searched(self, serialized: SerializedSpan) -> SerializedSpan:
        """The record without secrets, by a search with RE2; without texts when that may not be used any more."""
        with _searches.one() as is_allowed:
            if not is_allowed:
                self._counts.add(["error"])
                return serialize_record(without_texts(deserialize(serialized)))
            span = serialized.span
            if self._looks_at_all or self._search(span):
                span = self._clean_span(serialized)
            clean = SerializedSpan(span, *self._clean_emitter(serialized))
            return serialized if clean == serialized else clean

    def _clean_span(self, serialized: SerializedSpan) -> bytes:
        record = deserialize(serialized)
        hidden: list[str] = []
        try:
            clean = self._records.span(record, hidden)
        except Exception as error:  # noqa: BLE001  # whatever went wrong, the record must not leave as it is
            self._report(error)
            hidden = ["error"]
            clean = without_texts(record)
        if not hidden:
            return serialized.span
        self._counts.add(hidden)
        return serialize_record(clean).span

    def _clean_emitter(self, serialized: SerializedSpan) -> tuple[bytes, bytes]:
        """Resource and scope; a process has few, so the clean texts are kept."""
        _, resource, scope = serialized
        clean_resource, clean_scope = self._clean_texts.get(resource), self._clean_texts.get(scope)
        if clean_resource is not None and clean_scope is not None:
            return clean_resource, clean_scope
        clean = resource, scope
        if self._looks_at_all or self._search(resource) or self._search(scope):
            clean = self._redacted_emitter(deserialize(serialized), resource, scope)
        if len(self._clean_texts) >= _MAX_CLEAN_TEXTS:
            self._clean_texts.clear()
        self._clean_texts.update(zip((resource, scope), clean, strict=True))
        return clean

    def _redacted_emitter(self, record: SpanRecord, resource: bytes, scope: bytes) -> tuple[bytes, bytes]:
        hidden: list[str] = []
        try:
            clean = replace(
                record,
                resource=self._records.resource(record.resource, hidden),
                scope=self._records.scope(record.scope, hidden),
            )
        except Exception as error:  # noqa: BLE001  # as for a span
            self._report(error)
            hidden = ["error"]
            clean = without_texts(record)
        if not hidden:
            return resource, scope
        self._counts.add(hidden)
        _, *texts = serialize_record(clean)
        return texts[0], texts[1]

    def _report(self, error: Exception) -> None:
        if "error" not in self.counts:  # once; its message may hold the secret
            _logger.error("redaction failed (%s); records it fails on lose all texts", type(error).__name__)


def make_redactor(setting: bool | RedactFunction | RedactConfig | None) -> Redactor | None:
    """The redactor that a `redact=` setting asks for; None when it is switched off.

    Args:
        setting: True or None for the defaults, False for none at all, a function as in `RedactConfig.callable`, or
            a RedactConfig.

    Raises:
        ConfigError: it is none of these.
    """
    if setting is False:
        return None
    if setting is None or setting is True:
        return Redactor()
    if isinstance(setting, RedactConfig):
        return Redactor(setting)
    if callable(setting):
        return Redactor(RedactConfig(callable=setting))
    raise ConfigError(f"redact: accepts True, False, a function of (key, text), or a RedactConfig, not {setting!r}")


def _never(_: bytes) -> bool:
    return False


class _Searches:
    """The threads that search with RE2, the main one apart, which may do so until the end.

    RE2 searches without Python's lock. The interpreter ends a daemon thread that wants it back by unwinding its stack,
    and the whole process with it, since C++ takes that for an error.
    """

    def __init__(self) -> None:
        self._threads: set[int] = set()
        self._are_over = False
        call_in_children(self._forget)

    @contextmanager
    def one(self) -> Iterator[bool]:
        """Around one search; whether it may be made."""
        if threading.current_thread() is threading.main_thread():
            yield True
            return
        thread = threading.get_ident()
        self._threads.add(thread)  # in front of the look, so that nobody gets in between
        try:
            yield not self._are_over
        finally:
            self._threads.discard(thread)

    def end(self) -> None:
        """Let no more begin, and wait for those under way; at exit, when only daemon threads are left to end spans."""
        self._are_over = True
        deadline = time.monotonic() + _SECONDS_TO_GET_OUT
        while self._threads and time.monotonic() < deadline:
            time.sleep(_PAUSE_S)

    def _forget(self) -> None:
        self._threads.clear()


_searches = _Searches()
atexit.register(_searches.end)
