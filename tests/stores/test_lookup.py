"""Ids as they are typed and as they are shown."""

from __future__ import annotations

import pytest

from otel_agenttrace.errors import TraceNotFoundError
from otel_agenttrace.stores.lookup import complete_session_id, complete_trace_id, short_ids, split_failure_id
from otel_agenttrace.stores.memory import MemorySpanStore
from otel_agenttrace.testing.spans import make_span

FIRST = "0199c2f4a0b17c3d8e5f60718293a4b5"
SECOND = "0199c2f4a0b1ffffffffffffffffffff"
UUID = "0199c2f4-a0b1-7c3d-8e5f-60718293a4b5"


def make_store(*traces: tuple[str, str | None]) -> MemorySpanStore:
    """A store of traces, each with the session that it names."""
    store = MemorySpanStore()
    store.write_spans(
        [
            make_span(trace_id=trace_id, attributes={"session.id": session} if session else {})
            for trace_id, session in traces
        ]
    )
    return store


@pytest.mark.parametrize(
    "text", [FIRST, FIRST[:13], FIRST[:13].upper(), f" {FIRST[:13]} ", f"{FIRST[:13]}…", f"{FIRST[:13]}..."]
)
def test_a_trace_id_may_be_shortened_while_unique(text: str) -> None:
    """Whole, or its first digits in any case, with or without the dots that stand for the rest."""
    assert complete_trace_id(make_store((FIRST, None), (SECOND, None)), text) == FIRST


def test_an_ambiguous_trace_id_names_what_it_fits() -> None:
    """Nothing is guessed."""
    with pytest.raises(TraceNotFoundError, match=f"'0199' fits more than one trace: {FIRST}, {SECOND}; type more"):
        complete_trace_id(make_store((FIRST, None), (SECOND, None)), "0199")


@pytest.mark.parametrize("text", ["", " ", "…", "xyz", "0199-a7", "ffff", FIRST + "0", UUID, "%", "0199c2f4_", "*"])
def test_an_unknown_trace_id_is_an_error(text: str) -> None:
    """No text of another form finds anything."""
    with pytest.raises(TraceNotFoundError):
        complete_trace_id(make_store((FIRST, None)), text)


def test_a_session_is_no_trace() -> None:
    """A session's id that looks like a trace's does not stand in the way, nor is it found."""
    store = make_store((FIRST, "0199c2f4" + "e" * 24))

    assert complete_trace_id(store, "0199c2f4") == FIRST
    with pytest.raises(TraceNotFoundError):
        complete_trace_id(store, "0199c2f4e")
    assert complete_session_id(store, "0199c2f4") == "0199c2f4" + "e" * 24


@pytest.mark.parametrize("text", ["chat-7", "chat"])
def test_a_whole_session_id_wins(text: str) -> None:
    """An id that is also the beginning of another is itself."""
    assert complete_session_id(make_store((FIRST, "chat"), (SECOND, "chat-7")), text) == text


def test_session_ids_may_be_shortened() -> None:
    """As trace ids may; a trace without a session is one."""
    store = make_store((FIRST, "Chat with Ärzte"), (SECOND, None))

    assert complete_session_id(store, "Chat with Ä") == "Chat with Ärzte"
    assert complete_session_id(store, "0199") == SECOND
    for text in ("", "chat", "…"):
        with pytest.raises(TraceNotFoundError, match="no session"):
            complete_session_id(store, text)


def test_many_candidates_are_not_all_named() -> None:
    """An error stays readable."""
    store = make_store(*((f"0199{number:028x}", None) for number in range(80)))

    with pytest.raises(TraceNotFoundError, match=r"(0199\w+, ){5}\.\.\.; type more of it"):
        complete_trace_id(store, "0199")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (f"{FIRST}-a77f14b0c1d2e3f4", (FIRST, "a77f14b0c1d2e3f4")),
        ("0199c2f4…-a77f14b0", ("0199c2f4", "a77f14b0")),
        (" 0199C2F4...-A77F14B0… ", ("0199c2f4", "a77f14b0")),
        ("0199c2f4", ("0199c2f4", "")),
        ("run-42", None),
        (UUID, None),
        ("", None),
        ("-", None),
    ],
)
def test_failure_ids_have_two_parts(text: str, parts: tuple[str, str] | None) -> None:
    """Whole or shortened; an id of another form has none."""
    assert split_failure_id(text) == parts


def test_short_ids_are_unique_in_the_store() -> None:
    """All of a list have one length, and what is shown can be typed."""
    other = "ffffffffffff7c3d8e5f60718293a4b5"
    store = make_store((FIRST, UUID), (other, None))
    assert short_ids(store, [FIRST, other, UUID, "chat-7"]) == {
        FIRST: FIRST[:8],
        other: other[:8],
        UUID: UUID[:8],
        "chat-7": "chat-7",
    }

    store.write_spans([make_span(trace_id=SECOND)])
    short = short_ids(store, [FIRST, other])
    assert short == {FIRST: FIRST[:16], other: other[:16]}
    assert [complete_trace_id(store, text) for text in short.values()] == [FIRST, other]

    twin = FIRST[:-1] + "0"
    store.write_spans([make_span(trace_id=twin)])
    assert short_ids(store, [FIRST]) == {FIRST: FIRST}
    assert short_ids(store, []) == {}
