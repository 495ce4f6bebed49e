"""Settings: arguments, environment, defaults, and what is refused."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from otel_agenttrace.config import TracingConfig, is_quiet, resolve_config
from otel_agenttrace.errors import ConfigError
from otel_agenttrace.pipeline.redact import RedactConfig


def test_without_arguments_and_environment_the_defaults_hold() -> None:
    """Nothing given means: default store, observe, redact, keep content, instrument what is installed."""
    assert resolve_config({}) == TracingConfig()


@pytest.mark.parametrize(
    ("variable", "text", "setting", "value"),
    [
        ("AGENTTRACE_SERVICE_NAME", "booking", "service_name", "booking"),
        ("AGENTTRACE_PROJECT", "travel", "project", "travel"),
        ("AGENTTRACE_STORE", "memory:", "store", "memory:"),
        ("AGENTTRACE_STORE", "none", "store", None),
        ("AGENTTRACE_EXPORTERS", "otlp, console", "exporters", ("otlp", "console")),
        ("OTEL_TRACES_EXPORTER", "none", "exporters", ()),
        ("AGENTTRACE_CONTRACT", "Enforce", "contract", "enforce"),
        ("AGENTTRACE_CONTRACT_FILE", "contract.yaml", "contract_file", Path("contract.yaml")),
        ("AGENTTRACE_REDACT", "off", "redact", False),
        ("AGENTTRACE_REDACT", "emails, cards", "redact", RedactConfig(emails=True, cards=True)),
        ("AGENTTRACE_CONTENT", "none", "content", False),
        ("AGENTTRACE_CONTENT", "store, otlp", "content", frozenset({"store", "otlp"})),
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "NO_CONTENT", "content", False),
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY", "content", True),
        ("AGENTTRACE_INSTRUMENT", "httpx,openai", "instrument", ("httpx", "openai")),
        ("AGENTTRACE_INSTRUMENT", "none", "instrument", ()),
        ("AGENTTRACE_MAX_VALUE_BYTES", "4096", "max_value_bytes", 4096),
    ],
)
def test_each_setting_is_read_from_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, setting: str, value: object
) -> None:
    """Every setting has a variable, whose texts mean what the argument's values mean."""
    monkeypatch.setenv(variable, text)

    assert getattr(resolve_config({}), setting) == value


def test_the_standard_variable_comes_before_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where OpenTelemetry has a variable, it wins over the one with our prefix."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setenv("AGENTTRACE_EXPORTERS", "console")

    assert resolve_config({}).exporters == ("otlp",)


def test_an_argument_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the code says wins over what the environment says."""
    monkeypatch.setenv("AGENTTRACE_CONTRACT", "enforce")

    assert resolve_config({"contract": "off"}).contract == "off"


def test_nothing_keeps_content_that_the_standard_variable_forbids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the agent can keep content out, whatever its code asks for."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "NO_CONTENT")

    assert resolve_config({"content": True}).content is False


@pytest.mark.parametrize(
    ("setting", "value", "accepted"),
    [
        ("service_name", 3, "a text"),
        ("service_name", "  ", "a text"),
        ("store", 3, "sqlite:///"),
        ("exporters", 3, "otlp"),
        ("exporters", [3], "otlp"),
        ("contract", "strict", "off, observe, enforce"),
        ("contract_file", 3, "YAML"),
        ("redact", "perhaps", "RedactConfig"),
        ("content", [3], "names of the targets"),
        ("instrument", 3, "auto"),
        ("max_value_bytes", "many", "a number of bytes"),
        ("max_value_bytes", True, "a number of bytes"),
    ],
)
def test_a_wrong_argument_raises_and_names_what_is_accepted(setting: str, value: Any, accepted: str) -> None:
    """A wrong argument is a mistake in the program, so it raises at once, with the setting and what it accepts."""
    with pytest.raises(ConfigError, match=f"^{setting}=.* is not accepted; expected .*{accepted}"):
        resolve_config({setting: value})


def test_a_wrong_variable_is_logged_and_the_default_holds(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong environment is one clear error in the log, and never stops an agent."""
    monkeypatch.setenv("AGENTTRACE_CONTRACT", "strict")

    assert resolve_config({}).contract == "observe"
    assert caplog.record_tuples == [
        (
            "otel_agenttrace",
            logging.ERROR,
            "AGENTTRACE_CONTRACT='strict' is not accepted; expected off, observe, enforce; the default is used",
        )
    ]


def test_only_arguments_can_differ_from_what_runs() -> None:
    """A second call is compared by what it was given, not by what it left out."""
    running = resolve_config({"service_name": "booking", "contract": "off"})

    assert running.differing(resolve_config({"service_name": "booking"})) == []
    assert running.differing(resolve_config({"service_name": "search", "contract": "observe"})) == [
        "contract",
        "service_name",
    ]


@pytest.mark.parametrize(("text", "quiet"), [("", False), ("0", False), ("no", False), ("1", True), ("yes", True)])
def test_quiet_is_any_text_but_a_no(monkeypatch: pytest.MonkeyPatch, text: str, *, quiet: bool) -> None:
    """`AGENTTRACE_QUIET` asks for silence with whatever does not say no."""
    monkeypatch.setenv("AGENTTRACE_QUIET", text)

    assert is_quiet() is quiet
