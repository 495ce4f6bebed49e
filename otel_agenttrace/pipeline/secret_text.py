"""Where secrets stand in one decoded text."""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_left
from typing import TYPE_CHECKING

from otel_agenttrace.pipeline import secrets
from otel_agenttrace.pipeline.assignments import AssignmentFinder
from otel_agenttrace.pipeline.secret_keys import MARKER, is_secret_text, marker
from otel_agenttrace.pipeline.secrets import Found, found_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from otel_agenttrace.pipeline.expressions import Expression
    from otel_agenttrace.pipeline.secret_keys import SecretNames

_TOKEN = secrets.compile_pattern(secrets.TOKEN)
_TOKEN_RULES = [rule for rule, _ in secrets.TOKENS]
_WEBHOOK = secrets.compile_pattern(secrets.WEBHOOK)
_PRIVATE_KEY = secrets.compile_pattern(secrets.PRIVATE_KEY)
_PRIVATE_KEY_END = secrets.compile_pattern(secrets.PRIVATE_KEY_END)
_PRIVATE_KEY_BODY = secrets.compile_pattern(secrets.PRIVATE_KEY_BODY)
_URL_LOGIN = secrets.compile_pattern(secrets.URL_LOGIN)
_URL_PARAMETER = secrets.compile_pattern(secrets.URL_PARAMETER)
_BEARER = secrets.compile_pattern(secrets.BEARER)
_BASIC = secrets.compile_pattern(secrets.BASIC)
_CURL_USER = secrets.compile_pattern(secrets.CURL_USER)
_SQL_LOGIN = secrets.compile_pattern(secrets.SQL_LOGIN)
_EMAIL = secrets.compile_pattern(secrets.EMAIL)
_CARD = secrets.compile_pattern(secrets.CARD)
_ASCII_ESCAPE = re.compile(r"\\+u00([2-7][0-9A-Fa-f])")
_MARKERS = secrets.compile_pattern(rf"(?:\[TRUNCATED:[0-9]+ (?:bytes|items)\]|{MARKER.pattern})+")
"""What stands where something was hidden, or cut; neither is a secret."""
_MAX_PASSES = 8
_MAX_COMMAND_BYTES = 512
_DIGIT = re.compile(rb"[0-9]")


class TextRedactor:
    """Hides secrets in texts. Thread-safe.

    Args:
        names: which names say that their value is secret.
        patterns: compiled expressions of the user's; what they match is hidden under the rule `user-pattern`.
        emails: whether to hide e-mail addresses.
        cards: whether to hide payment card numbers.

    Attributes:
        detector: says what a text may hold.
    """

    def __init__(
        self, names: SecretNames, patterns: Sequence[Expression] = (), *, emails: bool = False, cards: bool = False
    ) -> None:
        self.detector = secrets.Detector(secrets.name_pattern(names.extra), emails=emails, cards=cards)
        finders = _FINDERS | {"assignment": AssignmentFinder(names).find}
        self._finders = [finders.get(kind) for kind in self.detector.kinds]
        self._escape = self.detector.kinds.index("escape")
        self._patterns = tuple(patterns)

    def may_hold_secret(self, text: bytes) -> bool:
        """Whether `redact` has anything to look for; where not, it would only cost time."""
        return bool(self._patterns) or not (self.detector.finds_nothing(text) or self.detector.match(text) is None)

    def redact(self, text: str) -> tuple[str, list[str]]:
        """The text with every secret replaced by a marker, and the rule of each."""
        rules: list[str] = []
        clean = text
        for _ in range(_MAX_PASSES):  # a marker may uncover the secret beside it
            clean, more = self._replaced(clean)
            if not more:
                break
            rules += more
        return clean, rules

    def _replaced(self, text: str) -> tuple[str, list[str]]:
        encoded = text.encode("utf-8", "surrogatepass")
        kinds = self.detector.match(encoded) or []
        found = _without_overlap(self._find(encoded, kinds))
        if found:
            return _with_markers(encoded, found), [rule for *_, rule in found]
        plain = _ASCII_ESCAPE.sub(_plain, text) if self._escape in kinds else text
        if plain == text:
            return text, []
        # Letters written as escapes, in JSON that does not parse: only their plain form shows what they spell.
        clean, rules = self._replaced(plain)
        return (clean, rules) if rules else (text, [])

    def _find(self, text: bytes, kinds: Sequence[int]) -> Iterator[Found]:
        found = [each for kind in kinds if (finder := self._finders[kind]) for each in finder(text)]
        for pattern in self._patterns:
            found += [
                found_at(match, 0, "user-pattern") for match in pattern.finditer(text) if match.end() > match.start()
            ]
        has_markers = found and (b"[REDACTED:" in text or b"[TRUNCATED:" in text)
        hidden = [match.span() for match in _MARKERS.finditer(text)] if has_markers else []
        for each in found:
            yield from _around_markers(each, hidden)


