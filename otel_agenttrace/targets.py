"""Where recorded spans go: to the store, and to each exporter, through the spool."""

from __future__ import annotations

import logging
import sys
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from opentelemetry.sdk.trace.export import ConsoleSpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_agenttrace.errors import ConfigError
from otel_agenttrace.exporters.forward import Forward
from otel_agenttrace.exporters.jsonl import JsonlSpanExporter
from otel_agenttrace.exporters.names import (
    STORE_NAME,
    check_name,
    create_exporter,
    destination,
    existing_exporters,
    names_from_endpoints,
)
from otel_agenttrace.exporters.spooled_store import SpooledStore
from otel_agenttrace.exporters.staged import StagedSpanExporter
from otel_agenttrace.exporters.store import StoreSpanExporter
from otel_agenttrace.notice import shown_url
from otel_agenttrace.provider import service_name_of
from otel_agenttrace.spool.places import SpoolPlace, spool_place
from otel_agenttrace.stores.lazy import LazyStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

    from otel_agenttrace.config import TracingConfig
    from otel_agenttrace.spool.target import SpoolTarget

_LOG = logging.getLogger("otel_agenttrace")


class Target(NamedTuple):
    """One place that spans go to.

    Attributes:
        label: what the line at start calls it.
        spooled: the place, as the spool knows it.
        keeps_content: whether messages, arguments and results go there, too.
        is_by_name: whether a command can send there, too, with the same environment; not so of an exporter object.
    """

    label: str
    spooled: SpoolTarget
    keeps_content: bool
    is_by_name: bool = True


class Targets(NamedTuple):
    """All places that the spans of a process go to.

    Attributes:
        all: the store first.
        store: the store, if there is one.
        place: where the spool is.
    """

    all: tuple[Target, ...]
    store: LazyStore | None
    place: SpoolPlace


