"""`opentelemetry-instrument python app.py`: recorded without a line of code, whatever else is installed."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace import open_store
from otel_agenttrace.model.verdicts import is_verdict
from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.testing.programs import run_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from subprocess import CompletedProcess

    from otel_agenttrace.model.record import SpanRecord

_AGENT = """
    import httpx
    from opentelemetry import trace

    with trace.get_tracer("agent").start_as_current_span("run") as span:
        try:
            httpx.get("http://127.0.0.1:9/")
        except httpx.ConnectError:
            pass
"""

_has_azure = find_spec("azure") is not None and find_spec("azure.monitor.opentelemetry") is not None
needs_azure = pytest.mark.skipif(not _has_azure, reason="needs the azure extra")

_QUIET_AZURE = {
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
    "APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED": "true",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true",
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "otel",
    "OTEL_LOGS_EXPORTER": "none",
    "OTEL_METRICS_EXPORTER": "none",
}


def _instrument(
    folder: Path, source: str = _AGENT, environment: Mapping[str, str] | None = None
) -> CompletedProcess[str]:
    return run_program(folder, source, environment, launcher=["opentelemetry-instrument"])


def _stored(folder: Path) -> list[SpanRecord]:
    """What is stored, but for the verdict."""
    with open_store(f"sqlite:///{folder / '.agenttrace' / 'traces.db'}") as store:
        return [span for span in store.spans.find_spans(SpanQuery(order="stored_asc")) if not is_verdict(span)]


def _names(folder: Path) -> list[str]:
    return [span.name for span in _stored(folder)]


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("opentelemetry_traces_exporter", {"agenttrace", "agenttrace_jsonl"}),
        ("opentelemetry_id_generator", {"agenttrace"}),
        ("opentelemetry_configurator", {"agenttrace"}),
        ("opentelemetry_pre_instrument", {"agenttrace"}),
        ("opentelemetry_post_instrument", {"agenttrace"}),
    ],
)
def test_the_entry_points_load(group: str, names: set[str]) -> None:
    """Each name that the package registers leads somewhere."""
    found = {entry.name: entry.load() for entry in entry_points(group=group) if entry.name in names}

    assert found.keys() == names
    assert all(map(callable, found.values()))


def test_a_program_without_our_code_is_recorded(tmp_path: Path) -> None:
    """Spans of its own and of instrumentors are stored, with ids and service name from us and the environment."""
    done = _instrument(tmp_path, environment={"OTEL_SERVICE_NAME": "booking-agent"})
    run, get = _stored(tmp_path)

    assert [line for line in done.stderr.splitlines() if line.startswith("agenttrace:")] == [
        "agenttrace: booking-agent -> ~/.agenttrace/traces.db (httpx, openai; content on)",
        "agenttrace: 1 trace, none failed -> agenttrace trace list",
    ]
    assert (run.name, get.name) == ("run", "GET")
    assert get.parent_span_id == run.span_id
    assert int(run.trace_id[:12], 16) * 1_000_000 == pytest.approx(run.start_time_unix_nano, abs=10**9)


def test_a_program_that_configures_too_is_recorded_once(tmp_path: Path) -> None:
    """configure_tracing in the program finds tracing running, and nothing is recorded twice."""
    _instrument(tmp_path, f"\n    from otel_agenttrace import configure_tracing\n    configure_tracing()\n{_AGENT}")

    assert _names(tmp_path) == ["run", "GET"]


def test_our_exporter_by_name_is_the_store(tmp_path: Path) -> None:
    """`OTEL_TRACES_EXPORTER=agenttrace` asks for what happens anyway, once."""
    _instrument(tmp_path, environment={"OTEL_TRACES_EXPORTER": "agenttrace"})

    assert _names(tmp_path) == ["run", "GET"]


def test_json_lines_by_name(tmp_path: Path) -> None:
    """`OTEL_TRACES_EXPORTER=agenttrace_jsonl` writes OTLP JSON lines beside the store."""
    _instrument(tmp_path, environment={"OTEL_TRACES_EXPORTER": "agenttrace_jsonl"})
    lines = (tmp_path / "agenttrace.jsonl").read_text().splitlines()

    assert [json.loads(line)["resourceSpans"] != [] for line in lines] == [True, True], "the spans, and the verdict"


@pytest.fixture
def other_configurator(tmp_path: Path) -> dict[str, str]:
    """A configurator of another vendor, installed and chosen: the SDK's own, as distributions subclass it."""
    folder = tmp_path / "site"
    info = folder / "other_vendor-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-vendor\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[opentelemetry_configurator]\nother = other_vendor:Configurator\n")
    (folder / "other_vendor.py").write_text(
        "from opentelemetry.sdk._configuration import _OTelSDKConfigurator\n"
        "class Configurator(_OTelSDKConfigurator):\n    pass\n"
    )
    return {"OTEL_PYTHON_CONFIGURATOR": "other", "PYTHONPATH": str(folder)}