def _with_markers(text: bytes, found: Iterable[Found]) -> str:
    pieces = []
    position = 0
    for start, end, rule in found:
        pieces += [text[position:start], marker(rule).encode()]
        position = end
    pieces.append(text[position:])
    return b"".join(pieces).decode("utf-8", "surrogatepass")


def _plain(escape: re.Match[str]) -> str:
    return chr(int(escape.group(1), 16))


def _around_markers(found: Found, hidden: Sequence[tuple[int, int]]) -> Iterator[Found]:
    """The secret, unless it is all in a marker; a marker that it touches goes with it."""
    start, end, rule = found
    index = max(bisect_left(hidden, (start + 1,)) - 1, 0)
    while index < len(hidden) and hidden[index][0] < found.end:
        marker_start, marker_end = hidden[index]
        if marker_start <= start and end <= marker_end:
            return
        if start < marker_end:
            start, end = min(start, marker_start), max(end, marker_end)
        index += 1
    yield Found(start, end, rule)


def _without_overlap(found: Iterable[Found]) -> list[Found]:
    """In order, those that overlap made one, under the rule of the first and longest."""
    merged: list[Found] = []
    for each in sorted(found, key=lambda each: (each.start, -each.end)):
        if merged and each.start < merged[-1].end:
            if each.end > merged[-1].end:
                merged[-1] = merged[-1]._replace(end=each.end)
        else:
            merged.append(each)
    return merged


def _tokens(text: bytes) -> Iterator[Found]:
    for match in _TOKEN.finditer(text):
        index = next(index for index, group in enumerate(match.groups()) if group is not None)
        yield found_at(match, index + 1, _TOKEN_RULES[index])


def _webhooks(text: bytes) -> Iterator[Found]:
    for match in _WEBHOOK.finditer(text):
        yield found_at(match, 1 if match.group(1) else 2, "webhook")


def _private_keys(text: bytes) -> Iterator[Found]:
    lasts = [match.start() for match in _PRIVATE_KEY_END.finditer(text)]
    firsts = [match.span() for match in _PRIVATE_KEY.finditer(text)]
    for (_, start), (following, _) in zip(firsts, [*firsts[1:], (len(text), 0)], strict=True):
        index = bisect_left(lasts, start)
        if index < len(lasts) and lasts[index] <= following:
            end = lasts[index]
        else:
            end = _PRIVATE_KEY_BODY.match(text, start, following).end()
        if end - start >= 16:  # not the mere name of such a line in code
            yield Found(start, end, "private-key")


def _logins(text: bytes) -> Iterator[Found]:
    for pattern, rule in ((_URL_LOGIN, "url-password"), (_SQL_LOGIN, "password")):
        for match in pattern.finditer(text):
            if is_secret_text(rule, match.group(1).decode("utf-8", "replace")):
                yield found_at(match, 1, rule)
    for match in _CURL_USER.finditer(text):
        if text.rfind(b"curl", max(0, match.start() - _MAX_COMMAND_BYTES), match.start()) >= 0:
            yield found_at(match, 1, "password")


def _parameters(text: bytes) -> Iterator[Found]:
    for match in _URL_PARAMETER.finditer(text):
        is_vague = match.group().lower().startswith((b"key", b"code"), 1)
        value = match.group(1).decode("utf-8", "replace")
        if len(value) >= (20 if is_vague else 1) and is_secret_text("url-parameter", value):
            yield found_at(match, 1, "url-parameter")


def _credentials(text: bytes) -> Iterator[Found]:
    for match in _BEARER.finditer(text):
        if len(match.group(1)) >= 20 or _DIGIT.search(match.group(1)):  # not "bearer authentication"
            yield found_at(match, 1, "bearer-token")
    for match in _BASIC.finditer(text):
        if _is_basic(match.group(1).replace(b"\\/", b"/")):
            yield found_at(match, 1, "basic-auth")


def _is_basic(credentials: bytes) -> bool:
    """Whether it is a name and a password in base64, see https://www.rfc-editor.org/rfc/rfc7617."""
    try:
        plain = base64.b64decode(credentials + b"=" * (-len(credentials) % 4), validate=True)
    except binascii.Error:
        return False
    return b":" in plain and plain.isascii()


def _emails(text: bytes) -> Iterator[Found]:
    for match in _EMAIL.finditer(text):
        yield found_at(match, 0, "email")


def _cards(text: bytes) -> Iterator[Found]:
    position = 0
    while match := _CARD.search(text, position):
        if _passes_luhn(match.group(1)):
            yield found_at(match, 1, "card")
        position = match.end(1)


def _passes_luhn(number: bytes) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1)."""
    digits = [byte - 48 for byte in reversed(number) if byte >= 48]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[0::2]) + sum(doubled)) % 10 == 0


_FINDERS: dict[str, Callable[[bytes], Iterator[Found]]] = {
    "token": _tokens,
    "webhook": _webhooks,
    "private-key": _private_keys,
    "login": _logins,
    "parameter": _parameters,
    "credentials": _credentials,
    "email": _emails,
    "card": _cards,
}
