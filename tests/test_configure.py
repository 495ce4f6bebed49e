"""configure_tracing in this process: providers, stores, exporters, and what it does with wrong ones."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

from otel_agenttrace import ConfigError, RedactConfig, TimeOrderedIdGenerator, Tracing, configure_tracing, open_store
from otel_agenttrace.errors import StoreUnavailableError
from otel_agenttrace.exporters.store import StoreSpanExporter
from otel_agenttrace.model.verdicts import is_verdict
from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.stores.memory import MemorySpanStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan

    Configure = Callable[..., Tracing]

SECRET = "sk-proj-" + "a1B2c3D4" * 6


@pytest.fixture
def configure() -> Iterator[Configure]:
    """configure_tracing without instrumentors; what it starts is shut down."""
    started: list[Tracing] = []

    def start(*args: Any, **settings: Any) -> Tracing:
        tracing = configure_tracing(*args, **({"instrument": False} | settings))
        started.append(tracing)
        return tracing

    yield start
    for tracing in started:
        tracing.shutdown()


def _make_span(name: str = "chat", attributes: dict[str, Any] | None = None) -> None:
    with trace.get_tracer("tests").start_as_current_span(name, attributes=attributes):
        pass


def _names(store: MemorySpanStore) -> list[str]:
    return [span.name for span in store.find_spans(SpanQuery(order="stored_asc"))]


class _FailingExporter(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        raise RuntimeError(f"the network is down, {len(spans)} spans wait")


def test_every_span_of_the_process_is_stored(configure: Configure) -> None:
    """One call records whatever OpenTelemetry spans are made from then on."""
    store = MemorySpanStore()
    tracing = configure("booking-agent", store=store)
    _make_span("search")

    assert tracing.flush()
    (span,) = store.find_spans(SpanQuery())
    assert (span.name, span.resource.service_name, span.scope.name) == ("search", "booking-agent", "tests")


def test_leaving_the_block_shuts_down(configure: Configure) -> None:
    """As a context manager it flushes and stops at the end of the block."""
    store = MemorySpanStore()
    with configure(store=store) as tracing:
        _make_span("inside")
    _make_span("outside")

    assert tracing.is_shut_down
    assert _names(store) == ["inside"]


def test_a_second_call_gives_the_same_tracing(configure: Configure, caplog: pytest.LogCaptureFixture) -> None:
    """It may be called again anywhere: no second recorder, and a warning when its arguments differ."""
    store = MemorySpanStore()
    first = configure("booking-agent", store=store)

    assert configure() is first
    assert caplog.records == []
    assert configure("search-agent", store=store) is first
    assert "configured already; these arguments are ignored: service_name" in caplog.text
    _make_span()
    first.flush()
    assert _names(store) == ["chat"]


def test_concurrent_calls_start_one_recorder(configure: Configure) -> None:
    """Threads that configure at once get one Tracing between them."""
    store = MemorySpanStore()
    results: list[Tracing] = []
    barrier = threading.Barrier(8)

    def call() -> None:
        barrier.wait()
        results.append(configure(store=store))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _make_span()
    results[0].flush()

    assert len(set(results)) == 1
    assert _names(store) == ["chat"]


def test_it_may_be_configured_again_after_shutdown(configure: Configure) -> None:
    """A notebook that shuts down and configures again records again, each span once."""
    first, second = MemorySpanStore(), MemorySpanStore()
    configure(store=first).shutdown()
    tracing = configure(store=second)
    _make_span()

    assert tracing.flush()
    assert (_names(first), _names(second)) == ([], ["chat"])


def test_shutting_down_twice_is_fine(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    """The second time nothing happens, and nothing is printed twice."""
    tracing = configure(store=MemorySpanStore())
    _make_span()

    assert tracing.shutdown()
    assert tracing.shutdown()
    assert tracing.flush()
    assert capsys.readouterr().err.count("1 trace, none failed") == 1


def test_a_disabled_sdk_does_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`OTEL_SDK_DISABLED=true` turns us off too, without a line."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    store = MemorySpanStore()
    tracing = configure_tracing("booking-agent", store=store)
    _make_span()

    assert tracing.flush()
    assert tracing.is_shut_down
    assert _names(store) == []
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"contract": "strict"}, "contract='strict' is not accepted; expected off, observe, enforce"),
        ({"store": "oracle://db"}, "store"),
        ({"exporters": ["telegraph"]}, "exporters='telegraph' is not accepted; installed are .*otlp"),
        ({"instrument": ["nosuch"]}, "instrument='nosuch' is not accepted; installed are .*httpx"),
        ({"max_value_bytes": 1}, "max_value_bytes"),
        ({"durability": "forever"}, "durability='forever' is not accepted; expected process, power, batch"),
        ({"start_records": "some"}, "start_records='some' is not accepted; expected these, all, none"),
        ({"spool_max_bytes": 17}, "spool_max_bytes=17 is not accepted; expected a number of bytes from 4096"),
        ({"spool_dir": 3}, "spool_dir=3 is not accepted; expected the path of a directory"),
        ({"contract_file": "missing.yaml"}, "missing.yaml"),
    ],
)
def test_a_wrong_argument_raises_and_leaves_nothing_behind(
    configure: Configure, settings: dict[str, Any], message: str
) -> None:
    """A wrong argument raises at once; a right call afterwards works."""
    with pytest.raises(ConfigError, match=message):
        configure(**({"store": MemorySpanStore()} | settings))

    store = MemorySpanStore()
    configure(store=store).flush()
    _make_span()
    assert configure().flush()
    assert _names(store) == ["chat"]


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("AGENTTRACE_CONTRACT", "strict", "AGENTTRACE_CONTRACT='strict' is not accepted"),
        ("AGENTTRACE_CONTRACT_FILE", "missing.yaml", "missing.yaml"),
        ("AGENTTRACE_MAX_VALUE_BYTES", "1", "max_value_bytes"),
        ("AGENTTRACE_INSTRUMENT", "nosuch", "instrument='nosuch' is not accepted"),
        ("OTEL_TRACES_EXPORTER", "telegraph", "exporters='telegraph' is not accepted"),
        ("OTEL_PYTHON_ID_GENERATOR", "nosuch", "opentelemetry_id_generator 'nosuch' is not installed"),
        ("OTEL_TRACES_SAMPLER", "nosuch", "opentelemetry_traces_sampler 'nosuch' is not installed"),
        (
            "AGENTTRACE_DURABILITY",
            "forever",
            "AGENTTRACE_DURABILITY='forever' is not accepted; expected process, power",
        ),
        ("AGENTTRACE_START_RECORDS", "some", "AGENTTRACE_START_RECORDS='some' is not accepted; expected these, all"),
        ("AGENTTRACE_SPOOL_MAX_BYTES", "12 parsecs", "AGENTTRACE_SPOOL_MAX_BYTES='12 parsecs' is not accepted"),
        ("AGENTTRACE_SPOOL_DIR", "/proc/none", "the spool /proc/none cannot be made"),
    ],
)
def test_a_wrong_environment_is_logged_and_the_agent_is_recorded(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, variable: str, value: str, message: str
) -> None:
    """Nothing in the environment stops an agent, or its recording."""
    monkeypatch.setenv(variable, value)
    store = MemorySpanStore()
    settings = {} if variable == "AGENTTRACE_INSTRUMENT" else {"instrument": False}
    with configure_tracing(store=store, **settings):  # type: ignore[arg-type]
        _make_span()

    assert _names(store) == ["chat"]
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert message in errors[0]


def test_an_environment_that_the_sdk_refuses_turns_tracing_off(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """When not even a TracerProvider can be made, the agent goes on unrecorded, and the log says why."""
    monkeypatch.setenv("OTEL_SPAN_EVENT_COUNT_LIMIT", "many")
    tracing = configure_tracing(store=MemorySpanStore())
    _make_span()

    assert tracing.is_shut_down
    assert "tracing could not be started; the agent goes on without it" in caplog.text


def test_a_missing_extra_is_logged(configure: Configure, caplog: pytest.LogCaptureFixture) -> None:
    """An exporter whose package is not installed is left out, with the command that brings it."""
    pytest.importorskip("opentelemetry")
    try:
        import azure.monitor.opentelemetry.exporter  # noqa: F401, PLC0415
    except ImportError:
        pass
    else:
        pytest.skip("the azure extra is installed")
    store = MemorySpanStore()
    with configure(store=store, exporters=["azure"]):
        _make_span()

    assert _names(store) == ["chat"]
    assert "pip install 'otel-agenttrace[azure]'" in caplog.text


def test_a_store_that_cannot_be_opened_is_logged_and_exporters_go_on(
    configure: Configure, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """A damaged file costs the store, not the agent and not the other targets."""
    damaged = tmp_path / "traces.db"
    damaged.write_bytes(b"this is no database" * 100)
    exporter = InMemorySpanExporter()
    with configure(store=f"sqlite:///{damaged}", exporters=[exporter]):
        _make_span()

    assert [span.name for span in exporter.get_finished_spans()] == ["chat"]
    assert "traces.db cannot be opened" in caplog.text


def test_a_store_that_comes_back_is_used(configure: Configure, caplog: pytest.LogCaptureFixture) -> None:
    """A store that is away for a moment is tried again before spans are given up."""

    class Reluctant(MemorySpanStore):
        attempts = 0

        def write_spans(self, spans: Any) -> None:
            self.attempts += 1
            if self.attempts < 3:
                raise StoreUnavailableError("busy")
            super().write_spans(spans)

    store = Reluctant()
    tracing = configure(store=store)
    _make_span()

    assert tracing.flush()
    assert _names(store) == ["chat"]
    assert caplog.records == []


def test_an_existing_provider_is_used_with_its_exporters(configure: Configure) -> None:
    """A program that has set OpenTelemetry up keeps all it had, and is recorded besides."""
    provider, theirs = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(theirs))
    trace.set_tracer_provider(provider)
    store = MemorySpanStore()
    tracing = configure(store=store)
    _make_span()
    tracing.flush()

    assert tracing.tracer_provider is provider
    assert [span.name for span in theirs.get_finished_spans()] == ["chat"]
    assert _names(store) == ["chat"]


def test_an_existing_provider_that_samples_is_warned_about(
    configure: Configure, caplog: pytest.LogCaptureFixture
) -> None:
    """What somebody else's sampler drops cannot be recorded, and that is said."""
    trace.set_tracer_provider(TracerProvider(sampler=TraceIdRatioBased(0.1), shutdown_on_exit=False))
    configure(store=MemorySpanStore())

    assert "the existing TracerProvider samples (TraceIdRatioBased{0.1})" in caplog.text


