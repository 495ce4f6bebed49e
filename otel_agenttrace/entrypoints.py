"""What `opentelemetry-instrument` calls, so that a program is recorded without a line of code in it.

The order is the SDK's: one configurator, the hooks before instrumentors, the instrumentors, the hooks after them. Ours
sets the SDK up as the standard one does and leaves spans to the hooks, which record from whatever TracerProvider there
is by then. So it makes no difference to recording whose configurator won.
"""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

# The SDK's documented place to start from for a configurator of one's own, in spite of its name.
from opentelemetry.sdk._configuration import _OTelSDKConfigurator

from otel_agenttrace.config import is_sdk_disabled, resolve_config
from otel_agenttrace.configure import start_tracing
from otel_agenttrace.instrument.faults import contained
from otel_agenttrace.provider import id_generator_from_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOG = logging.getLogger("otel_agenttrace")

_TRACES_EXPORTER = "OTEL_TRACES_EXPORTER"


class AgentTraceConfigurator(_OTelSDKConfigurator):
    """Sets up metrics, logs and a TracerProvider with our ids, all from the standard environment.

    Exporters of spans are left to `before_instrumentors`, which puts redaction before them. What fails is logged, not
    raised: the SDK would then leave out the hooks, and with them all recording.
    """

    def _configure(self, **kwargs: Any) -> None:
        try:
            if os.environ.get("OTEL_CONFIG_FILE"):
                # The file says all, exporters included.
                super()._configure(**kwargs)  # type: ignore[no-untyped-call]
                return
            kwargs.setdefault("id_generator", id_generator_from_environment())
            with _no_trace_exporters():
                super()._configure(**kwargs)  # type: ignore[no-untyped-call]
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the environment, the program goes on
            _LOG.error("OpenTelemetry could not be configured as the environment asks: %s", error)


def before_instrumentors() -> None:
    """Start recording; the entry point `opentelemetry_pre_instrument`. Never raises."""
    with contained("start tracing"):
        if not is_sdk_disabled():
            start_tracing(resolve_config({}))


def after_instrumentors() -> None:
    """Turn on what is not on yet, and print the line at start; the entry point `opentelemetry_post_instrument`.

    Starts recording too, should nothing have called `before_instrumentors`. Never raises.
    """
    with contained("complete tracing"):
        if not is_sdk_disabled():
            start_tracing(resolve_config({})).complete()


@contextmanager
def _no_trace_exporters() -> Iterator[None]:
    """Keep the SDK from making exporters of spans meanwhile; one thread runs as yet."""
    wanted = os.environ.get(_TRACES_EXPORTER)
    os.environ[_TRACES_EXPORTER] = "none"
    try:
        yield
    finally:
        if wanted is None:
            del os.environ[_TRACES_EXPORTER]
        else:
            os.environ[_TRACES_EXPORTER] = wanted
