"""Ids as people type them -> ids as they are stored, and back to short ones.

Time-ordered trace ids share their first digits with all that started within the same minute, so how short an id may
be depends on what else is stored. What is shown as short is unique at that moment; typed when it no longer is, it is
refused with the ids that it fits, never guessed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from otel_agenttrace.errors import TraceNotFoundError
from otel_agenttrace.stores.api import SpanQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from otel_agenttrace.stores.api import SpanStore

_TRACE_ID = re.compile("[0-9a-f]{32}")
_HEX = re.compile("[0-9a-f]{1,32}")
_FAILURE_ID = re.compile(r"([0-9a-f]{1,32})(?:…|\.\.\.)?(?:-([0-9a-f]{1,16})(?:…|\.\.\.)?)?")
_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TRACE_LENGTHS = (8, 12, 16, 20)
_UUID_LENGTHS = (8, 13, 18, 23)
_CANDIDATES = 50


def complete_trace_id(spans: SpanStore, text: str) -> str:
    """Return the id of the one stored trace whose id starts with `text`.

    Raises:
        TraceNotFoundError: there is none, or more than one.
    """
    return _only(complete_trace_ids(spans, text), text, "trace")


def complete_trace_ids(spans: SpanStore, text: str) -> list[str]:
    """Return the ids of the stored traces, 50 at most, whose ids start with `text`.

    Raises:
        TraceNotFoundError: `text` cannot be the start of a trace id.
    """
    prefix = _typed(text).lower()
    if not _HEX.fullmatch(prefix):
        raise TraceNotFoundError(f"not a trace id, whole or shortened: {text!r}")
    return _matching(spans, prefix, _is_trace)


def complete_session_id(spans: SpanStore, text: str) -> str:
    """Return the id of the one stored session whose id is, or else starts with, `text`.

    Raises:
        TraceNotFoundError: there is none, or more than one.
    """
    if text and _is_session(spans, text):
        return text
    prefix = _typed(text)
    return _only(_matching(spans, prefix, _is_session) if prefix else [], text, "session")


def split_failure_id(text: str) -> tuple[str, str] | None:
    """Split a failure id, whole or shortened (`0199c2f4…-a77f14b0`, `0199c2f4`), into prefixes of trace and span id.

    None for an id of another form, such as one that was given to `store_trace`.
    """
    match = _FAILURE_ID.fullmatch(text.strip().lower())
    return (match[1], match[2] or "") if match else None


def short_ids(spans: SpanStore, ids: Iterable[str]) -> dict[str, str]:
    """Return for each trace or session id the prefix to show for it, as short as is unique in the store.

    Trace ids are all cut to the same length, at least eight digits, and so are session ids that are UUIDs; a session
    id of another form stays whole.
    """
    wanted = list(dict.fromkeys(ids))
    short = {id_: id_ for id_ in wanted}
    for pattern, lengths in ((_TRACE_ID, _TRACE_LENGTHS), (_UUID, _UUID_LENGTHS)):
        alike = [id_ for id_ in wanted if pattern.fullmatch(id_)]
        length = next((length for length in lengths if _are_unique(spans, alike, length, pattern)), None)
        short.update((id_, id_[:length]) for id_ in alike)
    return short


def _are_unique(spans: SpanStore, ids: list[str], length: int, pattern: re.Pattern[str]) -> bool:
    """Whether each of the ids is the only one of its kind in the store that starts with its first digits."""
    return all(
        sum(bool(pattern.fullmatch(found)) for found in spans.complete_id(id_[:length], limit=_CANDIDATES)) == 1
        for id_ in ids
    )


def _typed(text: str) -> str:
    return text.strip().removesuffix("…").removesuffix("...")


def _matching(spans: SpanStore, prefix: str, exists: Callable[[SpanStore, str], bool]) -> list[str]:
    """The ids of one kind among those that start with `prefix`; the store does not tell traces from sessions."""
    return [found for found in spans.complete_id(prefix, limit=_CANDIDATES) if exists(spans, found)]


def _is_trace(spans: SpanStore, found: str) -> bool:
    return bool(_TRACE_ID.fullmatch(found) and spans.find_trace_ids(SpanQuery(trace_id=found, limit=1)))


def _is_session(spans: SpanStore, found: str) -> bool:
    return bool(spans.find_session_trace_ids(found))


def _only(found: list[str], text: str, noun: str) -> str:
    if len(found) == 1:
        return found[0]
    if not found:
        raise TraceNotFoundError(f"no {noun} is stored under {text!r}")
    named = ", ".join(found[:5]) + (", ..." if len(found) > 5 else "")
    raise TraceNotFoundError(f"{text!r} fits more than one {noun}: {named}; type more of it")
