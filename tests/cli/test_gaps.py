"""What commands that read warn of."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from otel_agenttrace.model.codec import serialize_record
from otel_agenttrace.model.record import ResourceRecord
from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.stores.open import open_store
from otel_agenttrace.testing.spans import SECOND, START, make_span
from tests.cli.recording import BOOKING, SESSION, WEATHER
from tests.cli.spooled import TRACE, make_log, make_spans

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_spans_that_wait_are_warned_of(
    run: Callable[..., Any], store_url: str, spool_dir: Path, check_shape: Callable[..., None]
) -> None:
    """Those of the trace and the session alone, and not those that are stored already."""
    with open_store(store_url) as store:
        booking = list(store.spans.get_trace(BOOKING).spans)
    late = make_span(trace_id=BOOKING, span_id="f" * 16, parent_span_id=f"{1:016x}")
    living = make_log(spool_dir, [*booking, late, *make_spans(3, trace_id="b" * 32)])
    other = make_log(spool_dir, make_spans(2, trace_id="c" * 32, attributes={"session.id": SESSION}))
    shown = {
        noun: [noun, "show", id_] for noun, id_ in (("trace", BOOKING), ("failure", BOOKING), ("session", SESSION))
    }
    expected = {"trace": (1, "span of this trace waits"), "session": (3, "spans of this session wait")}

    assert living.logs
    assert other.logs
    for noun, command in shown.items():
        count, said = expected.get(noun, expected["trace"])
        shape = run(*command, "--store", store_url, "--json").json()
        check_shape(" ".join(command[:2]), shape)
        assert [(each["kind"], each["count"]) for each in shape["warnings"]] == [("waiting", count)]
        assert (
            f"  {count} {said} to be stored: see `agenttrace spool status`\n" in run(*command, "--store", store_url).out
        )
    assert run("trace", "show", WEATHER, "--store", store_url, "--json").json()["warnings"][0]["kind"] == "no_parent"


def test_refusals_while_it_ran_are_warned_of(run: Callable[..., Any], store_url: str, spool_dir: Path) -> None:
    """By a process of the same service; not those before it, or after."""
    now = [START]
    about = About(service_name="booking-agent", targets=("store",))
    log = SpoolLog(SpoolConfig(spool_dir, max_bytes=1 << 16), about, clock=lambda: now[0])
    spans = [
        make_span(trace_id=f"{number:032x}", start_time_unix_nano=START + number * 60 * SECOND,
                  end_time_unix_nano=START + (number * 60 + 10) * SECOND,
                  resource=ResourceRecord({"service.name": service}))
        for number, service in ((1, "booking-agent"), (2, "booking-agent"), (3, "weather-agent"), (4, "booking-agent"))
    ]  # fmt: skip
    with open_store(store_url) as store:
        store.write_spans(spans)
    for minute in (2, 3):
        now[0] = START + (minute * 60 + 5) * SECOND
        assert log.append(Kind.SPAN, serialize_record(make_span(attributes={"filling": "x" * (1 << 15)}))) is None
    warnings = {
        number: run("trace", "show", f"{number:032x}", "--store", store_url, "--json").json()["warnings"]
        for number in range(1, 5)
    }

    assert [len(warnings[number]) for number in range(1, 5)] == [0, 1, 0, 0]
    assert warnings[2][0] == {
        "kind": "refused",
        "message": "2 records of booking-agent refused while this trace ran (too_large): spans may be missing",
        "count": 2,
    }


def test_refusals_before_a_process_was_killed_are_warned_of(
    run: Callable[..., Any], store_url: str, spool_dir: Path
) -> None:
    """What is known last of the trace lies before the first of them, while it was open and when it was abandoned."""
    now = [START]
    about = About(service_name="booking-agent", targets=("store",))
    log = SpoolLog(SpoolConfig(spool_dir, max_bytes=1 << 16), about, clock=lambda: now[0])
    root = make_span(
        trace_id=TRACE, end_time_unix_nano=None, resource=ResourceRecord({"service.name": "booking-agent"})
    )
    child = replace(root, span_id="2" * 16, parent_span_id=root.span_id, attributes={"filling": "x" * (1 << 15)})
    assert log.append(Kind.START, serialize_record(root))
    now[0] = START + 60 * SECOND
    assert log.append(Kind.SPAN, serialize_record(replace(child, end_time_unix_nano=now[0]))) is None
    with open_store(store_url) as store:
        store.write_spans([root])

    def shown() -> list[tuple[str, str]]:
        shape = run("trace", "show", TRACE, "--store", store_url, "--json").json()
        return [(shape["status"], each["message"]) for each in shape["warnings"] if each["kind"] == "refused"]

    message = "1 record of booking-agent refused while this trace ran (too_large): spans may be missing"
    assert shown() == [("running", message)]
    del log
    gc.collect()
    assert shown() == [("failed", message)]


def test_spans_without_their_parent_are_said_once(run: Callable[..., Any], store_url: str) -> None:
    """The tree says which; where there is no tree, they are counted."""
    tree = run("trace", "show", WEATHER, "--store", store_url).out
    session = run("session", "show", WEATHER, "--store", store_url).out
    failure = run("failure", "show", f"{WEATHER}-{1:016x}", "--store", store_url).out

    assert "was not recorded" in tree
    assert "never stored" not in tree
    assert "  1 span has a parent that was never stored\n" in session
    assert "  1 span has a parent that was never stored\n" in failure
