"""Tasks driven from outside: where a command reads them, and how what it writes gets to the store and to exporters.

A command is a process like any other: it appends to a spool log of its own, and leaves that to whoever comes next,
which is mostly itself. So a command that is killed at any point has either recorded its change or not, and a store that
is locked or away gets it later, as do exporters.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.resources import SERVICE_NAME
from opentelemetry.trace import SpanContext, TraceFlags, TraceState

from otel_agenttrace.config import resolve_config
from otel_agenttrace.contract.attributes import TASK_ID
from otel_agenttrace.contract.registry import load_registry
from otel_agenttrace.contract.validate import Contract
from otel_agenttrace.delivering import deliver_dead_logs, place_of
from otel_agenttrace.errors import ConfigError, StoreUnavailableError, TaskStateError
from otel_agenttrace.instrument.inherited import INHERITABLE
from otel_agenttrace.instrument.spans import SCOPE_NAME
from otel_agenttrace.instrument.task_lookup import KnownTask
from otel_agenttrace.model.codec import deserialize, serialize_record
from otel_agenttrace.model.record import ResourceRecord, ScopeRecord
from otel_agenttrace.processors.intake import Intake
from otel_agenttrace.processors.origins import UNKNOWN
from otel_agenttrace.provider import create_provider
from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.places import spool_directories, usable
from otel_agenttrace.spool.trace_records import passed_seq
from otel_agenttrace.stores.memory import MemorySpanStore
from otel_agenttrace.stores.open import open_span_store, resolve_url
from otel_agenttrace.targets import TargetBuilder
from otel_agenttrace.together import run_together
from otel_agenttrace.workflow.task_book import TaskBook, read_waiting_tasks
from otel_agenttrace.workflow.task_lock import task_lock
from otel_agenttrace.workflow.tasks import TaskBoard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import TracerProvider

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.model.task import Task
    from otel_agenttrace.spool.config import Durability
    from otel_agenttrace.spool.places import SpoolPlace
    from otel_agenttrace.stores.api import SpanStore
    from otel_agenttrace.stores.lazy import LazyStore
    from otel_agenttrace.targets import Target
    from otel_agenttrace.workflow.task_drafts import TaskFacts

_SERVICE = "agenttrace"
"""`service.name` of tasks that commands start, where nothing names another."""

_LOCK_TIMEOUT_S = 10.0
_DELIVERY_TIMEOUT_S = 3.0
_FORWARD_TIMEOUT_S = 2.0
_LOOK_UP_TIMEOUT_S = 2.0


@contextmanager
def driven_tasks(store_url: str | None = None) -> Iterator[tuple[TaskBoard, SpooledTasks]]:
    """The tasks of a store, to be changed, and their place; what was changed is delivered when the block is left.

    Args:
        store_url: as for `open_store`.

    Raises:
        ConfigError: the URL is not accepted, or the store ends with this process.
        StoreUnavailableError: the tasks cannot be read or kept.
        StoreRejectedError: the store is damaged.
    """
    place = SpooledTasks(store_url)
    try:
        yield TaskBoard(place), place
    finally:
        place.deliver(_DELIVERY_TIMEOUT_S)


@contextmanager
def task_book(store_url: str | None = None) -> Iterator[TaskBook]:
    """The tasks of a store, to be read. Raises as `driven_tasks` does."""
    place = _place(store_url)
    waiting = read_waiting_tasks(_directories(place), place.store_name)
    with closing(_open(store_url)) as store:
        yield TaskBook(store, waiting)


def find_known_task(store: LazyStore, place: SpoolPlace, task_id: str) -> KnownTask | None:
    """Look up a task for a process that starts another one below it, or depends on it.

    Args:
        store: the store of that process.
        place: its spool.
        task_id: the task.

    Raises:
        StoreError: it cannot be told in time whether there is one.
    """
    found: list[Task | None] = []

    def look() -> None:
        waiting = read_waiting_tasks(_directories(place), place.store_name)
        found.append(TaskBook(store.open().spans, waiting).find(task_id))

    run_together([look], _LOOK_UP_TIMEOUT_S)
    if not found:
        raise StoreUnavailableError(f"the store does not tell whether there is a task {task_id}")
    return None if found[0] is None else _known(found[0])


def _known(task: Task) -> KnownTask:
    span = task.record
    context = SpanContext(
        int(span.trace_id, 16),
        int(span.span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(span.flags & 0xFF),
        trace_state=TraceState.from_header([span.trace_state]),
    )
    return KnownTask(
        task.id,
        task.standing,
        is_open=task.is_open,
        span_context=context,
        depends_on=task.depends_on,
        parent_id=task.parent_id or None,
        attributes={name: span.attributes[name] for name in INHERITABLE if name in span.attributes and name != TASK_ID},
    )


class SpooledTasks:
    """Where the tasks of one store are read, with what waits in its spool, and written: to the spool.

    Args:
        store_url: as for `open_store`.

    Attributes:
        is_waiting: whether, after `deliver`, something that was written is in the spool, and not in the store.
    """

    def __init__(self, store_url: str | None) -> None:
        self.is_waiting = False
        self._store_url = store_url
        self._config = resolve_config({})
        self._place = usable(_place(store_url))
        self._written: list[Path] = []
        self._has_ended_spans = False

    @cached_property
    def resource(self) -> ResourceRecord:
        """See TaskPlace."""
        found = self._provider.resource
        attributes: dict[str, Any] = dict(found.attributes)
        if str(attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
            attributes[SERVICE_NAME] = _SERVICE
        return ResourceRecord(attributes, found.schema_url or "")

    @property
    def scope(self) -> ScopeRecord:
        """See TaskPlace."""
        return ScopeRecord(SCOPE_NAME, version("otel-agenttrace"))

    @property
    def project_id(self) -> str:
        """See TaskPlace."""
        return self._config.project or self.resource.service_name

    @contextmanager
    def changing(self) -> Iterator[TaskBook]:
        """See TaskPlace.

        Raises:
            StoreUnavailableError: the tasks cannot be read, or somebody else changes them for too long.
        """
        _ = self.resource, self._intake, self._forwards  # made now, lest others wait for that as well
        with task_lock(self._place, _LOCK_TIMEOUT_S), task_book(self._store_url) as book:
            yield book

    def write(self, record: SpanRecord) -> SpanRecord:
        """See TaskPlace.

        Raises:
            StoreUnavailableError: the spool does not take it.
            TaskStateError: its id would not be recorded as it is, and nobody could find it again.
        """
        kept = self._intake.hidden(serialize_record(record))
        found = deserialize(kept)
        if found.attributes.get(TASK_ID) != record.attributes[TASK_ID]:
            raise TaskStateError(
                "the task's id is too long, or looks like a secret, and would not be recorded as it is"
            )
        kind = Kind.START if record.end_time_unix_nano is None else Kind.SPAN
        log = SpoolLog(self._spool_config, self._about(kind))
        try:
            if log.append(kind, kept, UNKNOWN if self._is_checked else b"") is None:
                raise StoreUnavailableError(
                    f"the task is not recorded: the spool {self._place.directory} takes nothing"
                )
            self._written += log.logs
            self._has_ended_spans = self._has_ended_spans or kind is Kind.SPAN
        finally:
            log.release()
        return found

    def check(self, facts: TaskFacts) -> None:
        """See TaskPlace."""
        facts.check(self._contract)

    def deliver(self, timeout_s: float) -> None:
        """Deliver what was written, and what other processes have left behind; the rest waits on disk.

        Exporters get what has ended, and two seconds.
        """
        if not self._written:
            return
        # The store first and by itself: an exporter that does not answer would hold up what is behind it.
        deliver_dead_logs(self._store_url, timeout_s)
        left = [path for path in self._written if path.exists()]
        self.is_waiting = any(passed_seq(path, self._place.store_name) == 0 for path in left)
        if self._has_ended_spans and self._forwards:
            self._deliver_forwards()

    def _deliver_forwards(self) -> None:
        forwards = [target.spooled for target in self._forwards]
        try:
            deliver_dead_logs(self._store_url, _FORWARD_TIMEOUT_S, forwards=forwards)
        finally:
            for target in forwards:
                target.close()

    @cached_property
    def _provider(self) -> TracerProvider:
        return create_provider(self._config)

    @cached_property
    def _intake(self) -> Intake:
        return Intake.from_config(self._config)

    @property
    def _is_checked(self) -> bool:
        return self._config.contract != "off"

    @cached_property
    def _contract(self) -> Contract | None:
        return Contract(load_registry(self._config.contract_file)) if self._is_checked else None

    @cached_property
    def _forwards(self) -> tuple[Target, ...]:
        """The exporters that `configure_tracing` would take from the environment."""
        config = replace(self._config, store=None)
        with suppress_instrumentation():
            targets = TargetBuilder(config, self._provider).build()
        return tuple(target for target in targets.all if target.spooled.is_lasting)

    def _about(self, kind: Kind) -> About:
        forwards = [target for target in self._forwards if kind is Kind.SPAN or target.spooled.takes_open]
        without_content = [target.spooled.name for target in forwards if not target.keeps_content]
        if not self._config.keeps_content("store"):
            without_content.append(self._place.store_name)
        return About(
            service_name=self.resource.service_name,
            version=version("otel-agenttrace"),
            targets=(self._place.store_name, *(target.spooled.name for target in forwards)),
            contract_file=self._intake.contract_file,
            without_content=tuple(without_content),
        )

    @property
    def _spool_config(self) -> SpoolConfig:
        durability: Durability = "power" if self._config.durability == "power" else "process"
        return SpoolConfig(self._place.directory, durability=durability, max_bytes=self._config.spool_max_bytes)


def _place(store_url: str | None) -> SpoolPlace:
    if resolve_url(store_url, setting="--store") == "memory:":
        raise ConfigError("--store: a store in memory ends with the command; tasks need one that lasts")
    return place_of(store_url, setting="--store")


def _directories(place: SpoolPlace) -> tuple[Path, ...]:
    return spool_directories(place.directory)


def _open(store_url: str | None) -> SpanStore:
    """The store, to be read; an empty one where there is none yet, since its first task may wait in the spool."""
    url = resolve_url(store_url, setting="--store")
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not path.exists():
        return MemorySpanStore(url=url)
    return open_span_store(url, read_only=True, setting="--store")
