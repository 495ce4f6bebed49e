"""Recorder: what one configuration set in motion, and how it is completed, flushed and ended."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from otel_agenttrace import notice
from otel_agenttrace.autoinstrument import instrument_libraries
from otel_agenttrace.instrument.faults import contained
from otel_agenttrace.provider import CountingSampler, service_name_of
from otel_agenttrace.stores.open import DEFAULT_URL

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import TracerProvider

    from otel_agenttrace.config import TracingConfig
    from otel_agenttrace.flight import Flight
    from otel_agenttrace.losses import LossLog
    from otel_agenttrace.processors.recording import RecordingSpanProcessor
    from otel_agenttrace.targets import Targets

_SHUTDOWN_TIMEOUT_S = 30.0


class Recorder:
    """A processor on a provider, and what becomes of the spans that it records.

    Args:
        config: what it is made from.
        provider: whose spans are recorded.
        processor: records them.
        targets: where they go.
        flight: takes them there; None where they go nowhere.
        losses: what was lost on the way.

    Attributes:
        config: see above.
    """

    def __init__(
        self,
        config: TracingConfig,
        provider: TracerProvider,
        *,
        processor: RecordingSpanProcessor,
        targets: Targets,
        flight: Flight | None,
        losses: LossLog,
    ) -> None:
        self.config = config
        self._provider = provider
        self._processor = processor
        self._targets = targets
        self._flight = flight
        self._losses = losses
        self._is_complete = False
        self._undo: list[Callable[[], object]] = []
        processor.before_shutdown = self._land

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
        lost_before = self._losses.total
        is_flushed = self._flight is None or self._flight.flush(timeout_s)
        return is_flushed and self._losses.total == lost_before

    def shutdown(self, timeout_s: float) -> bool:
        """See `Tracing.shutdown`."""
        lost_before = self._losses.total
        was_stopped = self._processor.is_stopped  # by a shutdown of the provider, which has landed everything
        self._processor.stop()
        is_complete = was_stopped or self._land(timeout_s)
        for undo in self._undo:
            undo()
        for line in self._exit_lines():
            notice.say(line)
        return is_complete and self._losses.total == lost_before

    def detach(self) -> None:
        """See `Tracing.detach`."""
        self._processor.detach()
        self._processor.before_shutdown = None
        if self._flight is not None:
            self._flight.release()

    @property
    def is_stopped(self) -> bool:
        """Whether it was shut down, e.g. because the provider was."""
        return self._processor.is_stopped

    def _land(self, timeout_s: float = _SHUTDOWN_TIMEOUT_S) -> bool:
        return self._flight is None or self._flight.land(timeout_s)

    def _exit_lines(self) -> list[str]:
        flight = self._flight
        if flight is None:
            return []
        return notice.exit_lines(
            flight.tally,
            self._losses.counts,
            waiting=flight.waiting(),
            drain=self._drain_command(),
            by_object={target.spooled.name for target in self._targets.all if not target.is_by_name},
            unsampled_spans=unsampled_count(self._provider, self._processor),
            unjudged_traces=flight.unjudged_count,
            store_option=self._store_option(),
        )

    def _labels(self) -> list[str]:
        return [target.label for target in self._targets.all] or ["the provider's own exporters"]

    def _content(self) -> str:
        content = self.config.content
        return ("on" if content else "off") if isinstance(content, bool) else f"only in {', '.join(sorted(content))}"

    def _drain_command(self) -> str:
        """The command that delivers what is left, from the same spool."""
        option = self._store_option()
        if option is None:  # no store that lasts: the spool is that of stores which are no files
            option = " --store memory:"
        given = self.config.spool_dir if "spool_dir" in self.config.given else None
        place = "" if given is None else f"AGENTTRACE_SPOOL_DIR={shlex.quote(str(given.absolute()))} "
        return f"{place}agenttrace spool drain{option}"

    def _store_option(self) -> str | None:
        """What the command line needs to read the same store: nothing for the one it looks at by itself."""
        store = self._targets.store
        if store is None or store.url.startswith("memory"):
            return None
        is_default = notice.shown_url(store.url) == notice.shown_url(DEFAULT_URL)
        # A URL of another kind may hold a password, which is not for the screen.
        is_file = store.url.startswith("sqlite:")
        return f" --store {shlex.quote(store.url)}" if is_file and not is_default else ""


def unsampled_count(provider: TracerProvider, processor: RecordingSpanProcessor) -> int:
    """Spans that were not recorded since they were not sampled, as far as can be seen."""
    sampler = getattr(provider, "sampler", None)
    return processor.unsampled_count + (sampler.dropped if isinstance(sampler, CountingSampler) else 0)
