"""The TracerProvider: the one that is there, or a new one with our ids and the environment's resource and sampler."""

from __future__ import annotations

import logging
import os
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Decision, Sampler

from otel_agenttrace.instrument.ids import TimeOrderedIdGenerator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace.sampling import SamplingResult
    from opentelemetry.trace import Link, SpanKind, TraceState
    from opentelemetry.util.types import Attributes

    from otel_agenttrace.config import TracingConfig

_LOG = logging.getLogger("otel_agenttrace")

_KEEPS_ALL = ("AlwaysOnSampler", "ParentBased{root:AlwaysOnSampler,", "AlwaysRecordSampler{AlwaysOnSampler}")
_UNKNOWN_SERVICE = "unknown_service"
_SDK_SAMPLERS = frozenset(
    {f"{prefix}{name}" for prefix in ("", "parentbased_") for name in ("always_on", "always_off", "traceidratio")}
)


class CountingSampler(Sampler):
    """Decides as another sampler does, and counts the spans that are not recorded for it.

    Attributes:
        dropped: how many spans the sampler has dropped.
    """

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler
        self.dropped = 0

    def should_sample(  # noqa: PLR0917 - the SDK's signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Return the other sampler's decision."""
        result = self._sampler.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)
        if result.decision is Decision.DROP:
            self.dropped += 1
        return result

    def get_description(self) -> str:
        """Return the other sampler's description."""
        return self._sampler.get_description()


def existing_provider() -> TracerProvider | None:
    """The global provider, None while there is none that spans could be recorded from.

    What is not the SDK's but takes span processors as the SDK's does is as good.
    """
    provider: Any = trace.get_tracer_provider()
    if callable(getattr(provider, "add_span_processor", None)):
        return provider  # type: ignore[no-any-return]
    if not isinstance(provider, trace.ProxyTracerProvider):
        _LOG.error(
            "the TracerProvider in use (%s) takes no span processors; spans of its tracers are not recorded",
            type(provider).__name__,
        )
    return None


def warn_about_reuse(provider: TracerProvider, config: TracingConfig) -> None:
    """Log what an existing provider decides that we cannot change: its sampling, its service name."""
    sampler = getattr(provider, "sampler", None)
    description = sampler.get_description() if isinstance(sampler, Sampler) else "AlwaysOnSampler"
    if not description.startswith(_KEEPS_ALL):
        _LOG.warning("the existing TracerProvider samples (%s): traces it drops are not recorded", description)
    name = service_name_of(provider)
    if config.service_name is not None and "service_name" in config.given and config.service_name != name:
        _LOG.warning("service_name=%r is ignored: the existing TracerProvider says %r", config.service_name, name)


def create_provider(config: TracingConfig) -> TracerProvider:
    """A provider that is shut down by whoever asked for it, not by the SDK's own exit handler."""
    provider = TracerProvider(
        resource=_resource(config),
        id_generator=id_generator_from_environment(),
        sampler=_sampler_from_environment(),
        shutdown_on_exit=False,
    )
    provider.sampler = CountingSampler(provider.sampler)  # the SDK has read its default from the environment
    return provider


def service_name_of(provider: TracerProvider) -> str:
    """`service.name` of what the provider records."""
    resource = getattr(provider, "resource", None)
    return str(resource.attributes.get(SERVICE_NAME, "")) if isinstance(resource, Resource) else ""


def id_generator_from_environment() -> IdGenerator:
    """The generator that `OTEL_PYTHON_ID_GENERATOR` names, else ours."""
    name = os.environ.get("OTEL_PYTHON_ID_GENERATOR", "").strip()
    made = _made_by_entry_point("opentelemetry_id_generator", name) if name else None
    return made if isinstance(made, IdGenerator) else TimeOrderedIdGenerator()


def _sampler_from_environment() -> Sampler | None:
    """A sampler that some package brings; None leaves `OTEL_TRACES_SAMPLER` to the SDK, which knows its own."""
    name = os.environ.get("OTEL_TRACES_SAMPLER", "").strip()
    if not name or name.lower() in _SDK_SAMPLERS:
        return None
    made = _made_by_entry_point("opentelemetry_traces_sampler", name, os.environ.get("OTEL_TRACES_SAMPLER_ARG"))
    return made if isinstance(made, Sampler) else None


def _made_by_entry_point(group: str, name: str, *arguments: str | None) -> Any:
    """What the entry point makes; None, and an error in the log, when it is missing or fails."""
    entry = next(iter(entry_points(group=group, name=name)), None)
    if entry is None:
        _LOG.error("%s %r is not installed; the default is used", group, name)
        return None
    try:
        return entry.load()(*arguments)
    except Exception as error:  # noqa: BLE001 - a wrong environment does not stop the agent
        _LOG.error("%s %r cannot be used: %s", group, name, error)
        return None


def _resource(config: TracingConfig) -> Resource:
    resource = Resource.create()
    name = str(resource.attributes.get(SERVICE_NAME, ""))
    # The standard variables come before ours, but behind the argument.
    if config.service_name and ("service_name" in config.given or name.startswith(_UNKNOWN_SERVICE)):
        resource = resource.merge(Resource({SERVICE_NAME: config.service_name}))
    return resource
