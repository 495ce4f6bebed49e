"""What patterns are searched with: what the quick look passes, RE2 finds nothing in."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otel_agenttrace.pipeline import secrets
from otel_agenttrace.pipeline.expressions import Expression, ExpressionSet, QuickLook
from otel_agenttrace.pipeline.secret_keys import normalize

_ALL = secrets.Detector(emails=True, cards=True)
_PATTERNS = [
    *(pattern for _, pattern in secrets.TOKENS),
    *(secrets.WEBHOOK, secrets.PRIVATE_KEY, secrets.URL_LOGIN, secrets.URL_PARAMETER, secrets.BEARER, secrets.BASIC),
    *(secrets.CURL_USER, secrets.SQL_LOGIN, secrets.EMAIL, secrets.CARD, secrets.ASCII_ESCAPE, secrets.KEY_NAME),
]
_MATCHING = st.sampled_from(_PATTERNS).flatmap(lambda pattern: st.from_regex(re.compile(pattern.encode())))
_AROUND = st.sampled_from(
    [b"", b" ", b'"', b"=", b": ", b'":"', b"\\n", b"%3A", b"\xe2\x82\xac", b"\xff", b"\x0b", b"n"]
)
_TEXTS = st.lists(_MATCHING | _AROUND | st.binary(max_size=4), max_size=6).map(b"".join)


@given(_TEXTS)
@example(b"://a\x0b:pw@host")
def test_the_quick_look_finds_what_re2_finds(text: bytes) -> None:
    """And nothing else, in any bytes, as long as none is NUL: its patterns are the same."""
    if b"\x00" in text:
        assert not _ALL.finds_nothing(text)
    else:
        assert _ALL.finds_nothing(text) == (_ALL.match(text) is None)


@given(_TEXTS, st.integers(0, 40), st.integers(0, 40))
def test_what_is_cut_anywhere_is_found_by_both(text: bytes, start: int, end: int) -> None:
    """Tokens that are a letter too short, boundaries that are gone: where the two would differ first."""
    part = text[start : len(text) - end].replace(b"\x00", b"")
    assert _ALL.finds_nothing(part) == (_ALL.match(part) is None)


@given(
    st.lists(st.text(min_size=1, max_size=6).filter(lambda name: normalize(name).strip("_")), min_size=1, max_size=3),
    st.sampled_from(["=", '": "', ": ", " ", '"]']),
    st.integers(0, 2),
)
@example(names=["a<b>"], sign="=", index=0)
@example(names=["\\w"], sign="=", index=0)
@example(names=["\\s&&[x]--~~"], sign="=", index=0)
def test_names_of_any_signs_are_found(names: list[str], sign: str, index: int) -> None:
    """A backslash, a bracket or a `<` in a user's own name means itself to both engines."""
    extra = [normalize(name).strip("_") for name in names]
    detector = secrets.Detector(secrets.name_pattern(extra))
    text = f"{extra[index % len(extra)]}{sign}x".encode()

    assert (detector.match(text) is None) >= detector.finds_nothing(text)
    if sign == "=" and b"\x00" not in text:
        assert detector.match(text) is not None


def test_a_long_text_is_left_to_re2() -> None:
    """There the time of the search outweighs what the lock costs."""
    assert _ALL.finds_nothing(b"a " * 4_000)
    assert not _ALL.finds_nothing(b"a " * 80_000)
    assert _ALL.match(b"a " * 80_000) is None


@pytest.mark.parametrize("pattern", ["(?:" + "[a-z]{999}" * 500 + ")", "(?P<a", r"\k<a>"])
def test_what_the_quick_look_cannot_compile_it_never_passes(pattern: str) -> None:
    """Then every text goes to RE2."""
    assert not QuickLook([pattern]).finds_nothing(b"harmless")


def test_a_set_names_the_patterns_that_it_finds() -> None:
    """By their index, all of them."""
    both = ExpressionSet(["a+b", "b[0-9]", "x"])

    assert sorted(both.match(b"aab1") or ()) == [0, 1]
    assert both.match(b"nothing") is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_searches_with_expressions_of_its_own() -> None:
    """What the parent has compiled may be locked for ever in a forked child; it is not even freed there."""
    one, several = Expression(b"a(b)"), ExpressionSet(["a", "b"])
    child = os.fork()
    if child == 0:
        found = [match.span(1) for match in one.finditer(b"ab ab")]
        os._exit(0 if found == [(1, 2), (4, 5)] and several.match(b"b") == [1] else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
