"""MemorySpanStore: spans in a dict. The reference that other stores are compared with, and enough for tests."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from otel_agenttrace.errors import DecodeError, StoreRejectedError, StoreUnavailableError, TraceNotFoundError
from otel_agenttrace.model.codec import deserialize
from otel_agenttrace.model.merge import merge
from otel_agenttrace.model.record import session_id_of
from otel_agenttrace.model.verdicts import is_verdict
from otel_agenttrace.stores.api import Deleted, Operation, StoredTrace, StoreInfo, split_cursor
from otel_agenttrace.stores.forking import tell_about_forks
from otel_agenttrace.stores.limits import check_times
from otel_agenttrace.stores.matching import matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from otel_agenttrace.model.codec import SerializedSpan
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.stores.api import Order, SpanQuery

_Key: TypeAlias = "tuple[int, ...]"
_Item = TypeVar("_Item")


@dataclass(slots=True)
class _Entry:
    """One stored span; `sequence` counts the spans as they were first stored."""

    span: SpanRecord
    sequence: int
    conflict: bool = False


class MemorySpanStore:
    """Keeps spans in memory, for as long as the object lives.

    Args:
        url: what the store calls itself.
    """

    def __init__(self, url: str = "memory:") -> None:
        self.url = url
        self._traces: dict[str, dict[tuple[str, int], _Entry]] = {}
        self._settings: dict[str, str] = {}
        self._sequence = count(1)
        self._is_closed = False
        self._lock = threading.RLock()
        tell_about_forks(self)

    def write_spans(self, spans: Sequence[SpanRecord]) -> None:
        for span in spans:
            check_times(span.trace_id, span.span_id, span.start_time_unix_nano, span.end_time_unix_nano)
        with self._lock:
            self._check_open()
            for span in spans:
                self._write(span)

    def write_serialized(self, spans: Sequence[SerializedSpan]) -> None:
        try:
            records = [deserialize(span) for span in spans]
        except DecodeError as error:
            raise StoreRejectedError(str(error)) from error
        self.write_spans(records)

    def get_trace(self, trace_id: str) -> StoredTrace:
        entries = self._entries(trace_id)
        if not entries:
            raise TraceNotFoundError(f"no trace is stored under {trace_id!r}")
        spans = sorted((entry.span for entry in entries), key=lambda span: (span.start_time_unix_nano, span.span_id))
        conflicts = frozenset(entry.span.span_id for entry in entries if entry.conflict)
        return StoredTrace(trace_id, tuple(spans), conflicts)

    def find_spans(self, query: SpanQuery) -> list[SpanRecord]:
        placed = [(_key(entry, query.order), entry.span) for entry in self._matching(query)]
        after = None if query.after is None else self._span_position(query.after, query.order)
        return _page(placed, query, after)

    def find_trace_ids(self, query: SpanQuery) -> list[str]:
        matching: dict[str, list[_Entry]] = defaultdict(list)
        for entry in self._matching(query):
            matching[entry.span.trace_id].append(entry)
        placed = [(_trace_position(entries, query.order), trace_id) for trace_id, entries in matching.items()]
        after = None
        if query.after is not None:
            last = matching.get(query.after) or self._entries(query.after)
            if not last:
                raise TraceNotFoundError(f"no trace is stored under {query.after!r}")
            after = _trace_position(last, query.order)
        return _page(placed, query, after)

    def find_session_ids(self, query: SpanQuery) -> list[str]:
        placed: list[tuple[tuple[int, str], str]] = []
        after = None
        for session_id, entries in self._sessions().items():
            starts = [entry.span.start_time_unix_nano for entry in entries]
            position = (-min(entry.sequence for entry in entries), session_id)
            if session_id == query.after:
                after = position
            if (query.started_from is None or max(starts) >= query.started_from) and (
                query.started_to is None or min(starts) < query.started_to
            ):
                placed.append((position, session_id))
        if query.after is not None and after is None:
            raise TraceNotFoundError(f"no session is stored under {query.after!r}")
        found = [session_id for position, session_id in sorted(placed) if after is None or position > after]
        return found[: max(query.limit, 0)]

    def find_session_trace_ids(self, session_id: str) -> list[str]:
        entries = self._sessions().get(session_id, [])
        return list(dict.fromkeys(entry.span.trace_id for entry in sorted(entries, key=lambda entry: entry.sequence)))

    def find_operations(self) -> list[Operation]:
        spans = [entry.span for entry in self._entries()]
        found = {(span.resource.service_name, span.name, span.kind) for span in spans}
        return [Operation(*operation) for operation in sorted(found)]

    def complete_id(self, prefix: str, *, limit: int = 10) -> list[str]:
        with self._lock:
            self._check_open()
            ids = self._traces.keys() | self._sessions().keys()
        return sorted(found for found in ids if found.startswith(prefix))[: max(limit, 0)]

    def delete_traces(self, trace_ids: Sequence[str]) -> Deleted:
        with self._lock:
            self._check_open()
            deleted = [self._traces.pop(trace_id) for trace_id in set(trace_ids) if trace_id in self._traces]
        return Deleted(len(deleted), sum(map(len, deleted)))

    def get_setting(self, name: str) -> str | None:
        with self._lock:
            self._check_open()
            return self._settings.get(name)

    def set_setting(self, name: str, value: str) -> None:
        with self._lock:
            self._check_open()
            self._settings[name] = value

    def info(self) -> StoreInfo:
        entries = self._entries()
        starts = [entry.span.start_time_unix_nano for entry in entries]
        return StoreInfo(
            url=self.url,
            schema_version=0,
            spans=len(entries),
            traces=len({entry.span.trace_id for entry in entries}),
            sessions=len(self._sessions()),
            size_bytes=0,
            oldest_unix_nano=min(starts, default=None),
            newest_unix_nano=max(starts, default=None),
        )

    def check(self) -> list[str]:
        with self._lock:
            self._check_open()
        return []

    def survive_power_cuts(self) -> None:
        """Nothing to do: it does not survive its process either."""

    def close(self) -> None:
        self._is_closed = True

    def before_fork(self) -> None:
        self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        self._lock.release()

    def after_fork_in_child(self) -> None:
        self._lock = threading.RLock()

    def _check_open(self) -> None:
        if self._is_closed:
            raise StoreUnavailableError(f"{self.url} is closed")

    def _write(self, span: SpanRecord) -> None:
        entries = self._traces.setdefault(span.trace_id, {})
        key = (span.span_id, span.start_time_unix_nano)
        if key not in entries and is_verdict(span):
            key = _key_of_verdict(entries, span) or key
        kept = entries.pop(key, None)
        if kept is None:
            kept = _Entry(span, next(self._sequence))
        else:
            kept.span, kept.conflict = merge(kept.span, span, conflict=kept.conflict)
        entries[span.span_id, kept.span.start_time_unix_nano] = kept

    def _entries(self, trace_id: str | None = None) -> list[_Entry]:
        with self._lock:
            self._check_open()
            traces = self._traces.values() if trace_id is None else [self._traces.get(trace_id, {})]
            return [entry for trace in traces for entry in trace.values()]

    def _matching(self, query: SpanQuery) -> list[_Entry]:
        found = [entry for entry in self._entries() if matches(entry.span, query)]
        if query.session_id:
            traces = set(self.find_session_trace_ids(query.session_id))
            found = [entry for entry in found if entry.span.trace_id in traces]
        return found

    def _sessions(self) -> dict[str, list[_Entry]]:
        """The entries of all traces of each session."""
        sessions: dict[str, list[_Entry]] = defaultdict(list)
        with self._lock:
            self._check_open()
            for trace_id, entries in self._traces.items():
                named = {session_id_of(entry.span.attributes) for entry in entries.values()} - {None}
                for session_id in named or {trace_id}:
                    sessions[str(session_id)] += entries.values()
        return sessions

    def _span_position(self, cursor: str, order: Order) -> _Key:
        trace_id, span_id, start = split_cursor(cursor)
        entries = [
            entry
            for entry in self._entries(trace_id)
            if entry.span.span_id == span_id
            and (start in (None, entry.span.start_time_unix_nano) or is_verdict(entry.span))
        ]
        if not entries:
            raise TraceNotFoundError(f"no span is stored under {cursor!r}")
        keys = [_key(entry, order) for entry in entries]
        return min(keys) if order.endswith("_desc") else max(keys)


def _key_of_verdict(entries: Mapping[tuple[str, int], _Entry], verdict: SpanRecord) -> tuple[str, int] | None:
    """Under which key the verdict is kept that has this one's id, whenever it starts."""
    is_kept = (key for key, entry in entries.items() if key[0] == verdict.span_id and is_verdict(entry.span))
    return next(is_kept, None)


def _key(entry: _Entry, order: Order) -> _Key:
    """Where a span stands in ascending order."""
    if order.startswith("start"):
        return entry.span.start_time_unix_nano, entry.sequence
    if order.startswith("duration"):
        duration = entry.span.duration_nano
        return int(duration is not None), duration or 0, entry.sequence
    return (entry.sequence,)


def _trace_position(entries: Iterable[_Entry], order: Order) -> _Key:
    keys = [_key(entry, order) for entry in entries]
    return max(keys) if order.startswith("duration") else min(keys)


def _page(placed: list[tuple[_Key, _Item]], query: SpanQuery, after: _Key | None) -> list[_Item]:
    """The items of the page behind `after`, in the order of the query."""
    is_descending = query.order.endswith("_desc")
    placed.sort(key=lambda item: item[0], reverse=is_descending)
    if after is not None:
        placed = [item for item in placed if item[0] != after and (item[0] < after) is is_descending]
    return [item for _, item in placed[: max(query.limit, 0)]]
