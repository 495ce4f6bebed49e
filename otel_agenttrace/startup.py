"""From a configuration to a running recorder."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.instrumentation.utils import suppress_instrumentation

from otel_agenttrace.autoinstrument import check_names
from otel_agenttrace.exporters.names import existing_exporters
from otel_agenttrace.exporters.store import StoreSpanExporter
from otel_agenttrace.instrument.capture import CONTENT_VARIABLE
from otel_agenttrace.instrument.collect import SpanCollector, use_collector
from otel_agenttrace.losses import LossLog
from otel_agenttrace.notice import TraceTally
from otel_agenttrace.processors.intake import Intake
from otel_agenttrace.processors.recording import RecordingSpanProcessor
from otel_agenttrace.provider import create_provider, existing_provider, service_name_of, warn_about_reuse
from otel_agenttrace.recorder import Recorder
from otel_agenttrace.targets import TargetBuilder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

    from otel_agenttrace.config import TracingConfig
    from otel_agenttrace.targets import Target


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
    with suppress_instrumentation():  # what a store or an exporter does to begin with is no work of the agent
        targets = TargetBuilder(config, provider, intake, losses).build()
    collector = SpanCollector()
    processor = RecordingSpanProcessor(
        *(target.queue for target in targets),
        collector,
        intake=intake,
        on_overdue=_store_queue(targets),
        losses=losses,
    )
    provider.add_span_processor(processor)
    use_collector(provider, collector)
    if existing is None:
        trace.set_tracer_provider(provider)
    recorder = Recorder(
        config, provider, processor=processor, targets=targets, losses=losses, tally=_tally(provider, targets)
    )
    recorder.at_shutdown(partial(use_collector, provider, None))
    recorder.at_shutdown(_keep_content(config))
    return provider, recorder


def _keep_content(config: TracingConfig) -> Callable[[], object]:
    """Tell the instrumentors whether to keep content, unless somebody has told them; gives what takes it back.

    Unset, the variable means no content to them.
    """
    if os.environ.get(CONTENT_VARIABLE, "").strip():
        return lambda: None
    os.environ[CONTENT_VARIABLE] = "SPAN_ONLY" if config.content else "NO_CONTENT"
    return lambda: os.environ.pop(CONTENT_VARIABLE, None)


def _store_queue(targets: Sequence[Target]) -> Callable[[ReadableSpan], None] | None:
    """Where a span goes that is overdue and still runs: the store, which takes a span more than once."""
    queues = (target.queue for target in targets if isinstance(target.exporter, StoreSpanExporter))
    queue = next(queues, None)
    return None if queue is None else queue.on_end


def _tally(provider: TracerProvider, targets: Sequence[Target]) -> TraceTally:
    """A tally that one exporter feeds: our first, else the one to a store that the provider had already."""
    tally = TraceTally()
    exporters = [target.exporter for target in targets]
    existing = [exporter for exporter in existing_exporters(provider) if isinstance(exporter, StoreSpanExporter)]
    for exporter in [*exporters, *existing][:1]:
        exporter.on_record = tally.add
    return tally
