"""From a configuration to a running recorder."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.instrumentation.utils import suppress_instrumentation

from otel_agenttrace.autoinstrument import check_names
from otel_agenttrace.flight import Flight
from otel_agenttrace.instrument.capture import CONTENT_VARIABLE
from otel_agenttrace.instrument.collect import SpanCollector, use_collector
from otel_agenttrace.instrument.task_lookup import use_task_finder
from otel_agenttrace.losses import LossLog
from otel_agenttrace.processors.intake import Intake
from otel_agenttrace.processors.recording import RecordingSpanProcessor
from otel_agenttrace.processors.spooling import SpoolWriter
from otel_agenttrace.processors.starts import start_rule
from otel_agenttrace.provider import create_provider, existing_provider, service_name_of, warn_about_reuse
from otel_agenttrace.recorder import Recorder, unsampled_count
from otel_agenttrace.spool.about import About
from otel_agenttrace.targets import TargetBuilder

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import TracerProvider

    from otel_agenttrace.config import TracingConfig
    from otel_agenttrace.instrument.task_lookup import KnownTask
    from otel_agenttrace.spool.places import SpoolPlace
    from otel_agenttrace.stores.lazy import LazyStore


def begin(config: TracingConfig) -> tuple[TracerProvider, Recorder]:
    """Record the spans of the global provider, which is made when there is none.

    Raises:
        ConfigError: an argument names something that is not known.
    """
    check_names(config)
    existing = existing_provider()
    if existing is not None:
        warn_about_reuse(existing, config)
    provider = existing or create_provider(config)
    losses = LossLog()
    intake = Intake.from_config(config, project=service_name_of(provider))
    collector = SpanCollector()
    with suppress_instrumentation():  # what a store or an exporter does to begin with is no work of the agent
        targets = TargetBuilder(config, provider).build()
        about = About(service_name=service_name_of(provider), contract_file=intake.contract_file)
        flight = Flight(config, targets, losses, about) if targets.all else None
    processor = RecordingSpanProcessor(
        collector,
        intake=intake,
        spool=None if flight is None else SpoolWriter(flight.log, flight.consumers),
        starts=start_rule(config.start_records),
        losses=losses,
    )
    if flight is not None:
        intake.count = flight.log.count
        flight.keep_counts(lambda: {"unsampled": unsampled_count(provider, processor)})
    provider.add_span_processor(processor)
    use_collector(provider, collector)
    if targets.store is not None:
        use_task_finder(partial(_find_task, targets.store, targets.place))
    if existing is None:
        trace.set_tracer_provider(provider)
    recorder = Recorder(config, provider, processor=processor, targets=targets, flight=flight, losses=losses)
    recorder.at_shutdown(partial(use_collector, provider, None))
    recorder.at_shutdown(partial(use_task_finder, None))
    recorder.at_shutdown(_keep_content(config))
    return provider, recorder


def _find_task(store: LazyStore, place: SpoolPlace, task_id: str) -> KnownTask | None:
    from otel_agenttrace.driving import find_known_task  # noqa: PLC0415 - what most agents never need

    return find_known_task(store, place, task_id)


def _keep_content(config: TracingConfig) -> Callable[[], object]:
    """Tell the instrumentors whether to keep content, unless somebody has told them; gives what takes it back.

    Unset, the variable means no content to them.
    """
    if os.environ.get(CONTENT_VARIABLE, "").strip():
        return lambda: None
    os.environ[CONTENT_VARIABLE] = "SPAN_ONLY" if config.content else "NO_CONTENT"
    return lambda: os.environ.pop(CONTENT_VARIABLE, None)