def test_a_provider_that_keeps_all_is_not_warned_about(configure: Configure, caplog: pytest.LogCaptureFixture) -> None:
    """The SDK's default sampler keeps every trace that begins here."""
    trace.set_tracer_provider(TracerProvider(shutdown_on_exit=False))
    configure(store=MemorySpanStore())

    assert caplog.records == []


def test_a_service_name_that_an_existing_provider_overrules_is_warned_about(
    configure: Configure, caplog: pytest.LogCaptureFixture
) -> None:
    """The resource of a provider cannot be changed any more."""
    resource = Resource({"service.name": "theirs"})
    trace.set_tracer_provider(TracerProvider(resource=resource, shutdown_on_exit=False))
    configure("ours", store=MemorySpanStore())

    assert "service_name='ours' is ignored: the existing TracerProvider says 'theirs'" in caplog.text


def test_a_provider_that_takes_no_processors_is_told(configure: Configure, caplog: pytest.LogCaptureFixture) -> None:
    """A provider that is not the SDK's cannot be recorded from; the log says so."""
    trace.set_tracer_provider(trace.NoOpTracerProvider())
    configure(store=MemorySpanStore())

    assert "the TracerProvider in use (NoOpTracerProvider) takes no span processors" in caplog.text


@pytest.mark.parametrize(
    ("argument", "environment", "name"),
    [
        ("mine", {"OTEL_SERVICE_NAME": "standard"}, "mine"),
        (None, {"OTEL_SERVICE_NAME": "standard", "AGENTTRACE_SERVICE_NAME": "ours"}, "standard"),
        (None, {"OTEL_RESOURCE_ATTRIBUTES": "service.name=listed"}, "listed"),
        (None, {"AGENTTRACE_SERVICE_NAME": "ours"}, "ours"),
    ],
)
def test_the_service_name_is_the_argument_then_the_standard_then_ours(
    monkeypatch: pytest.MonkeyPatch,
    configure: Configure,
    argument: str | None,
    environment: dict[str, str],
    name: str,
) -> None:
    """An argument comes first, then the standard variables, then ours."""
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    tracing = configure(argument, store=MemorySpanStore())

    assert tracing.tracer_provider.resource.attributes["service.name"] == name  # type: ignore[attr-defined]


