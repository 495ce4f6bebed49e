"""Which spans are verdicts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from otel_agenttrace.model.record import ScopeRecord, SpanRecord
from otel_agenttrace.model.verdicts import is_verdict, newest_verdict
from otel_agenttrace.testing.spans import START, make_span

_VERDICT = make_span(name="agenttrace.verdict", scope=ScopeRecord("otel_agenttrace", "9.9"))


def _revision(number: int | str, **fields: Any) -> SpanRecord:
    return replace(_VERDICT, attributes={"agenttrace.revision": number}, **fields)


def test_a_verdict_is_known_by_its_name_and_its_scope() -> None:
    """Whatever the version; a span of somebody else's that has the name is none."""
    assert is_verdict(_VERDICT)
    assert not is_verdict(replace(_VERDICT, scope=ScopeRecord("somebody")))
    assert not is_verdict(replace(_VERDICT, name="agenttrace.verdicts"))


def test_the_newest_verdict_was_made_from_most() -> None:
    """By its revision, not by its time; where those are equal by its content, so that the order does not matter."""
    old = _revision(3, start_time_unix_nano=START + 5)
    new = _revision(4)
    alike = [_revision(3, status_message="a"), _revision(3, status_message="b")]

    assert newest_verdict([]) is None
    assert newest_verdict([old]) is old
    assert newest_verdict([new, old]) == new
    assert newest_verdict([old, new]) == new
    assert newest_verdict(alike) == newest_verdict(alike[::-1])
    assert newest_verdict([_revision("9"), old]) == old
