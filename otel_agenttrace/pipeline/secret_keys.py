"""Which names say that their value is secret, and which values under such a name are none.

A name is an attribute key, a key of a mapping, a header, a URL parameter, a variable or a command-line flag. It is cut
into words at signs and at capitals, and its *end* decides: `db.password` and `clientSecret` name a secret,
`password_policy` and `secret_id` do not.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MARKER = re.compile(r"\[REDACTED:[a-z0-9-]+\]")
"""What stands in place of a secret; the name is the rule's."""


def marker(rule: str) -> str:
    """What is written in place of a secret that `rule` found."""
    return f"[REDACTED:{rule}]"


_KEY_OF = (
    "access|account|secret|encryption|decryption|signing|master|subscription|shared|storage|auth|service|admin|app"
    "|consumer|webhook|functions?|license|deploy|instrumentation"
)
_LOGIN_OF = "db|user|admin|root|smtp|imap|ftp|mysql|postgres|pg|redis|proxy|login|auth|basic"
_SECRET_NAME = re.compile(
    r"(?:"
    rf"(?P<password>[a-z0-9]*pass_?w(?:or)?ds?|[a-z]*pass_?phrase|(?:^|_)passcode|(?:^|_)(?:{_LOGIN_OF})_?pass)"
    r"|(?P<pwd>(?:^|_)pwd)"
    r"|(?P<secret>[a-z0-9]*secrets?)"
    r"|(?P<api_key>[a-z]*api_?keys?)"
    r"|(?P<private_key>(?:^|_)(?:private|ssh)_?keys?)"
    rf"|(?P<access_key>(?:^|_)(?:{_KEY_OF})_?keys?)"
    r"|(?P<authorization>(?:^|_)authorization)"
    r"|(?P<cookie>(?:^|_)(?:set_?)?cookies?)"
    r"|(?P<credential>(?:^|_)(?:credentials?|creds|bearer))"
    r"|(?P<connection_string>[a-z]*conn(?:ection)?_?str(?:ing)?s?)"
    r"|(?P<token>[a-z]*token|(?:^|_)(?:access|refresh|auth|session|api|bearer|security)_?tokens)"
    r")(?:_(?:value|raw|plain|plaintext|cleartext|header|hash|hex|b64|base64|enc|encoded|encrypted|str|string)"
    r"|_?[0-9]{1,3})?(?:[^\x00-\x1f0-9a-z]|[\b\t\n\f\r])*\Z"
)
_HARMLESS_TOKEN = re.compile(
    r"(?:^|_)(?:page|next|prev|previous|continuation|continue|pagination|paging|cursor|sync|scroll|skip|progress|cancel"
    r"|cancellation|start|stop|end|bos|eos|eot|pad|unk|mask|sep|cls|special|bad|first|last|per|input|output|prompt"
    r"|completion|total|max|min|num|text|image|word|delta|sampled|chosen)_?token[^0-9a-z]*\Z"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SIGNS = re.compile(r"[ _.:\[\]-]{1,3}")
_HEADER = re.compile(r"(?:^|_)(?:authorization|cookie|api_?key|token|secret|access_?key)[^0-9a-z]*\Z")


def normalize(name: str) -> str:
    """Lower-case words of a name, joined by `_`."""
    # Only ASCII letters are folded, for the detector folds no others: lower() would make a K of the Kelvin sign.
    return _SIGNS.sub("_", _CAMEL.sub("_", name)).encode("ascii", "replace").decode().lower()


class SecretNames:
    """Decides by name whether a value is secret. Thread-safe.

    Args:
        extra: further ends of names whose values are secret, in any notation, under the rule `user-key`.
        allowed: whole names whose values are never secret by name.
    """

    def __init__(self, extra: Iterable[str] = (), allowed: Iterable[str] = ()) -> None:
        self.extra = tuple(normalize(name).strip("_") for name in extra)
        self._extra_ends = tuple(f"_{name}" for name in self.extra)
        self._allowed = frozenset(normalize(name).strip("_") for name in allowed)
        self.rule_of = lru_cache(maxsize=4096)(self._rule_of)

    def _rule_of(self, name: str) -> str | None:
        words = normalize(name)
        if words.strip("_") in self._allowed or "::" in name or MARKER.search(name):
            return None  # `AWS::IAM::AccessKey` is a type
        if self._extra_ends and f"_{words}".rstrip("_").endswith(self._extra_ends):
            return "user-key"
        found = _SECRET_NAME.search(words)
        if found is None or _HARMLESS_TOKEN.search(words):
            return None
        return str(found.lastgroup).replace("_", "-")


def is_header(name: str) -> bool:
    """Whether a secret name is one that headers have."""
    return bool(_HEADER.search(normalize(name)))


_SCHEME = re.compile(r"(?i:basic|bearer|token)\s+")
_NO_SECRET = re.compile(
    # types, and options of that name
    r"(?i:array|bool(?:ean)?|bytes|false|include|u?int(?:eger|[0-9]{1,2})?|none|null|number|object|omit|optional"
    r"|required|same-origin|secretstr|str(?:ing)?|true|undefined)|#[0-9A-Fa-f]{3,8}"
    # to be filled in
    r"|(?:\$\{[^{}]*\}[:/.-]?)+|\$\{[^{}]*|\$?\{\{[^{}]*\}{0,2}|\$[\w.:-]*|\{(?:[A-Za-z_][^{}\s]*)?\}|<[^<>]*>"
    r"|%\(\w+\)s|%[dirs]|%\w+%"
    # hidden already
    rf"|(?i:\W*redacted\W*|\W*filtered\W*|x{{3,}})|\*+|\.{{3,}}|…|-+|{MARKER.pattern}|\[TRUNCATED:.*"
)
"""What stands under a secret name in code, documents and templates."""
_FILE = re.compile(r"(?:~|\.{1,2}|[A-Za-z]:)?[/\\][\w./\\ -]*\.(?:cer|crt|env|ini|json|key|p12|pem|pfx|toml|txt|ya?ml)")
_DIRECTORY = re.compile(r"(?:~|[A-Za-z]:)?[/\\]")


def is_secret_text(rule: str, text: str) -> bool:
    """Whether a text under a secret name can be a secret, not a type's name, a placeholder, or hidden already."""
    value = text.strip()
    if not value or _NO_SECRET.fullmatch(_SCHEME.sub("", value, count=1)):
        return False
    if rule == "token":
        # Models' tokens are short, or start with the space before a word; prose and JSON are no token at all.
        is_word = value[0] not in "{[" and len(value.split()) <= 2 and not MARKER.search(value)
        return is_word and len(value) >= 6 and not text.startswith(" ")
    if rule == "cookie":
        return "=" in value or len(value) >= 8
    if rule == "access-key" and len(value) < 8:
        return False  # HTML's accesskey="n"
    if rule == "pwd" and _DIRECTORY.match(value):
        return False  # the shell's working directory
    return not _FILE.fullmatch(value)


_NUMBERS_TOO = frozenset({"password", "pwd", "secret", "user-key"})


def is_secret_number(rule: str, value: float) -> bool:
    """Whether a number under a secret name can be a secret; a boolean never is."""
    return rule in _NUMBERS_TOO and not isinstance(value, bool)


_SCHEMA_WORD = re.compile(
    r"\$ref|additionalProperties|allOf|anyOf|const|default|deprecated|description|enum|enumNames|examples?|format|items"
    r"|(?:exclusiveM|m)(?:ax|in)imum|m(?:ax|in)(?:Items|Length)|nullable|oneOf|optional|pattern|properties|readOnly"
    r"|required|sensitive|title|type|uniqueItems|writeOnly"
)
SCHEMA_VALUES = frozenset({"const", "default", "example", "examples"})
"""The keys of a JSON Schema under which a value stands rather than a description of one."""


def is_schema(value: Mapping[str, Any]) -> bool:
    """Whether a mapping under a secret name describes the secret (JSON Schema, OpenAPI) instead of holding it."""
    return bool(value) and all(_SCHEMA_WORD.fullmatch(key) for key in value)


def is_token_probability(siblings: Mapping[str, Any]) -> bool:
    """Whether a mapping with a `token` is about a piece of text that a model read or wrote."""
    return bool(siblings.keys() & {"logprob", "logprobs", "log_prob", "probability", "score", "token_id", "token_str"})
