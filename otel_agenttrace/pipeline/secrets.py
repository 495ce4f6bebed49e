r"""What secrets look like: the patterns of the redactor, and the one alternation that detects them.

Patterns are RE2 syntax over bytes (https://github.com/google/re2/wiki/Syntax), in ASCII, and treat all other bytes
alike, for Rust's regex crate looks for them too (`expressions.QuickLook`). Each of them serves twice: in the Detector,
searched over a whole serialised record, and alone, to find the secret in one decoded string. So a pattern must match
in JSON text too, at any depth of escaping: a quote may have backslashes before it, and what stands before a secret may
be the `n` of an escaped line end. Prefixes and lengths are the vendors' own, as published by them and by public secret
scanners; lengths are minima, for vendors lengthen their keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import re2

from otel_agenttrace.pipeline.expressions import Expression, ExpressionSet, QuickLook

if TYPE_CHECKING:
    from collections.abc import Iterable


class Found(NamedTuple):
    """A secret: its place in the UTF-8 bytes of a text, and the rule that found it."""

    start: int
    end: int
    rule: str


def found_at(match: Any, group: int, rule: str) -> Found:
    """The secret that is a group of a match."""
    start, end = match.span(group)
    return Found(start, end, rule)


_BOUNDARY = r"(?:^|[^0-9A-Za-z_]|\\[nrtbf]|\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2})"
"""What a token may follow. It also keeps the automaton small: inside a long base64 text no pattern ever starts."""

TOKENS: tuple[tuple[str, str], ...] = (
    ("anthropic-key", r"sk-ant-[\w-]{10,}"),
    ("openrouter-key", r"sk-or-[\w-]{10,}"),
    ("langfuse-key", r"sk-lf-[\w-]{10,}"),
    ("openai-key", r"sk-(?:proj|svcacct|admin|None|test|live)-[\w-]{10,}|sk-[0-9A-Za-z]{16,}"),
    ("google-key", r"AIza[\w-]{30,}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}|1//0[\w-]{30,}"),
    ("aws-key", r"(?:AKIA|ASIA|ABIA|ACCA)[2-7A-Z]{16}"),
    ("azure-secret", r"[\w~.]{3}[0-9]Q~[\w~.-]{31,34}"),
    ("github-token", r"gh[pousr]_[0-9A-Za-z]{20,}|github_pat_\w{20,}"),
    ("gitlab-token", r"gl(?:pat|ptt|dt|oas|rt|cbt|ft|soat|imt|agent|ffct)-[\w-]{16,}"),
    ("slack-token", r"xox[abeoprs](?:\.xox[bp])?-[0-9A-Za-z-]{10,}|xapp-[0-9]-[0-9A-Za-z-]{10,}"),
    ("stripe-key", r"[rs]k_(?:live|test|prod)_[0-9A-Za-z]{10,}|whsec_[0-9A-Za-z+/=]{20,}"),
    ("huggingface-token", r"hf_[0-9A-Za-z]{30,}|api_org_[0-9A-Za-z]{30,}"),
    ("twilio-key", r"SK[0-9a-f]{32}"),
    ("sendgrid-key", r"SG\.[\w-]{16,32}\.[\w-]{32,64}"),
    ("npm-token", r"npm_[0-9A-Za-z]{30,}"),
    ("pypi-token", r"pypi-[\w-]{50,}"),
    ("rubygems-key", r"rubygems_[0-9a-f]{48}"),
    ("docker-token", r"dckr_[op]at_[\w-]{20,}"),
    ("databricks-token", r"dapi[0-9a-f]{32}"),
    ("groq-key", r"gsk_[0-9A-Za-z]{32,}"),
    ("xai-key", r"xai-[0-9A-Za-z]{40,}"),
    ("replicate-token", r"r8_[0-9A-Za-z]{30,}"),
    ("perplexity-key", r"pplx-[0-9A-Za-z]{32,}"),
    ("nvidia-key", r"nvapi-[\w-]{40,}"),
    ("cerebras-key", r"csk-[0-9a-z]{40,}"),
    ("fireworks-key", r"fw_[0-9A-Za-z]{20,}"),
    ("together-key", r"tgp_v1_[\w-]{30,}"),
    ("jina-key", r"jina_[0-9A-Za-z]{40,}"),
    ("elevenlabs-key", r"sk_[0-9a-f]{48}"),
    ("langsmith-key", r"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
    ("logfire-token", r"pylf_v[0-9]_\w{20,}"),
    ("pinecone-key", r"pcsk_\w{40,}"),
    ("tavily-key", r"tvly-[\w-]{20,}"),
    ("firecrawl-key", r"fc-[0-9a-f]{32}"),
    ("e2b-key", r"e2b_[0-9a-f]{40}"),
    ("digitalocean-token", r"do[opr]_v1_[0-9a-f]{32,}"),
    ("shopify-token", r"shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{32}"),
    ("doppler-token", r"dp\.(?:pt|st|ct|scim|audit)\.[0-9A-Za-z.]{40,}"),
    ("vault-token", r"hv[bs]\.[\w-]{20,}"),
    ("terraform-token", r"[0-9A-Za-z]{14}\.atlasv1\.[\w=-]{40,}"),
    ("atlassian-token", r"ATATT3[\w=-]{50,}"),
    ("linear-key", r"lin_api_[0-9A-Za-z]{40}"),
    ("notion-token", r"ntn_[0-9A-Za-z]{40,}"),
    ("airtable-token", r"pat[0-9A-Za-z]{14}\.[0-9a-f]{64}"),
    ("postman-key", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    ("newrelic-key", r"NRAK-[0-9A-Z]{27}"),
    ("sentry-token", r"sntry[su]_[\w+/=]{40,}"),
    ("grafana-token", r"gl(?:sa|c)_[0-9A-Za-z+/=]{32,}(?:_[0-9a-f]{8})?"),
    ("supabase-key", r"sbp_[0-9a-f]{40}|sb_secret_[\w-]{20,}"),
    ("planetscale-token", r"pscale_(?:tkn|oauth|pw)_[\w.=-]{32,}"),
    ("pulumi-token", r"pul-[0-9a-f]{40}"),
    ("fly-token", r"fm[12][ar]?_[0-9A-Za-z+/]{100,}={0,3}"),
    ("mailgun-key", r"key-[0-9a-f]{32}"),
    ("telegram-token", r"(?:bot)?[0-9]{8,10}:AA[\w-]{33,}"),
    ("discord-token", r"[MNO][\w-]{23,25}\.[\w-]{6}\.[\w-]{27,38}"),
    ("age-key", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    ("jwt", r"eyJ[\w-]{8,}(?:\.[\w-]+){1,4}"),
)
"""Rule and pattern of what is a secret wherever it stands. Where two match at one place, the first one counts."""

_token_rules = "|".join(f"({pattern})" for _, pattern in TOKENS)
TOKEN = f"{_BOUNDARY}(?:{_token_rules})"
"""Group n is the token of rule n."""

_INNER_PARTS = {
    "azure-secret": r"[0-9]Q~[\w~.-]{31}",
    "terraform-token": r"\.atlasv1\.[\w=-]{40}",
    "telegram-token": r":AA[\w-]{33}",
    "discord-token": r"\.[\w-]{6}\.[\w-]{27}",
}
"""What the detector looks for in tokens that start with nothing of their own: counting what any word may be the start
of would cost it a third of its speed."""

_plain_rules = "|".join(pattern for rule, pattern in TOKENS if rule not in _INNER_PARTS)
_TOKEN_DETECTED = "|".join([f"{_BOUNDARY}(?:{_plain_rules})", *_INNER_PARTS.values()])

WEBHOOK = (
    r"hooks\.slack\.com(?:\\*/)(?:services|workflows|triggers)((?:\\*/)[\w/\\+-]{20,})"
    r"|discord(?:app)?\.com(?:\\*/)api(?:\\*/)webhooks(?:\\*/)[0-9]+((?:\\*/)[\w-]{20,})"
)
"""URLs that are the secret themselves; the groups hold the part that is."""

PRIVATE_KEY = r"-----BEGIN[ 0-9A-Z]*PRIVATE KEY(?: BLOCK)?-----"
PRIVATE_KEY_END = r"-----END[ 0-9A-Z]*PRIVATE KEY"
PRIVATE_KEY_BODY = r"(?:\\+[nrt/]|[\s0-9A-Za-z+/=])*"
"""What may follow the first line of a key that was cut off before its last line."""

URL_LOGIN = r""":(?:\\*/){2}[^\s:/@?#"'<>\\]*:([^\s/?#"'<>\\]+)@"""
URL_PARAMETER = (
    r"(?i:[?&;](?:sig|signature|x-amz-signature|x-amz-credential|x-goog-signature|key|code|auth|pass|sas)"
    r"""=([^\s&#"'<>\\]+))"""
)
BEARER = r"(?i:bearer)(?:\s|%20|\+|\\[nrt])+((?:\\/|[\w.~+/=-]){8,})"
BASIC = r"(?i:basic)(?:\s|%20|\+)+((?:\\/|[\w+/-]){8,}={0,2})"
CURL_USER = r"""(?:-u|--user)[ =]\\*["']?[^\s:"'\\]+:([^\s"'\\]+)"""
SQL_LOGIN = r"(?i:password|identified[ \t]+by)[ \t]+'([^'\\]+)'"
EMAIL = r"[\w.%+-]*[\w%+-]@[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*\.[A-Za-z]{2,}"
CARD = rf"{_BOUNDARY}((?:3[0-9]|4[0-9]|5[0-9]|6[0-9]|2[2-7])(?:[ -]?[0-9]){{11,17}})(?:[^0-9A-Za-z_]|$)"

ASCII_ESCAPE = r"\\+u00[2-7][0-9A-Fa-f]"
"""A letter or sign written as a JSON escape, which nobody needs: it hides names and values from every other pattern."""

_GAP = r"[ _.:\[\]-]{0,3}"
KEY_NAME = (
    rf"(?i:pass{_GAP}w(?:or)?ds?|pass{_GAP}phrase|passcode|pwd|secrets?|token|api{_GAP}keys?"
    rf"|(?:db|user|admin|root|smtp|imap|ftp|mysql|postgres|pg|redis|proxy|login|auth|basic){_GAP}pass"
    rf"|(?:access|refresh|auth|session|api|bearer|security){_GAP}tokens"
    rf"|(?:access|account|secret|private|encryption|decryption|signing|master|subscription|shared|storage|auth|service"
    rf"|admin|app|consumer|webhook|functions?|license|deploy|ssh|instrumentation){_GAP}keys?"
    rf"|authorization|cookies?|credentials?|creds|bearer|conn(?:ection)?{_GAP}str(?:ing)?s?)"
    rf"(?i:{_GAP}(?:value|raw|plain|plaintext|cleartext|header|hash|hex|b64|base64|enc|encoded|encrypted|str|string"
    rf"|[0-9]{{1,3}}))?"
)
"""The end of a name whose value may be secret; `secret_keys` has the last word."""


def name_pattern(extra: Iterable[str] = ()) -> str:
    """The expression for the end of a secret name, with `extra` ones, whose words are joined by `_`."""
    endings = [_GAP.join(map(re2.escape, name.split("_"))) for name in extra]
    return "|".join([KEY_NAME, *(f"(?i:{ending})" for ending in endings)])


class Detector:
    """The search for anything that may have to be hidden, over a serialised record or one text. Thread-safe.

    Args:
        names: see `name_pattern`.
        emails: whether to look for e-mail addresses.
        cards: whether to look for payment card numbers.

    Attributes:
        kinds: what each pattern of the set looks for.
        match: of bytes, the indices in `kinds` of what they may hold, or None; then they hold no secret.
        finds_nothing: whether `match` would certainly find nothing in bytes: a QuickLook.
    """

    def __init__(self, names: str = KEY_NAME, *, emails: bool = False, cards: bool = False) -> None:
        to_value = r"""(?:[^0-9A-Za-z]|%[0-9A-Fa-f]{2}|\\[bfnrt])*(?:[:=>]|%3[ADad]|["'][\s]*[\],}])"""
        patterns = {
            "token": _TOKEN_DETECTED,
            "webhook": WEBHOOK,
            "private-key": PRIVATE_KEY,
            "login": f"{URL_LOGIN}|{SQL_LOGIN}|{CURL_USER}",
            "parameter": URL_PARAMETER,
            "credentials": f"{BEARER}|{BASIC}",
            "assignment": rf"(?:{names}){to_value}|--[\w-]*(?:{names})[ \t]",
            "escape": ASCII_ESCAPE,
            "bytes": r'"bytesValue"',
        }
        patterns |= {"email": EMAIL} if emails else {}
        patterns |= {"card": CARD} if cards else {}
        self.kinds = tuple(patterns)
        self.match = ExpressionSet(patterns.values()).match
        self.finds_nothing = QuickLook(patterns.values()).finds_nothing


def compile_pattern(pattern: str) -> Expression:
    """Compile one of the patterns above, to be matched against bytes."""
    return Expression(pattern.encode())
