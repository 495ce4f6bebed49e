"""What the spool calls an exporter, so that what waits for it reaches nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from otel_agenttrace.config import resolve_config
from otel_agenttrace.spool.status import read_status
from otel_agenttrace.targets import TargetBuilder, target_name
from otel_agenttrace.testing.programs import run_program

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan

    from otel_agenttrace.targets import Target


class Mine(SpanExporter):
    """An exporter of one's own, with the attributes that it is given."""

    def __init__(self, **attributes: object) -> None:
        vars(self).update(attributes)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Take all."""
        del spans
        return SpanExportResult.SUCCESS


def named(service: str, **attributes: object) -> str:
    """What an exporter of a service's program is called."""
    return target_name("Mine", Mine(**attributes), service)


def built(service: str, *exporters: SpanExporter) -> list[Target]:
    """The targets that a service's program has."""
    provider = TracerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
    config: Any = resolve_config({"store": False, "exporters": exporters})
    return list(TargetBuilder(config, provider).build().all)


def test_what_waits_for_one_service_is_not_sent_by_another() -> None:
    """Two programs on one store, each with its own object of one class, have two targets."""
    names = [[target.spooled.name for target in built(service, Mine())] for service in ("shop", "bank")]

    assert names == [["Mine@shop"], ["Mine@bank"]]


def test_two_objects_of_one_class_are_two_targets_of_a_program() -> None:
    """Told apart by their order, where nothing says where they send; a command can make neither."""
    first, second = built("shop", Mine(), Mine())

    assert (first.spooled.name, second.spooled.name) == ("Mine@shop", "Mine@shop#2")
    assert not first.is_by_name
    assert not second.is_by_name


@pytest.mark.parametrize("attribute", ["url", "endpoint", "_endpoint"])
def test_an_exporter_may_say_where_it_sends(attribute: str) -> None:
    """Then it has that name in every service, without what is secret; another query is another place."""
    place = {attribute: "https://ada:secret@collector:4318/v1/"}

    assert named("shop", **place) == named("bank", **place) == "Mine@collector:4318/v1"
    names = {named("shop", **{attribute: f"https://collector/v1{query}"}) for query in ("", "?key=1", "?key=2")}
    assert len(names) == 3
    assert not any("key" in name for name in names)


@pytest.mark.parametrize("value", [None, "", 3, b"https://collector", "http://[broken", ["x"]])
def test_what_is_no_place_does_no_harm(value: Any) -> None:
    """Whatever an exporter keeps under these names, it has a name of its own."""
    (target,) = built("shop", Mine(url=value))

    assert target.spooled.name.startswith("Mine@")


@pytest.mark.parametrize("service", ["", "unknown_service", "unknown_service:python"])
def test_a_service_without_a_name_is_known_by_its_program(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many have none, and are not the same."""
    names = set()
    for program in ("/srv/a.py", "/srv/b.py"):
        monkeypatch.setattr("__main__.__file__", program, raising=False)
        names.add(named(service))

    assert len(names) == 2
    assert all(name.startswith("Mine@unknown_service/") for name in names)


def test_secrets_are_counted_once_and_survive_a_kill(tmp_path: Path) -> None:
    """Not at a span's start and at its end again, and on disk before the agent goes on."""
    program = """
        import os, signal
        from opentelemetry import trace
        from otel_agenttrace import configure_tracing

        configure_tracing("shop", exporters=[], start_records="all", instrument=False)
        tracer = trace.get_tracer("shop")
        for _ in range(3):
            with tracer.start_as_current_span("sold", attributes={"api_key": "blue"}):
                pass
        os.kill(os.getpid(), signal.SIGKILL)
    """
    run_program(tmp_path, program, status=-9)
    status = read_status(tmp_path / ".agenttrace" / "traces.db.spool")

    assert status.ledger is not None
    assert status.ledger["redacted"] == 3


def test_the_line_at_exit_names_the_store_and_the_spool(tmp_path: Path) -> None:
    """Its command delivers from where the program has recorded to."""
    program = """
        from opentelemetry import trace
        from otel_agenttrace import configure_tracing

        configure_tracing("shop", store=STORE, spool_dir="here", exporters=["otlp"], instrument=False)
        with trace.get_tracer("shop").start_as_current_span("sold"):
            pass
    """
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
    for store, option in (("'sqlite:///h.db'", f"sqlite:///{tmp_path / 'h.db'}"), ("False", "memory:")):
        done = run_program(tmp_path, program.replace("STORE", store), environment)
        said = done.stderr.splitlines()[-1]

        assert "1 span waits on disk for otlp@127.0.0.1:9/v1/traces" in said
        assert said.endswith(f"here agenttrace spool drain --store {option}")
