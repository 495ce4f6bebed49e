"""An agent of some framework, and how it is run: as a program of its own, against the scripted model."""

from __future__ import annotations

import importlib.metadata
import os
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.testing.programs import run_program
from tests.frameworks.run import Run
from tests.frameworks.server import ModelServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

STORE = "sqlite:///traces.db"
_DEVELOPERS = ("OTEL_", "AGENTTRACE_", "OPENAI_", "ANTHROPIC_", "LANGSMITH_", "LANGFUSE_", "LANGCHAIN_", "GOOGLE_")

_BEGINNING = f"""
import os

from otel_agenttrace import configure_tracing

configure_tracing("weather", store={STORE!r}, instrument=False)
MODEL_URL = os.environ["MODEL_URL"]


def look_up(city):
    if city == "Atlantis":
        raise LookupError(f"no weather station in {{city}}")
    return "4 degrees and rain"

"""

_END = """

for city in ("Oslo", "Atlantis"):
    try:
        print(ask(f"What is the weather in {city}?"))
    except Exception as error:
        print(type(error).__name__)
"""


@dataclass(frozen=True)
class Framework:
    """An agent named `forecaster` that asks the model about the weather in Oslo, then in Atlantis, with one tool.

    Both in the session `visit-1`.

    Attributes:
        needs: distributions that have to be installed.
        source: a program that defines `ask(question)`, which gives the agent's answer; it may use `MODEL_URL` and
            `look_up(city)`, which raises for Atlantis.
        provider: the canonical name of whose model it is.
        tool_path: the names of the spans above the tool's, from its parent up to the root.
        model_path: the same for the first model call.
        omits: what the framework's spans do not tell of a model call or tool call: `provider`, `answered_model`,
            `finish`, `cache`, `reasoning`, `system`, `call_id`, `argument_names`.
        finish: why the first call ended, in OTel's words; some protocols have none for a wish for a tool.
        survives: whether the agent goes on after its tool has failed.
        tells_end: whether every span between the tool and the root says so when the agent has not survived.
        start: runs `source` in a folder, with some more environment variables; skips where something is missing.
    """

    name: str
    needs: tuple[str, ...]
    source: str
    provider: str = "openai"
    tool_path: tuple[str, ...] = ()
    model_path: tuple[str, ...] = ()
    omits: frozenset[str] = frozenset()
    finish: str = "tool_call"
    survives: bool = False
    tells_end: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)
    start: Callable[[Path, str, Mapping[str, str]], Run] | None = None

    def run(self, folder: Path) -> Run:
        """Run the agent; skips where it is not installed."""
        require(*self.needs)
        if self.start is not None:
            return self.start(folder, self.source, self.environment)
        return play(folder, _BEGINNING + textwrap.dedent(self.source) + _END, self.environment)


def require(*distributions: str) -> None:
    """Skip the test unless all of these are installed."""
    for name in distributions:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pytest.skip(f"{name} is not installed (dependency group frameworks)")


def play(folder: Path, source: str, environment: Mapping[str, str] | None = None) -> Run:
    """Run a program against a scripted model of its own; its variable MODEL_URL says where that is."""
    with ModelServer() as model, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(_DEVELOPERS)]:
            patch.delenv(name)
        variables = {"MODEL_URL": model.url, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **(environment or {})}
        done = run_program(folder, source, variables)
    return Run(folder, f"sqlite:///{folder / 'traces.db'}", done.stdout, tuple(model.exchanges))