class TargetBuilder:
    """Makes the targets that a configuration asks for. What cannot be made is logged, and the others go on.

    Args:
        config: what was asked for.
        provider: whose spans will come; where it exports to already is not added again.
    """

    def __init__(self, config: TracingConfig, provider: TracerProvider) -> None:
        self._config = config
        self._provider = provider
        self._taken = {destination(exporter) for exporter in existing_exporters(provider)}
        self._names: set[str] = set()

    def build(self) -> Targets:
        """Return the targets; the console when there would be no other and nothing exports yet.

        Raises:
            ConfigError: an argument names a store or an exporter that is not known.
        """
        exporters = [wanted for wanted in self._wanted_exporters() if self._is_known(wanted)]
        store = self._store()
        place = spool_place(None if store is None else store.url, self._config.spool_dir)
        targets = [] if store is None else [self._store_target(store, place)]
        for wanted in exporters:
            targets += self._exporter_targets(wanted)
        is_asked_for_nothing = self._config.store is None and self._config.exporters is None
        if not targets and not self._taken and is_asked_for_nothing:
            targets += self._exporter_targets("console")
        return Targets(tuple(targets), store, place)

    def _store(self) -> LazyStore | None:
        if self._config.store is None and STORE_NAME not in (self._config.exporters or ()):
            return None
        # A store from the environment is left to open_store, whose errors then name the variable.
        wanted = self._config.store if "store" in self._config.given else None
        store = LazyStore(wanted or "auto", survives_power_cut=self._config.durability == "power")
        try:
            store.open()
        except ConfigError as error:
            self._config.refuse("store", error)
            return None
        except Exception as error:  # noqa: BLE001 - a driver's own; the agent goes on, and spans wait in the spool
            _LOG.error("the store %s cannot be opened: %s", shown_url(store.url), error)
        self._taken.add(destination(store))
        return store

    def _store_target(self, store: LazyStore, place: SpoolPlace) -> Target:
        # One in memory is gone with its process, and so is what could be written to it.
        is_lasting = not store.url.startswith("memory")
        target = SpooledStore(place.store_name, store, is_lasting=is_lasting)
        return Target(shown_url(store.url), target, self._config.keeps_content("store"))

    def _wanted_exporters(self) -> list[str | SpanExporter]:
        exporters = self._config.exporters
        wanted = names_from_endpoints() if exporters is None else exporters
        return [exporter for exporter in wanted if exporter != STORE_NAME]

    def _is_known(self, wanted: str | SpanExporter) -> bool:
        try:
            if isinstance(wanted, str):
                check_name(wanted)
        except ConfigError as error:
            self._config.refuse("exporters", error)
            return False
        return True

    def _exporter_targets(self, wanted: str | SpanExporter) -> Iterator[Target]:
        label = wanted if isinstance(wanted, str) else type(wanted).__name__
        exporter = self._create(wanted) if isinstance(wanted, str) else wanted
        if exporter is None:
            return
        place = destination(exporter)
        if place in self._taken:
            _LOG.info("exporter %s is not added: its destination is exported to already", label)
            return
        self._taken.add(place)
        make = partial(create_exporter, wanted, self._provider) if isinstance(wanted, str) else None
        target = self._spooled(label, exporter, make)
        is_by_name = make is not None or isinstance(target, SpooledStore)
        yield Target(label, target, self._config.keeps_content(label), is_by_name)

    def _spooled(self, label: str, exporter: SpanExporter, make: Callable[[], SpanExporter] | None) -> SpoolTarget:
        if isinstance(exporter, StoreSpanExporter):
            store = exporter.store
            return SpooledStore(self._unlike(spool_place(store.url, self._config.spool_dir).store_name), store)
        inner = exporter.exporter if isinstance(exporter, StagedSpanExporter) else exporter
        is_lasting = not isinstance(inner, (ConsoleSpanExporter, InMemorySpanExporter))
        name = target_name(label, inner, service_name_of(self._provider)) if is_lasting else label
        return Forward(self._unlike(name), inner, make_exporter=make, is_lasting=is_lasting)

    def _unlike(self, name: str) -> str:
        """The name; with a number where another target of this process has it."""
        unlike, count = name, 1
        while unlike in self._names:
            count += 1
            unlike = f"{name}#{count}"
        self._names.add(unlike)
        return unlike

    def _create(self, name: str) -> SpanExporter | None:
        try:
            return create_exporter(name, self._provider)
        except Exception as error:  # noqa: BLE001 - a missing extra, or whatever an exporter says of its environment
            _LOG.error("exporter %s is left out: %s", name, error)
            return None


def target_name(label: str, exporter: SpanExporter, service_name: str) -> str:
    """What the spool calls an exporter: e.g. `otlp@localhost:4317`, or `MyExporter@shop`.

    What waits for one endpoint is never sent to another, so the name holds the endpoint; of a key, and of a query,
    eight hex digits of its SHA-256. Where no endpoint can be seen, the name holds the service: another one's exporter
    of that class may belong to somebody else.
    """
    place = destination(exporter)
    if isinstance(exporter, JsonlSpanExporter):
        return f"{label}@{place}"
    if not (isinstance(place, tuple) and isinstance(place[0], str)):
        return f"{label}@{_known_service(service_name)}"
    endpoint, key = place
    try:
        parts = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}")
    except ValueError:
        return f"{label}@{_digits(endpoint)}"
    secret = f"{parts.query}{key}" if isinstance(key, str) else parts.query
    name = f"{label}@{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
    return f"{name}/{_digits(secret)}" if secret else name


def _known_service(service_name: str) -> str:
    """The service; with eight digits of the program's path where it has no name, as others have none either."""
    if service_name and not service_name.startswith("unknown_service"):
        return service_name
    program = getattr(sys.modules.get("__main__"), "__file__", None) or ""
    return f"unknown_service/{_digits(str(Path(program).absolute()))}"


def _digits(text: str) -> str:
    return sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
