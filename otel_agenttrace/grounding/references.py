"""Web and mail addresses, quotations, identifiers and names in a text."""

from __future__ import annotations

import re
from typing import NamedTuple

_URL = re.compile(
    r"(?:https?://|www\.)[^\s<>\"'`{}|\\^\[\]\u201c\u201d\u2018\u2019\u3002\uff0c]{3,2000}", re.IGNORECASE
)
_MAIL = re.compile(r"(?<![\w.+-])[\w+-][\w.+-]{0,63}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_TRAILING = ".,;:!?*_~"
_QUOTES = (
    re.compile(r"\"([^\"\n]{2,2000})\""),
    re.compile(r"\u201c([^\u201c\u201d\n]{2,2000})\u201d"),
    re.compile(r"\u201e([^\u201e\u201c\u201d\n]{2,2000})[\u201c\u201d]"),
    re.compile(r"\u00ab\s?([^\u00ab\u00bb\n]{2,2000}?)\s?\u00bb"),
    re.compile(r"\u300c([^\u300c\u300d\n]{2,2000})\u300d"),
    re.compile(r"``([^`\n]{2,2000})''"),
)
_CODE = re.compile(
    r"(?<![\w.@/-])(?=[\w-]{0,40}\d)(?=[\w-]{0,40}[A-Za-z])[A-Za-z0-9]\w{0,40}(?:-\w{1,40}){0,8}(?![\w@])", re.ASCII
)
_SPACED_CODE = re.compile(r"(?<![\w.@/-])[A-Z]{2,3}[ -]\d{2,6}(?![\w.,]\d|\w)")
_ORDINAL = re.compile(
    r"\d+(?:st|nd|rd|th|s|x|e|er|k|m|bn|b|h|min|mins|sec|ms|am|pm|km|cm|mm|kg|g|gb|mb|kb|tb|c|f|d|mph|kph|kmh|"
    r"eur|usd|gbp|px|pp|bps|hz|ghz|mhz|kw|kwh|w|v|year|day|week|month|hour|minute|night|person|page|star|way|"
    r"fold)(?:-[^\W\d_]+)*|(?:eur|usd|gbp|sek|nok|dkk|chf|us|a|c)\d+|[^\W\d_]+-\d+|\d+(?:-[^\W\d_]+)+|"
    r"h?\d{1,2}h\d{0,2}|[^\W\d_]{1,3}",
    re.IGNORECASE,
)


class Reference(NamedTuple):
    """Something a text refers to.

    Attributes:
        text: the address, the words inside the quotation marks, the identifier.
        start: index of its first character, of the opening mark of a quotation.
        end: index after its last.
    """

    text: str
    start: int
    end: int


def addresses_of(text: str) -> list[Reference]:
    """The web and mail addresses of a text."""
    found = []
    for match in (*_URL.finditer(text), *_MAIL.finditer(text)):
        address = match.group().rstrip(_TRAILING)
        if address.count(")") > address.count("("):
            address = address[: address.index(")")].rstrip(_TRAILING)
        found.append(Reference(address, match.start(), match.start() + len(address)))
    return found


def quotations_of(text: str) -> list[Reference]:
    """What a text puts into quotation marks."""
    return [Reference(match[1], *match.span()) for form in _QUOTES for match in form.finditer(text)]


def codes_of(text: str) -> list[Reference]:
    """Identifiers: flight and order numbers, versions of models, whatever mixes letters and digits."""
    found = [Reference(match.group(), *match.span()) for match in _SPACED_CODE.finditer(text)]
    found += [
        Reference(match.group(), *match.span())
        for match in _CODE.finditer(text)
        if not _ORDINAL.fullmatch(match.group())
    ]
    return found


def plain_address(address: str) -> str:
    """An address without what makes no difference: scheme, `www.`, fragment, last slash, case of the host."""
    bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", address, flags=re.IGNORECASE).partition("#")[0].rstrip("/")
    host, slash, path = bare.partition("/")
    return host.lower() + slash + path


def plain_code(code: str) -> str:
    """An identifier without spaces, hyphens and case."""
    return re.sub(r"[\s_-]", "", code).casefold()


def plain_text(text: str) -> str:
    """Words alone, for finding a quotation that differs in marks and spaces."""
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))
