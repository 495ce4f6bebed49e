"""What `agenttrace spool drain` delivers, and what it says of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.testing.collectors import GrpcCollector, HttpCollector
from tests.cli.spooled import OTLP, leave, make_log, make_spans, names_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def http(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An OTLP server, which the environment names."""
    with HttpCollector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.port}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        yield collector


def target_of(collector: HttpCollector) -> str:
    """What the spool calls a server."""
    return f"otlp@127.0.0.1:{collector.port}/v1/traces"


def test_dead_processes_logs_are_delivered_to_all(
    run: Callable[..., Any], store_url: str, spool_dir: Path, http: HttpCollector, check_shape: Callable[..., None]
) -> None:
    """The store and the exporter that the environment names have everything, and the log goes."""
    name = target_of(http)
    leave(spool_dir, make_spans(5), "store", name)
    result = run("spool", "drain", "--store", store_url, "--json")

    check_shape("spool drain", result.json())
    assert result.code == 0
    assert result.json()["sent"] == {name: 5, "store": 5}
    assert len(names_in(store_url)) == len(http.names) == 5
    again = run("spool", "drain", "--store", store_url)
    assert (again.code, again.out.split()) == (0, f"no dead process has left anything in {spool_dir}".split())


def test_what_will_never_arrive_is_said(
    run: Callable[..., Any], store_url: str, spool_dir: Path, http: HttpCollector
) -> None:
    """The answer is no then, though nothing is left."""
    http.refuses = lambda name: name == "span 2"
    leave(spool_dir, make_spans(5), target_of(http))
    result = run("spool", "drain", "--store", store_url)

    assert result.code == 1
    assert result.out.startswith(f"4 spans sent to {target_of(http)}\n1 span rejected for good by {target_of(http)}")
    assert "all is delivered" not in result.out


def test_what_is_left_is_said_with_the_reason(run: Callable[..., Any], store_url: str, spool_dir: Path) -> None:
    """An exporter that nothing names here keeps its records; the store has them."""
    leave(spool_dir, make_spans(5), "store", OTLP)
    result = run("spool", "drain", "--store", store_url)
    shape = run("spool", "drain", "--store", store_url, "--json").json()

    assert result.code == 1
    assert result.out.startswith(f"5 spans sent to store\n5 spans left for {OTLP}: no exporter here sends there")
    assert shape["left"][0]["records"] == 5
    assert len(names_in(store_url)) == 5


def test_an_exporter_that_is_away_is_named_with_what_it_said(
    run: Callable[..., Any], store_url: str, spool_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its records wait for the next time."""
    with GrpcCollector() as collector:
        port = collector.port
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    leave(spool_dir, make_spans(5), f"otlp@127.0.0.1:{port}")
    result = run("spool", "drain", "--timeout", "20", "--store", store_url, "--json")

    assert result.code == 1
    (left,) = result.json()["left"]
    assert left["records"] == 5
    assert "UNAVAILABLE" in left["reason"]


@pytest.mark.parametrize("variable", ["OTEL_TRACES_EXPORTER", "AGENTTRACE_EXPORTERS"])
def test_no_exporter_is_used_that_is_not_wanted(
    run: Callable[..., Any], store_url: str, spool_dir: Path, http: HttpCollector, variable: str
) -> None:
    """`none` sends nothing, whatever endpoint is set; a name sends there."""
    leave(spool_dir, make_spans(2), target_of(http))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(variable, "none")
        assert run("spool", "drain", "--store", store_url).code == 1
        assert http.names == []
        environment.setenv(variable, "agenttrace,otlp")
        assert run("spool", "drain", "--store", store_url).code == 0
        assert http.names == ["root", "span 1"]


def test_without_a_store_exporters_get_what_is_left(
    run: Callable[..., Any], tmp_path: Path, http: HttpCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent that keeps nothing has a spool for its exporters."""
    monkeypatch.setenv("AGENTTRACE_STORE", "none")
    leave(tmp_path / "home" / ".agenttrace" / "spool", make_spans(3), target_of(http))
    waiting = run("spool", "status", "--json").json()["targets"]

    assert [(each["name"], each["waiting"]) for each in waiting] == [(target_of(http), 3)]
    assert run("spool", "drain").code == 0
    assert len(http.names) == 3


def test_what_nobody_knows_the_targets_of_is_not_given_to_memory(run: Callable[..., Any], tmp_path: Path) -> None:
    """It would be gone with the command."""
    spool_dir = tmp_path / "home" / ".agenttrace" / "spool"
    leave(spool_dir, make_spans(3), OTLP)
    (log,) = spool_dir.iterdir()
    (log / "about.json").write_text("nonsense")
    result = run("spool", "drain", "--store", "memory", "--json")

    assert result.code == 1
    assert [(each["target"], each["records"]) for each in result.json()["left"]] == [("everybody", 3)]


def test_a_store_that_cannot_be_written_is_named(run: Callable[..., Any], tmp_path: Path) -> None:
    """Its records wait until it can be."""
    store = tmp_path / "notes.db"
    store.write_text("these are my notes, not a database" * 100)
    leave(tmp_path / "notes.db.spool", make_spans(2))
    result = run("spool", "drain", "--store", store)

    assert result.code == 1
    assert result.out.startswith("2 spans left for store:")
    assert "notes.db" in result.out
    assert store.read_text().startswith("these are my notes")


def test_the_logs_of_living_processes_are_their_own(run: Callable[..., Any], store_url: str, spool_dir: Path) -> None:
    """They are neither delivered nor counted as left."""
    living = make_log(spool_dir, make_spans(2))

    assert run("spool", "drain", "--store", store_url).code == 0
    assert names_in(store_url) == []
    assert living.logs
