"""TaskBook: the tasks of a store as they stand now, with what is still on its way there from the spool."""

from __future__ import annotations

from dataclasses import replace
from heapq import merge as merge_sorted
from itertools import chain
from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import TASK_ID, TASK_PARENT_ID, TASK_STATUS
from otel_agenttrace.errors import DecodeError, StoreUnavailableError, TaskNotFoundError
from otel_agenttrace.model.codec import deserialize
from otel_agenttrace.model.merge import greater
from otel_agenttrace.model.task import task_of
from otel_agenttrace.spool.directory import list_logs
from otel_agenttrace.spool.reader import LogReader
from otel_agenttrace.spool.trace_records import passed_seq
from otel_agenttrace.stores.api import AttributeFilter, SpanQuery, span_cursor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from otel_agenttrace.model.codec import SerializedSpan
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.model.task import Task
    from otel_agenttrace.spool.segment_reader import Entry
    from otel_agenttrace.stores.api import SpanStore

_PAGE = 200
_MAX_WAITING_BYTES = 1 << 28
_MARK = b'"%b"' % TASK_STATUS.encode()
_IS_TASK = AttributeFilter(TASK_STATUS, "exists")


def read_waiting_tasks(spool_dirs: Iterable[Path], store_name: str) -> list[SpanRecord]:
    """The task spans in the logs of all processes, living ones too, that a store has not got yet.

    To be called before the store is read, so that nothing slips through in between.

    Args:
        spool_dirs: where the logs are; they need not exist.
        store_name: of the store as a target.

    Raises:
        StoreUnavailableError: more waits for the store than can be looked at, or a log cannot be read.
    """
    found: list[SpanRecord] = []
    room = _MAX_WAITING_BYTES
    for log_dir in _logs(spool_dirs):
        try:
            for entry in _waiting_entries(log_dir, store_name):
                room -= len(entry.span.span)
                if room < 0:
                    raise StoreUnavailableError("too much waits for the store to tell where tasks stand: see `spool`")
                if _MARK in entry.span.span and (record := _decoded(entry.span)) is not None:
                    found.append(record)
        except OSError as error:
            if log_dir.exists():  # else the store has all of it
                raise StoreUnavailableError(f"{log_dir} cannot be read: {error.strerror or error}") from error
    return found


def _logs(spool_dirs: Iterable[Path]) -> list[Path]:
    try:
        return [path for spool_dir in spool_dirs for path in list_logs(spool_dir)]
    except OSError as error:
        raise StoreUnavailableError(f"the spool cannot be read: {error.strerror or error}") from error


def _waiting_entries(log_dir: Path, store_name: str) -> Iterator[Entry]:
    after_seq = passed_seq(log_dir, store_name)
    return iter(()) if after_seq is None else LogReader(log_dir, after_seq, tell=lambda _: None).entries()


class TaskBook:
    """Finds tasks. Of several task spans with one id, the one that started last is meant.

    Args:
        store: the store.
        waiting: what waits for it, as `read_waiting_tasks` gives it.
    """

    def __init__(self, store: SpanStore, waiting: Sequence[SpanRecord] = ()) -> None:
        self._store = store
        self._waiting: dict[tuple[str, str, int], SpanRecord] = {}
        for record in waiting:
            known = self._waiting.get(record.identity)
            self._waiting[record.identity] = record if known is None else greater(known, record)

    @property
    def url(self) -> str:
        """The store's."""
        return self._store.url

    def get(self, task_id: str) -> Task:
        """Return a task.

        Raises:
            TaskNotFoundError: there is none of this id.
        """
        task = self.find(task_id)
        if task is None:
            raise TaskNotFoundError(f"there is no task {task_id} in {self._store.url}")
        return task

    def find(self, task_id: str) -> Task | None:
        """Return a task, if there is one of this id."""
        found = [task for task in self._walk(AttributeFilter(TASK_ID, "=", task_id)) if task.id == task_id]
        return max(found, key=lambda task: task.record.start_time_unix_nano, default=None)

    def children(self, task: Task) -> list[Task]:
        """Return the tasks that have a task as their parent, by their start."""
        above = task.record
        found = [
            child
            for child in self._walk(AttributeFilter(TASK_PARENT_ID, "=", task.id))
            if child.record.trace_id == above.trace_id and _may_be_below(child.record, above)
        ]
        return sorted(found, key=lambda child: (child.record.start_time_unix_nano, child.id))

    def walk(self, *, since: int | None = None, until: int | None = None) -> Iterator[Task]:
        """Yield all tasks that started in a time, unix nanoseconds, the one started last first."""
        for task in self._walk(None, since=since, until=until):
            start = task.record.start_time_unix_nano
            if (since is None or start >= since) and (until is None or start < until):
                yield task

    def _walk(
        self, condition: AttributeFilter | None, *, since: int | None = None, until: int | None = None
    ) -> Iterator[Task]:
        conditions = (_IS_TASK,) if condition is None else (condition, _IS_TASK)
        query = SpanQuery(attributes=conditions, started_from=since, started_to=until, limit=_PAGE, order="start_desc")
        not_stored = [
            record
            for record in self._waiting.values()
            if (condition is None or record.attributes.get(condition.key) == condition.value)
            and not self._is_stored(record)
        ]
        stored = map(self._latest, chain.from_iterable(self._pages(query)))
        for record in merge_sorted(sorted(not_stored, key=_newest_first), stored, key=_newest_first):
            if (task := task_of(record)) is not None:
                yield task

    def _pages(self, query: SpanQuery) -> Iterator[list[SpanRecord]]:
        while page := self._store.find_spans(query):
            yield page
            query = replace(query, after=span_cursor(page[-1]))

    def _latest(self, stored: SpanRecord) -> SpanRecord:
        waiting = self._waiting.get(stored.identity)
        return stored if waiting is None else greater(stored, waiting)

    def _is_stored(self, record: SpanRecord) -> bool:
        start = record.start_time_unix_nano
        query = SpanQuery(
            trace_id=record.trace_id, span_id=record.span_id, started_from=start, started_to=start + 1, limit=1
        )
        return bool(self._store.find_spans(query))


def _newest_first(record: SpanRecord) -> int:
    return -record.start_time_unix_nano


def _decoded(span: SerializedSpan) -> SpanRecord | None:
    try:
        return deserialize(span)
    except DecodeError:
        return None  # told by those who deliver it


def _may_be_below(child: SpanRecord, above: SpanRecord) -> bool:
    """Not so for the children of an earlier task of the same id; other spans may lie between the two."""
    return child.parent_span_id == above.span_id or child.start_time_unix_nano >= above.start_time_unix_nano