@pytest.mark.parametrize(("variable", "kind"), [("", TimeOrderedIdGenerator), ("random", RandomIdGenerator)])
def test_ids_are_time_ordered_unless_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, configure: Configure, variable: str, kind: type
) -> None:
    """`OTEL_PYTHON_ID_GENERATOR` is obeyed."""
    monkeypatch.setenv("OTEL_PYTHON_ID_GENERATOR", variable)
    provider = configure(store=MemorySpanStore()).tracer_provider

    assert isinstance(provider.id_generator, kind)  # type: ignore[attr-defined]


def test_the_sampler_of_the_environment_is_obeyed_and_told(
    monkeypatch: pytest.MonkeyPatch, configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    """Spans that `OTEL_TRACES_SAMPLER` leaves out are not stored, but counted."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    store = MemorySpanStore()
    with configure(store=store):
        _make_span()

    assert _names(store) == []
    assert "1 span left out by the sampler" in capsys.readouterr().err


def test_exporters_get_what_the_pipeline_made_of_a_span(configure: Configure) -> None:
    """Redaction, contract and failures go out too, not only to the store."""
    exporter = InMemorySpanExporter()
    tracing = configure(store=False, exporters=[exporter])
    with trace.get_tracer("tests").start_as_current_span("book") as span:
        span.set_attributes({"api": f"key {SECRET}", "task.status": "done"})
        span.record_exception(ValueError("wrong date"))
    tracing.flush()
    exported, verdict = exporter.get_finished_spans()

    assert exported.attributes is not None
    assert SECRET not in str(exported.attributes["api"])
    assert exported.attributes["failure.type"] == "exception"
    assert verdict.name == "agenttrace.verdict"
    assert "agenttrace.contract.violation" in [event.name for event in exported.events]


def test_an_exporter_that_raises_costs_the_others_nothing(
    configure: Configure, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """A broken exporter is told of; store and agent go on, and what it did not take waits on disk."""
    store = MemorySpanStore()
    tracing = configure("shop", store=store, exporters=[_FailingExporter()])
    _make_span("one")
    for _ in range(3):
        assert tracing.flush()
    _make_span("two")
    assert tracing.shutdown()

    assert _names(store) == ["one", "two"]
    assert [record.getMessage() for record in caplog.records] == [
        "_FailingExporter@shop does not take spans, which wait on disk: RuntimeError: the network is down, 1 spans wait"
    ]
    assert "2 spans wait on disk for _FailingExporter@shop: the next start sends them\n" in capsys.readouterr().err


def test_without_a_store_a_flush_is_for_the_exporters(configure: Configure) -> None:
    """Where there is nothing else to have the spans, it says whether they were delivered."""
    tracing = configure(store=False, exporters=[_FailingExporter()])
    _make_span()

    assert not tracing.flush()


def test_a_flush_keeps_to_its_timeout(configure: Configure) -> None:
    """An exporter that hangs does not hang the agent: flush and shutdown come back in time and say False."""
    release = threading.Event()

    class Hanging(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            del spans
            release.wait(30)
            return SpanExportResult.SUCCESS

    tracing = configure(store=False, exporters=[Hanging()])
    _make_span()

    assert not tracing.flush(timeout_s=0.05)
    assert not tracing.shutdown(timeout_s=0.05)
    release.set()


def test_one_destination_gets_spans_once(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an existing provider exports to already, or what is asked for twice, is not added again."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(shutdown_on_exit=False)
    theirs = BatchSpanProcessor(OTLPSpanExporter())
    provider.add_span_processor(theirs)
    trace.set_tracer_provider(provider)
    tracing = configure(store="memory:", exporters=["otlp", "otlp_proto_http"])

    assert tracing.config is not None
    assert [target.label for target in tracing._recorder._targets.all] == ["memory"]  # type: ignore[union-attr]
    theirs.shutdown()  # type: ignore[no-untyped-call]


def test_without_store_and_exporter_spans_are_printed(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever keeps nothing sees it at least: on the console, as JSON that cannot drive a terminal."""
    with configure(store=False):
        _make_span("\x1b[2J chat", {"blob": b"\x00\xff"})
    printed = capsys.readouterr().out

    assert '"name": "\\u001b[2J chat"' in printed
    assert "\x1b" not in printed


def test_asking_for_no_exporter_prints_nothing(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    """`exporters=[]` beside `store=False` is somebody who wants nothing at all."""
    with configure(store=False, exporters=[]):
        _make_span()

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("content", "store_keeps", "exporter_keeps"),
    [(None, True, True), (False, False, False), (["store"], True, False), (["InMemorySpanExporter"], False, True)],
)
def test_each_target_can_leave_content_out(
    configure: Configure, content: object, *, store_keeps: bool, exporter_keeps: bool
) -> None:
    """Messages go to the targets that are named, and nowhere else; the rest of the span goes everywhere."""
    store, exporter = MemorySpanStore(), InMemorySpanExporter()
    with configure(store=store, exporters=[exporter], content=content):
        _make_span(attributes={"gen_ai.input.messages": "Hello", "gen_ai.request.model": "gpt"})
    (stored,) = store.find_spans(SpanQuery())
    (exported,) = exporter.get_finished_spans()

    assert ("gen_ai.input.messages" in stored.attributes) is store_keeps
    assert ("gen_ai.input.messages" in (exported.attributes or {})) is exporter_keeps
    assert stored.attributes["gen_ai.request.model"] == "gpt"


def test_instrumentors_are_told_to_keep_content_while_tracing_runs(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unset, the standard variable means no content; it is set for the time of the recording, and obeyed if set."""
    variable = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
    import os  # noqa: PLC0415

    with configure(store=MemorySpanStore()):
        assert os.environ[variable] == "SPAN_ONLY"
    assert variable not in os.environ
    monkeypatch.setenv(variable, "NO_CONTENT")
    with configure(store=MemorySpanStore()):
        assert os.environ[variable] == "NO_CONTENT"


def test_a_rule_of_ones_own_hides_what_it_knows(configure: Configure) -> None:
    """`redact` takes a RedactConfig, a function, or False."""
    store = MemorySpanStore()
    with configure(store=store, redact=RedactConfig(patterns=("booking [0-9]+",))):
        _make_span(attributes={"note": "booking 4711"})
    with configure(store=store, redact=False):
        _make_span(attributes={"note": SECRET})
    with configure(store=store, redact=lambda key, text: None if key == "note" else text):
        _make_span(attributes={"note": "anything"})
    notes = [str(span.attributes["note"]) for span in store.find_spans(SpanQuery(order="stored_asc"))]

    assert "4711" not in notes[0]
    assert notes[1] == SECRET
    assert "anything" not in notes[2]


def test_values_are_cut_at_the_bound_that_was_set(configure: Configure) -> None:
    """A value beyond `max_value_bytes` is cut with a marker."""
    store = MemorySpanStore()
    with configure(store=store, max_value_bytes=1000):
        _make_span(attributes={"long": "x" * 5000})
    (span,) = store.find_spans(SpanQuery())

    assert len(str(span.attributes["long"])) <= 1000
    assert "TRUNCATED" in str(span.attributes["long"])


def test_tasks_have_a_project(configure: Configure) -> None:
    """Spans of a task have the project's id: the argument, else the service name; other spans have none."""
    store = MemorySpanStore()
    tracer_name, task = "tests", {"task.id": "T-1", "task.phase": "OTHER", "task.status": "completed"}
    with configure("travel", store=store), trace.get_tracer(tracer_name).start_as_current_span("task", attributes=task):
        _make_span("child")
    with configure(store=store, project="booking"):
        _make_span("other", task)
        _make_span("plain")
    spans = [span for span in store.find_spans(SpanQuery()) if not is_verdict(span)]
    projects = {span.name: span.attributes.get("project.id") for span in spans}

    assert projects == {"task": "travel", "child": "travel", "other": "booking", "plain": None}


def test_work_of_exporters_is_not_recorded(configure: Configure) -> None:
    """An exporter that uses an instrumented client makes no spans of its own."""

    class Calling(SpanExporter):
        calls = 0

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            del spans
            self.calls += 1
            with pytest.raises(httpx.ConnectError), httpx.Client() as client:
                client.get("http://127.0.0.1:9/")
            return SpanExportResult.SUCCESS

    store, exporter = MemorySpanStore(), Calling()
    with configure(store=store, exporters=[exporter], instrument=["httpx"]):
        _make_span("agent")
    assert exporter.calls == 1
    assert _names(store) == ["agent"]


def test_a_file_store_can_be_read_by_its_url(configure: Configure, tmp_path: Path) -> None:
    """What was recorded is found by whoever opens the same URL."""
    url = f"sqlite:///{tmp_path / 'traces.db'}"
    with configure(store=url):
        _make_span()

    with open_store(url) as store:
        assert [span.name for span in store.spans.find_spans(SpanQuery())] == ["chat"]


def test_a_provider_that_was_shut_down_can_be_recorded_again(configure: Configure) -> None:
    """When the program has shut its provider down, configuring again starts a recorder, not a dead one."""
    store = MemorySpanStore()
    first = configure(store=store)
    first.tracer_provider.shutdown()  # type: ignore[attr-defined]
    assert first.is_shut_down
    second = configure(store=store)
    _make_span()

    assert second is not first
    assert second.flush()
    assert _names(store) == ["chat"]


def test_our_own_exporters_are_taken_as_they_are(configure: Configure) -> None:
    """An exporter to a second store may be among the exporters."""
    first, second = MemorySpanStore(), MemorySpanStore()
    with configure(store=first, exporters=[StoreSpanExporter(second)]):
        _make_span()

    assert (_names(first), _names(second)) == (["chat"], ["chat"])
