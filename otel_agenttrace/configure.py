"""configure_tracing(): the one call that records an agent."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from opentelemetry import trace

from otel_agenttrace.config import is_sdk_disabled, resolve_config
from otel_agenttrace.errors import ConfigError
from otel_agenttrace.forks import call_in_children
from otel_agenttrace.tracing import Tracing

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from typing import Literal

    from opentelemetry.sdk.trace.export import SpanExporter

    from otel_agenttrace.config import ContractMode, StartRecords, TracingConfig
    from otel_agenttrace.grounding import GroundingChecker
    from otel_agenttrace.pipeline.redact import RedactConfig, RedactFunction
    from otel_agenttrace.spool.config import Durability
    from otel_agenttrace.stores.api import SpanStore
    from otel_agenttrace.stores.trace_store import TraceStore

_LOG = logging.getLogger("otel_agenttrace")


def configure_tracing(
    service_name: str | None = None,
    *,
    project: str | None = None,
    store: str | SpanStore | TraceStore | Literal[False] | None = None,
    exporters: str | SpanExporter | Iterable[str | SpanExporter] | None = None,
    contract: ContractMode | None = None,
    contract_file: str | os.PathLike[str] | None = None,
    redact: RedactConfig | RedactFunction | bool | None = None,
    content: bool | Iterable[str] | None = None,
    grounding: bool | GroundingChecker | None = None,
    instrument: str | bool | Iterable[str] | None = None,
    max_value_bytes: int | None = None,
    durability: Durability | None = None,
    start_records: StartRecords | None = None,
    spool_dir: str | os.PathLike[str] | None = None,
    spool_max_bytes: int | str | None = None,
) -> Tracing:
    """Record every OpenTelemetry span of this process, whoever makes it, in a store and wherever else you like.

    An existing TracerProvider is used, with all that it exports to already; else one is made. May be called again, from
    any thread: while tracing runs, that gives the same Tracing, and warns about arguments that differ from what it was
    started with. With `OTEL_SDK_DISABLED=true` nothing happens.

    A wrong argument raises. Nothing else does: a wrong environment, an extra that is not installed or a store that
    cannot be reached is logged, and the agent goes on with what works.

    Args:
        service_name: `service.name` of this process; else `OTEL_SERVICE_NAME`.
        project: `project.id` of task spans; else `AGENTTRACE_PROJECT`, else the service name.
        store: where spans are kept: a URL such as `sqlite:///traces.db` or `memory:`, a store, or False for none; else
            `AGENTTRACE_STORE`, else Cosmos when its four variables are set, else `~/.agenttrace/traces.db`.
        exporters: where spans go besides: SpanExporters, or names as in `OTEL_TRACES_EXPORTER` (`otlp`, `azure`,
            `console`, `agenttrace_jsonl`, ...). Else that variable; else `otlp` and `azure` where their standard
            variables name an endpoint. With neither a store nor an exporter, spans are printed.
        contract: what happens to a span that breaks the attribute contract. `observe` (the default) records each
            violation with the line of code behind it, `enforce` also raises it from our own helpers, `off` looks at
            none.
        contract_file: a YAML file with a project's own attributes and phases; else `AGENTTRACE_CONTRACT_FILE`.
        redact: False to hide nothing, a RedactConfig to choose, a function as its `callable`; else
            `AGENTTRACE_REDACT`, else secrets are hidden.
        content: whether messages, arguments and results are kept; or the names of the targets that keep them (`store`,
            names of exporters, class names of exporter objects). Else `AGENTTRACE_CONTENT`, else they are kept; nothing
            overrides an `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` that says no.
        grounding: whether the answer of a trace that has settled is held against what its tools, documents and inputs
            said; a function as `ground` to do it with. Else `AGENTTRACE_GROUNDING`, else it is, by `ground`.
        instrument: `auto` (the default) turns on httpx and every GenAI instrumentor that is installed and not on yet;
            False none; or names. Else `AGENTTRACE_INSTRUMENT`.
        max_value_bytes: bytes kept of one value, the rest is cut and counted; else `AGENTTRACE_MAX_VALUE_BYTES`, else
            1 MiB.
        durability: what a span survives once `span.end()` has returned. `process` (the default): `kill -9`. `power`: a
            power cut, too; `end()` waits for the disk. `batch`: neither; it is written in the background. Else
            `AGENTTRACE_DURABILITY`.
        start_records: which spans are on disk from their start, so that a killed process shows what it was doing:
            `these` (the default: roots, tasks, and spans of agents, models and tools), `all` or `none`. Else
            `AGENTTRACE_START_RECORDS`.
        spool_dir: where spans wait on disk until stores and exporters have them; else `AGENTTRACE_SPOOL_DIR`, else
            beside the store's file, else `~/.agenttrace/spool`.
        spool_max_bytes: how much of the disk that may take, as in `500MB`; else `AGENTTRACE_SPOOL_MAX_BYTES`, else
            1 GiB.

    Raises:
        ConfigError: an argument is not accepted; names it and what is.
    """
    arguments = {
        "service_name": service_name,
        "project": project,
        "store": store,
        "exporters": exporters,
        "contract": contract,
        "contract_file": contract_file,
        "redact": redact,
        "content": content,
        "grounding": grounding,
        "instrument": instrument,
        "max_value_bytes": max_value_bytes,
        "durability": durability,
        "start_records": start_records,
        "spool_dir": spool_dir,
        "spool_max_bytes": spool_max_bytes,
    }
    tracing = start_tracing(resolve_config(arguments))
    tracing.complete()
    return tracing


def start_tracing(config: TracingConfig) -> Tracing:
    """Start recording, or return what runs already. `Tracing.complete` follows once instrumentors may be turned on.

    Raises:
        ConfigError: an argument names something that is not known.
    """
    if is_sdk_disabled():
        return Tracing(trace.get_tracer_provider())
    with _state.lock:
        running = _state.tracing
        if running is not None and not running.is_shut_down:
            _warn_about_differences(running, config)
            return running
        if running is not None:
            running.detach()
        _state.tracing = _started(config)
        return _state.tracing


def _started(config: TracingConfig) -> Tracing:
    try:
        from otel_agenttrace.startup import begin  # noqa: PLC0415 - brings the SDK, which fails in some environments

        return Tracing(*begin(config))
    except ConfigError:
        raise
    except Exception:  # noqa: BLE001 - whatever is wrong with the environment, the agent goes on
        _LOG.exception("tracing could not be started; the agent goes on without it")
        return Tracing(trace.get_tracer_provider())


def _warn_about_differences(running: Tracing, config: TracingConfig) -> None:
    names = running.config.differing(config) if running.config is not None else []
    if names:
        _LOG.warning("tracing is configured already; these arguments are ignored: %s", ", ".join(names))


class _State:
    def __init__(self) -> None:
        self._renew_lock()
        self.tracing: Tracing | None = None
        call_in_children(self._renew_lock)

    def _renew_lock(self) -> None:
        self.lock = threading.RLock()


_state = _State()
