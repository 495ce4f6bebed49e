"""What every test gets: a home of its own, a clean environment, and a look at the threads it leaves behind."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from opentelemetry import trace
from opentelemetry.util._once import Once

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OURS_AND_OTEL = ("AGENTTRACE_", "OTEL_", "APPLICATIONINSIGHTS_", "COSMOS_", "NO_COLOR", "FORCE_COLOR")


# How long an example takes is the machine's affair.
settings.register_profile("patient", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--no-skips`, which CI uses: there, what a test needs has to be there."""
    parser.addoption("--no-skips", action="store_true", help="count a skipped test as failed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Turn a skip into a failure under `--no-skips`; expected failures stay what they are."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.config.getoption("--no-skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped under --no-skips: {call.excinfo.value if call.excinfo else 'unknown'}"
    return report


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A test never reads or writes the developer's own recordings or settings."""
    for name in list(os.environ):
        if name.startswith(_OURS_AND_OTEL):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture(autouse=True)
def _own_provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No TracerProvider is set yet, as in a new process: OpenTelemetry lets it be set once. Nothing is instrumented."""
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
    yield
    if (httpx := sys.modules.get("opentelemetry.instrumentation.httpx")) is not None:
        instrumentor = httpx.HTTPXClientInstrumentor()
        if instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.uninstrument()


@pytest.fixture(autouse=True)
def _no_leaked_threads() -> Iterator[None]:
    """A test ends every thread that it started."""
    before = set(threading.enumerate())
    yield
    leaked = [thread for thread in threading.enumerate() if thread not in before and thread.is_alive()]
    for thread in leaked:
        thread.join(timeout=5)
    names = [thread.name for thread in leaked if thread.is_alive()]
    assert not names, f"threads left running: {names}"
