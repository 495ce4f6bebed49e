"""Which instrumentors are turned on, and which are left alone."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import TracerProvider

from otel_agenttrace.autoinstrument import check_names, instrument_libraries
from otel_agenttrace.config import resolve_config
from otel_agenttrace.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Install = Callable[..., None]

_INSTRUMENTOR = """
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

class Instrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return []

    def _instrument(self, **kwargs):
        {body}

    def _uninstrument(self, **kwargs):
        pass
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a package with one instrumentor, as pip would leave it."""
    monkeypatch.syspath_prepend(tmp_path)
    modules: list[str] = []

    def install_package(distribution: str, name: str, body: str = "pass", requires: str = "") -> None:
        module = distribution.replace("-", "_")
        modules.append(module)
        (tmp_path / f"{module}.py").write_text(_INSTRUMENTOR.format(body=body))
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        requirement = f"Requires-Dist: {requires}; extra == 'instruments'\n" if requires else ""
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n{requirement}")
        (info / "entry_points.txt").write_text(f"[opentelemetry_instrumentor]\n{name} = {module}:Instrumentor\n")

    yield install_package
    for module in modules:
        sys.modules.pop(module, None)


def _turn_on(instrument: object = None) -> set[str]:
    """What the test's own packages turned on: the real ones are disabled by the environment."""
    return set(instrument_libraries(resolve_config({"instrument": instrument}), TracerProvider(shutdown_on_exit=False)))


@pytest.fixture(autouse=True)
def _leave_real_libraries_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "httpx, httpx2, openai")


def test_auto_turns_on_genai_libraries_and_nothing_else(install: Install) -> None:
    """A family made for GenAI and known names are on; an instrumentor of a web framework is never touched."""
    install("opentelemetry-instrumentation-genai-newcomer", "newcomer")
    install("openinference-instrumentation-other", "other")
    install("opentelemetry-instrumentation-anthropic", "anthropic")
    install("opentelemetry-instrumentation-flask", "flask")

    assert _turn_on() == {"newcomer", "other", "anthropic"}
    assert "opentelemetry_instrumentation_flask" not in sys.modules


def test_names_turn_on_just_these(install: Install) -> None:
    """Whoever names instrumentors gets them, whatever they are for, and no others."""
    install("opentelemetry-instrumentation-flask", "flask")
    install("opentelemetry-instrumentation-anthropic", "anthropic")

    assert _turn_on(["flask"]) == {"flask"}
    assert _turn_on(instrument=False) == set()


def test_one_library_is_instrumented_once(install: Install) -> None:
    """Of two packages for one library OpenTelemetry's own is used, so that no call is recorded twice."""
    install("openinference-instrumentation-anthropic", "anthropic", body="raise AssertionError")
    install("opentelemetry-instrumentation-anthropic", "anthropic")

    assert _turn_on() == {"anthropic"}
    assert "openinference_instrumentation_anthropic" not in sys.modules


def test_versioned_names_are_the_same_library(install: Install) -> None:
    """`anthropic_v2` instruments anthropic, so the two are not both turned on."""
    install("opentelemetry-instrumentation-anthropic-v2", "anthropic_v2")
    install("opentelemetry-instrumentation-anthropic", "anthropic")

    assert _turn_on() == {"anthropic"}


def test_one_that_fails_is_passed_over(install: Install, caplog: pytest.LogCaptureFixture) -> None:
    """A broken instrumentor is one line in the log, and the others go on."""
    install("opentelemetry-instrumentation-cohere", "cohere", body="raise RuntimeError('no such client')")
    install("opentelemetry-instrumentation-groq", "groq")

    assert _turn_on() == {"groq"}
    assert "instrumentor cohere failed and is passed over: no such client" in caplog.text


def test_a_missing_library_is_no_news(install: Install, caplog: pytest.LogCaptureFixture) -> None:
    """An instrumentor without its library is not even imported."""
    install("opentelemetry-instrumentation-groq", "groq", requires="no-such-library>=1")

    assert _turn_on() == set()
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []
    assert "opentelemetry_instrumentation_groq" not in sys.modules


def test_a_library_of_the_wrong_version_is_told(install: Install, caplog: pytest.LogCaptureFixture) -> None:
    """A library that is there but cannot be recorded is worth a warning."""
    install("opentelemetry-instrumentation-groq", "groq", requires="pytest<1")

    assert _turn_on() == set()
    assert "groq" in caplog.text
    assert "pytest" in caplog.text


def test_one_that_is_on_already_is_left_on(install: Install, caplog: pytest.LogCaptureFixture) -> None:
    """What the program turned on itself is listed, not turned on again."""
    install("opentelemetry-instrumentation-groq", "groq")

    assert _turn_on() == {"groq"}
    assert _turn_on() == {"groq"}
    assert "already instrumented" not in caplog.text


def test_the_standard_variable_disables(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    """`OTEL_PYTHON_DISABLED_INSTRUMENTATIONS` is obeyed, the wildcard too."""
    install("opentelemetry-instrumentation-groq", "groq")
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "*")

    assert _turn_on() == set()


def test_an_unknown_name_is_refused() -> None:
    """A name that is not installed raises, and says which are."""
    with pytest.raises(ConfigError, match=r"instrument='nosuch' is not accepted; installed are .*httpx"):
        check_names(resolve_config({"instrument": ["nosuch"]}))


def test_an_unknown_name_in_the_environment_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The same name in the environment is an error in the log."""
    monkeypatch.setenv("AGENTTRACE_INSTRUMENT", "nosuch")
    check_names(resolve_config({}))

    assert "instrument='nosuch' is not accepted" in caplog.text
