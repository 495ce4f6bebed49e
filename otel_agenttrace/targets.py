"""Where recorded spans go: one queue for the store, one for each exporter."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otel_agenttrace.errors import ConfigError
from otel_agenttrace.exporters.names import (
    STORE_NAME,
    check_name,
    create_exporter,
    destination,
    existing_exporters,
    names_from_endpoints,
)
from otel_agenttrace.exporters.staged import StagedSpanExporter
from otel_agenttrace.exporters.store import StoreSpanExporter
from otel_agenttrace.instrument.faults import contained
from otel_agenttrace.notice import shown_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

    from otel_agenttrace.config import TracingConfig
    from otel_agenttrace.losses import LossLog
    from otel_agenttrace.processors.intake import Intake

_LOG = logging.getLogger("otel_agenttrace")


class Target(NamedTuple):
    """One place that spans go to. `label` is what the line at start calls it."""

    label: str
    exporter: StoreSpanExporter | StagedSpanExporter
    queue: BatchSpanProcessor


class TargetBuilder:
    """Makes the targets that a configuration asks for. What cannot be made is logged, and the others go on.

    Args:
        config: what was asked for.
        provider: whose spans will come; where it exports to already is not added again.
        intake: redaction, limits and stages, shared by all targets.
        losses: where all targets count what they could not deliver.
    """

    def __init__(
        self,
        config: TracingConfig,
        provider: TracerProvider,
        intake: Intake,
        losses: LossLog,
    ) -> None:
        self._config = config
        self._provider = provider
        self._intake = intake
        self._losses = losses
        self._taken = {destination(_opened(exporter)) for exporter in existing_exporters(provider)}

    def build(self) -> list[Target]:
        """Return the targets, the store first; the console when there would be no other and nothing exports yet.

        Raises:
            ConfigError: an argument names a store or an exporter that is not known.
        """
        exporters = [wanted for wanted in self._wanted_exporters() if self._is_known(wanted)]
        targets = [*self._store_targets()]
        for wanted in exporters:
            targets += self._exporter_targets(wanted)
        is_asked_for_nothing = self._config.store is None and self._config.exporters is None
        if not targets and not self._taken and is_asked_for_nothing:
            targets += self._exporter_targets("console")
        return targets

    def _store_targets(self) -> Iterator[Target]:
        if self._config.store is None and STORE_NAME not in (self._config.exporters or ()):
            return
        # A store from the environment is left to open_store, whose errors then name the variable.
        store = self._config.store if "store" in self._config.given else None
        exporter = StoreSpanExporter(
            store or "auto",
            self._intake,
            content=self._config.keeps_content("store"),
            losses=self._losses,
        )
        try:
            exporter.open()
        except ConfigError as error:
            self._config.refuse("store", error)
            return
        except Exception as error:  # noqa: BLE001 - a driver's own; the agent goes on, and each batch tries again
            _LOG.error("the store %s cannot be opened: %s", shown_url(exporter.url), error)
        if destination(exporter) not in self._taken:
            self._taken.add(destination(exporter))
            yield Target(shown_url(exporter.url), exporter, _queue(exporter))

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
        name = wanted if isinstance(wanted, str) else type(wanted).__name__
        exporter = self._create(wanted) if isinstance(wanted, str) else wanted
        if exporter is None:
            return
        if destination(exporter) in self._taken:
            _LOG.info("exporter %s is not added: its destination is exported to already", name)
            return
        self._taken.add(destination(exporter))
        if isinstance(exporter, (StoreSpanExporter, StagedSpanExporter)):
            exporter.losses = self._losses
            yield Target(name, exporter, _queue(exporter))
            return
        staged = StagedSpanExporter(
            exporter,
            self._intake,
            content=self._config.keeps_content(name),
            losses=self._losses,
        )
        yield Target(name, staged, _queue(staged))

    def _create(self, name: str) -> SpanExporter | None:
        try:
            return create_exporter(name, self._provider)
        except Exception as error:  # noqa: BLE001 - a missing extra, or whatever an exporter says of its environment
            _LOG.error("exporter %s is left out: %s", name, error)
            return None


def _opened(exporter: SpanExporter) -> SpanExporter:
    """The exporter; one of ours to a store has opened it, so that it can say where that is."""
    if isinstance(exporter, StoreSpanExporter):
        with contained("open the store of an existing exporter"):
            exporter.open()
    return exporter


def _queue(exporter: SpanExporter) -> BatchSpanProcessor:
    try:
        return BatchSpanProcessor(exporter)
    except ValueError as error:
        _LOG.error("OTEL_BSP_*: %s The SDK's defaults are used.", error)
        return BatchSpanProcessor(exporter, max_queue_size=2048, schedule_delay_millis=5000, max_export_batch_size=512)
