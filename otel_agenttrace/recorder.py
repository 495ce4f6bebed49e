"""Recorder: what one configuration set in motion, and how it is completed, flushed and ended."""

from __future__ import annotations

import os
import shlex
import time
import weakref
from typing import TYPE_CHECKING

from otel_agenttrace import notice
from otel_agenttrace.autoinstrument import instrument_libraries
from otel_agenttrace.exporters.names import existing_exporters
from otel_agenttrace.exporters.store import StoreSpanExporter
from otel_agenttrace.instrument.faults import contained
from otel_agenttrace.provider import CountingSampler, service_name_of
from otel_agenttrace.stores.open import DEFAULT_URL
from otel_agenttrace.together import run_together
from otel_agenttrace.verdicts import Verdicts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

    from otel_agenttrace.config import TracingConfig
    from otel_agenttrace.losses import LossLog
    from otel_agenttrace.processors.recording import RecordingSpanProcessor
    from otel_agenttrace.targets import Target


_SHUTDOWN_TIMEOUT_S = 30.0


class Recorder:
    """A processor on a provider, its targets, and what they count.

    Attributes:
        config: what it was made from.
    """

    def __init__(
        self,
        config: TracingConfig,
        provider: TracerProvider,
        *,
        processor: RecordingSpanProcessor,
        targets: Sequence[Target],
        losses: LossLog,
        tally: notice.TraceTally,
    ) -> None:
        self.config = config
        self._provider = provider
        self._processor = processor
        self._targets = targets
        self._losses = losses
        self._tally = tally
        self._store = _first_store([*(target.exporter for target in targets), *existing_exporters(provider)])
        self._verdicts = Verdicts(targets, self._store, grounding=config.grounding)
        self._is_complete = False
        self._undo: list[Callable[[], object]] = [self._verdicts.detach]
        processor.before_shutdown = self._settle_all
        self._waiting_at_fork = [0] * len(targets)
        if hasattr(os, "register_at_fork"):
            note = weakref.WeakMethod(self._note_fork)
            os.register_at_fork(after_in_child=lambda: (method := note()) and method())

    def at_shutdown(self, undo: Callable[[], object]) -> None:
        """Call something when recording ends."""
        self._undo.append(undo)

    def complete(self) -> None:
        """See `Tracing.complete`."""
        if self._is_complete:
            return
        self._is_complete = True
        with contained("turn on instrumentors"):
            names = instrument_libraries(self.config, self._provider)
            service_name = service_name_of(self._provider)
            notice.say(notice.start_line(service_name, self._labels(), names, content=self._content()))

    def flush(self, timeout_s: float) -> bool:
        """See `Tracing.flush`."""
        start, lost_before = time.monotonic(), self._losses.total
        deadline = start + timeout_s
        is_flushed = self._flush_queues(timeout_s / 2)
        is_settled = self._verdicts.settle(self._flush_queues, deadline, is_last=False)
        is_flushed = is_flushed or self._flush_queues(deadline - time.monotonic())
        return is_flushed and is_settled and self._losses.total == lost_before

    def shutdown(self, timeout_s: float) -> bool:
        """See `Tracing.shutdown`."""
        deadline, lost_before = time.monotonic() + timeout_s, self._losses.total
        was_stopped = self._processor.is_stopped  # by a shutdown of the provider, which has settled everything
        self._processor.stop()
        is_settled = was_stopped or self._settle_all(timeout_s * 0.75)
        for undo in self._undo:
            undo()
        is_closed = run_together([target.queue.shutdown for target in self._targets], deadline - time.monotonic())
        is_complete = is_settled and is_closed and self._losses.total == lost_before
        dropped = self._dropped_by_queues()
        lines = notice.exit_lines(
            self._tally,
            self._losses.counts,
            dropped_spans=dropped,
            unsampled_spans=self._unsampled(),
            unjudged_traces=self._verdicts.unjudged_count,
            store_option=self._store_option(),
        )
        for line in lines:
            notice.say(line)
        return is_complete and not dropped

    def _settle_all(self, timeout_s: float = _SHUTDOWN_TIMEOUT_S) -> bool:
        """Judge what the last spans were waited for, and judge nothing more; whether there was time for all."""
        deadline = time.monotonic() + timeout_s
        self._flush_queues(timeout_s * 0.75)
        is_settled = self._verdicts.settle(self._flush_queues, deadline, is_last=True)
        self._verdicts.stop(deadline - time.monotonic())
        return is_settled

    def _flush_queues(self, timeout_s: float) -> bool:
        """Hand what the queues hold to the exporters; whether that was done in time."""
        # The SDK's queues keep to no timeout: https://github.com/open-telemetry/opentelemetry-python/issues/4568
        calls: list[Callable[[], object]] = [target.queue.force_flush for target in self._targets]
        if self._store is not None and self._store not in [target.exporter for target in self._targets]:
            calls.append(self._provider.force_flush)  # the store is behind a queue that is not ours
        return run_together(calls, timeout_s)

    def _waiting(self) -> list[int]:
        """For each target, how many spans were put into its queue and have not come out."""
        handed_over = self._processor.recorded_count + self._verdicts.handed_over_count
        return [handed_over - target.exporter.received_count for target in self._targets]

    def _dropped_by_queues(self) -> int:
        """How many spans the SDK's queues dropped, which they do when they are full; to be asked after a flush."""
        waiting = zip(self._waiting(), self._waiting_at_fork, strict=True)
        return sum(max(0, now - before) for now, before in waiting)

    def _note_fork(self) -> None:
        # The child's queues begin empty: what was waiting is the parent's to deliver.
        self._waiting_at_fork = self._waiting()

    def _unsampled(self) -> int:
        sampler = self._provider.sampler
        return self._processor.unsampled_count + (sampler.dropped if isinstance(sampler, CountingSampler) else 0)

    @property
    def is_stopped(self) -> bool:
        """Whether it records nothing more, e.g. because the provider was shut down."""
        return self._processor.is_stopped

    def _labels(self) -> list[str]:
        labels = [target.label for target in self._targets]
        if self._store is not None and (label := notice.shown_url(self._store.url)) not in labels:
            labels.insert(0, label)
        return labels or ["the provider's own exporters"]

    def _content(self) -> str:
        content = self.config.content
        return ("on" if content else "off") if isinstance(content, bool) else f"only in {', '.join(sorted(content))}"

    def _store_option(self) -> str | None:
        """What the command line needs to read the same store: nothing for the one it looks at by itself."""
        if self._store is None or self._store.url.startswith("memory"):
            return None
        is_default = notice.shown_url(self._store.url) == notice.shown_url(DEFAULT_URL)
        # A URL of another kind may hold a password, which is not for the screen.
        is_file = self._store.url.startswith("sqlite:")
        return f" --store {shlex.quote(self._store.url)}" if is_file and not is_default else ""


def _first_store(exporters: Sequence[SpanExporter]) -> StoreSpanExporter | None:
    return next((exporter for exporter in exporters if isinstance(exporter, StoreSpanExporter)), None)
