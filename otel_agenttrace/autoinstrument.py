"""Turns on the instrumentors of HTTP clients and GenAI libraries that are installed and not on yet.

Which libraries are GenAI ones is a rule, not a guess: the families of packages that instrument nothing else
(OpenTelemetry's `opentelemetry-instrumentation-genai-*`, OpenInference's `openinference-instrumentation-*`), and a
list of names for those that sit among others. An instrumentor of anything else (flask, redis, ...) is never touched.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from otel_agenttrace.errors import ConfigError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from opentelemetry.trace import TracerProvider

    from otel_agenttrace.config import TracingConfig

_LOG = logging.getLogger("otel_agenttrace")

_GROUP = "opentelemetry_instrumentor"
_FAMILIES = re.compile(r"opentelemetry-instrumentation-genai-|openinference-instrumentation-")
_HTTPX = frozenset({"httpx", "httpx2"})
"""One client: its second version is a package of its own, and both may be installed. We call it httpx."""

# fmt: off
_GENAI = frozenset({
    "agno", "alephalpha", "anthropic", "autogen", "bedrock", "claude_agent_sdk", "cohere", "crewai", "dspy",
    "google_genai", "google_generativeai", "groq", "haystack", "instructor", "langchain", "litellm", "llama_index",
    "llamaindex", "mcp", "mistralai", "ollama", "openai", "openai_agents", "portkey", "pydantic_ai", "qwen_agent",
    "replicate", "sagemaker", "smolagents", "strands_agents", "together", "transformers", "vertexai", "watsonx",
    "writer",
})
# fmt: on


def check_names(config: TracingConfig) -> None:
    """Look whether every instrumentor that is asked for by name is installed.

    Raises:
        ConfigError: an argument names one that is not.
    """
    if config.instrument == "auto":
        return
    by_library = _candidates()
    unknown = [name for name in config.instrument if _library(name) not in by_library]
    if unknown:
        installed = ", ".join(sorted(by_library)) or "none"
        message = f"instrument={','.join(unknown)!r} is not accepted; installed are {installed}"
        config.refuse("instrument", ConfigError(message))


def instrument_libraries(config: TracingConfig, provider: TracerProvider) -> list[str]:
    """Turn on the instrumentors that are asked for: by name, or (`auto`) those of HTTP clients and GenAI libraries.

    One that fails, or that does not fit the installed library, is logged and passed over. Of several for one library
    the first that fits is used, OpenTelemetry's own before others, so that no call is recorded twice.

    Returns:
        The names of those that are on now, whoever turned them on.
    """
    by_library = _candidates()
    if config.instrument == "auto":
        names = {name for name, entries in by_library.items() if _is_relevant(name, entries)}
    else:
        names = {_library(name) for name in config.instrument}
        names = (names | _HTTPX if names & _HTTPX else names) & by_library.keys()
    disabled = _disabled_names()
    chosen = {name: [entry for entry in by_library[name] if entry.name not in disabled] for name in sorted(names)}
    if "*" in disabled:
        return []
    on = {name for name, entries in chosen.items() if _turn_on(entries, provider)}
    return sorted({"httpx" if name in _HTTPX else name for name in on})


def _candidates() -> dict[str, list[EntryPoint]]:
    by_library: dict[str, list[EntryPoint]] = {}
    for entry in sorted(entry_points(group=_GROUP), key=_preference):
        by_library.setdefault(_library(entry.name), []).append(entry)
    return by_library


def _preference(entry: EntryPoint) -> tuple[bool, bool, str]:
    distribution = _distribution(entry)
    # The family made for GenAI, then the others that bear the name, then the rest.
    return "-genai-" not in distribution, not distribution.startswith("opentelemetry-"), distribution


def _library(name: str) -> str:
    """The library an instrumentor's name stands for: `openai_v2` and `openai-v2` are `openai`."""
    return re.sub(r"_v\d+$", "", name.strip().lower().replace("-", "_"))


def _is_relevant(library: str, entries: list[EntryPoint]) -> bool:
    return library in _HTTPX | _GENAI or any(_FAMILIES.match(_distribution(entry)) for entry in entries)


def _distribution(entry: EntryPoint) -> str:
    name = entry.dist.name if entry.dist is not None else ""
    return re.sub(r"[-_.]+", "-", name).lower()


def _disabled_names() -> frozenset[str]:
    text = os.environ.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "")
    return frozenset(part.strip() for part in text.split(","))


def _turn_on(entries: list[EntryPoint], provider: TracerProvider) -> bool:
    """Whether one of the instrumentors of a library is on, after trying each in turn if none was."""
    # One that is on already has been imported; nothing is loaded only to ask it.
    imported = [entry for entry in entries if entry.module in sys.modules]
    return any(_is_on(entry) for entry in imported) or any(_instrument(entry, provider) for entry in entries)


def _is_on(entry: EntryPoint) -> bool:
    try:
        return bool(entry.load()().is_instrumented_by_opentelemetry)
    except Exception as error:  # noqa: BLE001 - somebody else's code, and the agent goes on without it
        _LOG.debug("instrumentor %s cannot be asked whether it is on: %s", entry.name, error)
        return False


def _instrument(entry: EntryPoint, provider: TracerProvider) -> bool:
    from opentelemetry.instrumentation.dependencies import DependencyConflictError  # noqa: PLC0415 - seldom needed

    try:
        _refuse_conflicts(entry)
        instrumentor = entry.load()()
        instrumentor.instrument(tracer_provider=provider, raise_exception_on_conflict=True)
        return bool(instrumentor.is_instrumented_by_opentelemetry)
    except DependencyConflictError as error:
        # A library that is not there is no news; one of a version that cannot be recorded is.
        is_installed = error.conflict.found or error.conflict.found_any
        _LOG.log(logging.WARNING if is_installed else logging.DEBUG, "%s: %s", entry.name, error)
    except Exception as error:  # noqa: BLE001 - somebody else's code, and the agent goes on without it
        _LOG.warning("instrumentor %s failed and is passed over: %s", entry.name, error)
    return False


def _refuse_conflicts(entry: EntryPoint) -> None:
    """Ask the package before importing it: an instrumentor whose library is missing often cannot be imported.

    Raises:
        DependencyConflictError: the library is missing, or of a version that the instrumentor does not fit.
    """
    from opentelemetry.instrumentation.dependencies import (  # noqa: PLC0415 - seldom needed
        DependencyConflictError,
        get_dist_dependency_conflicts,
    )

    conflict = get_dist_dependency_conflicts(entry.dist) if entry.dist is not None else None
    if conflict is not None:
        raise DependencyConflictError(conflict)
