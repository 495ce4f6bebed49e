"""Tracing: what `configure_tracing` gives back, up to the line at exit."""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING

from otel_agenttrace.instrument.faults import contained

if TYPE_CHECKING:
    from types import TracebackType

    from opentelemetry.trace import TracerProvider
    from typing_extensions import Self

    from otel_agenttrace.config import TracingConfig
    from otel_agenttrace.recorder import Recorder

_EXIT_TIMEOUT_S = 10.0
"""What is not delivered by then waits on disk, and harms nobody."""


class Tracing:
    """A running recorder. `with` shuts it down at the end of the block; else the end of the process does.

    Attributes:
        tracer_provider: whose spans are recorded.
    """

    def __init__(self, tracer_provider: TracerProvider, recorder: Recorder | None = None) -> None:
        self.tracer_provider = tracer_provider
        self._recorder = recorder
        self._has_ended = recorder is None
        if recorder is not None:
            atexit.register(self._at_exit)

    @property
    def config(self) -> TracingConfig | None:
        """What it was started with; None where tracing is off."""
        return None if self._recorder is None else self._recorder.config

    @property
    def is_shut_down(self) -> bool:
        """Whether nothing is recorded any more, or never was."""
        return self._recorder is None or self._has_ended or self._recorder.is_stopped

    def complete(self) -> None:
        """Turn instrumentors on and print the line at start; nothing the second time."""
        if self._recorder is not None and not self.is_shut_down:
            self._recorder.complete()

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Hand every span that has ended to the store and the exporters now.

        Returns:
            False when that took longer than `timeout_s` (it goes on all the same), or when a span was not taken.
        """
        return self._recorder is None or self.is_shut_down or self._recorder.flush(timeout_s)

    def shutdown(self, timeout_s: float = 10.0) -> bool:
        """Flush, stop recording, and print how it went; safe twice. Then `configure_tracing` may be called again.

        Returns:
            As `flush`.
        """
        if self._recorder is None or self._has_ended:
            return True
        self._has_ended = True
        atexit.unregister(self._at_exit)
        return self._recorder.shutdown(timeout_s)

    def detach(self) -> None:
        """Leave what ends from now on to another Tracing; until then it waits on disk for the next start."""
        if self._recorder is not None:
            self._recorder.detach()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.shutdown()

    def _at_exit(self) -> None:
        with contained("end tracing"):
            self.shutdown(_EXIT_TIMEOUT_S)