def test_another_configurator_changes_nothing(tmp_path: Path, other_configurator: dict[str, str]) -> None:
    """Whoever sets the provider up, our hooks record from it."""
    done = _instrument(tmp_path, environment=other_configurator)

    assert _names(tmp_path) == ["run", "GET"]
    assert "1 trace, none failed" in done.stderr


def test_our_exporter_behind_another_configurator_stores_once(
    tmp_path: Path, other_configurator: dict[str, str]
) -> None:
    """Where the SDK has made our exporter itself, no second one is added, and it redacts by itself."""
    secret = "sk-proj-" + "a1B2c3D4" * 6
    source = f"{_AGENT}        span.set_attribute('note', '{secret}')\n"
    done = _instrument(tmp_path, source, {**other_configurator, "OTEL_TRACES_EXPORTER": "agenttrace"})

    assert _names(tmp_path) == ["run", "GET"]
    assert secret not in str(_stored(tmp_path)[1].attributes)
    assert "-> ~/.agenttrace/traces.db (httpx" in done.stderr
    assert "1 trace, none failed -> agenttrace trace list" in done.stderr


@pytest.mark.parametrize("environment", [{"OTEL_METRICS_EXPORTER": "nosuch"}, {"OTEL_CONFIG_FILE": "nosuch.yaml"}])
def test_a_wrong_environment_does_not_stop_recording(tmp_path: Path, environment: dict[str, str]) -> None:
    """When the SDK's own set-up fails, that is logged, and spans are recorded all the same."""
    done = _instrument(tmp_path, environment=environment)

    assert _names(tmp_path) == ["run", "GET"]
    assert "OpenTelemetry could not be configured as the environment asks" in done.stderr


def test_a_disabled_sdk_records_nothing(tmp_path: Path) -> None:
    """`OTEL_SDK_DISABLED=true` holds here too."""
    done = _instrument(tmp_path, environment={"OTEL_SDK_DISABLED": "true"})

    assert "agenttrace:" not in done.stderr
    assert not (tmp_path / ".agenttrace").exists()


def test_instrumentors_are_turned_on_once(tmp_path: Path) -> None:
    """The launcher has turned them on; nobody warns of a second time."""
    assert "already instrumented" not in _instrument(tmp_path).stderr


@needs_azure
def test_with_azure_installed_and_not_set_up(tmp_path: Path) -> None:
    """Azure's distribution without a connection string neither wins nor breaks ours."""
    _instrument(tmp_path, environment=_QUIET_AZURE)

    assert "run" in _names(tmp_path)


@pytest.fixture
def azure_endpoint() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An Application Insights ingestion endpoint: a connection string for it, and the envelopes it was sent."""
    envelopes: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            envelopes.extend(sent)
            answer = json.dumps({"itemsReceived": len(sent), "itemsAccepted": len(sent), "errors": []}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    key = "00000000-1111-2222-3333-444444444444"
    yield f"InstrumentationKey={key};IngestionEndpoint=http://127.0.0.1:{server.server_port}/", envelopes
    server.shutdown()
    server.server_close()
    thread.join()


@needs_azure
@pytest.mark.parametrize("configurator", ["", "azure_monitor_opentelemetry_configurator"])
def test_with_azure_set_up_both_get_every_span(
    tmp_path: Path, azure_endpoint: tuple[str, list[dict[str, Any]]], configurator: str
) -> None:
    """With a connection string each span goes to Azure once and to the store once, whoever's configurator runs."""
    connection_string, envelopes = azure_endpoint
    environment = {**_QUIET_AZURE, "APPLICATIONINSIGHTS_CONNECTION_STRING": connection_string}
    if configurator:
        environment["OTEL_PYTHON_CONFIGURATOR"] = configurator
    _instrument(tmp_path, environment=environment)
    sent = [item["data"]["baseData"].get("name") for item in envelopes if "baseData" in item.get("data", {})]

    assert _names(tmp_path).count("run") == 1
    assert sent.count("run") == 1


@needs_azure
@pytest.mark.parametrize("sampler", ["", "always_on"])
def test_a_provider_of_azures_is_used(
    tmp_path: Path, azure_endpoint: tuple[str, list[dict[str, Any]]], sampler: str
) -> None:
    """After configure_azure_monitor() its provider is recorded from; that it samples by default is warned about."""
    connection_string, envelopes = azure_endpoint
    environment = {**_QUIET_AZURE, "APPLICATIONINSIGHTS_CONNECTION_STRING": connection_string}
    done = run_program(
        tmp_path,
        """
        from azure.monitor.opentelemetry import configure_azure_monitor
        from opentelemetry import trace
        from otel_agenttrace import configure_tracing

        configure_azure_monitor(enable_live_metrics=False, enable_performance_counters=False)
        configure_tracing(instrument=False)
        trace.get_tracer("agent").start_span("run").end()
        """,
        {**environment, "OTEL_TRACES_SAMPLER": sampler} if sampler else environment,
    )

    assert ("the existing TracerProvider samples" in done.stderr) is not bool(sampler)
    if sampler:
        assert _names(tmp_path) == ["run"]
        assert [item["data"]["baseData"].get("name") for item in envelopes].count("run") == 1
