"""Whole programs: the lines they print, and what is stored when they end however they end."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace import open_store
from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.testing.programs import run_program

if TYPE_CHECKING:
    from pathlib import Path

_AGENT = """
    from opentelemetry import trace
    from otel_agenttrace import configure_tracing

    configure_tracing("booking-agent", instrument=["httpx"])
    tracer = trace.get_tracer("agent")
    for name, fails in {runs}:
        with tracer.start_as_current_span(name) as span:
            if fails:
                span.record_exception(ValueError("date '15/02/2026' does not match"))
"""


def _stored(folder: Path) -> list[str]:
    with open_store(f"sqlite:///{folder / '.agenttrace' / 'traces.db'}") as store:
        return [span.name for span in store.spans.find_spans(SpanQuery(order="stored_asc"))]


def test_a_program_says_what_it_records_and_how_it_went(tmp_path: Path) -> None:
    """One line at start and one at exit, on stderr; nothing on stdout."""
    done = run_program(tmp_path, _AGENT.format(runs=[("one", False), ("two", True), ("three", False)]))

    assert done.stderr.splitlines() == [
        "agenttrace: booking-agent -> ~/.agenttrace/traces.db (httpx; content on)",
        "agenttrace: 1 of 3 traces failed -> agenttrace failure show",
    ]
    assert done.stdout == ""
    assert _stored(tmp_path) == ["one", "two", "three", "agenttrace.verdict"]


def test_a_program_without_failures_says_so(tmp_path: Path) -> None:
    """The line at exit fits what happened."""
    done = run_program(tmp_path, _AGENT.format(runs=[("one", False)]))

    assert done.stderr.splitlines()[1:] == ["agenttrace: 1 trace, none failed -> agenttrace trace list"]


def test_a_program_that_made_no_span_ends_without_a_line(tmp_path: Path) -> None:
    """Nothing recorded, nothing said."""
    assert len(run_program(tmp_path, _AGENT.format(runs=[])).stderr.splitlines()) == 1


def test_quiet_programs_print_nothing(tmp_path: Path) -> None:
    """With `AGENTTRACE_QUIET` both lines stay away, and spans are stored all the same."""
    done = run_program(tmp_path, _AGENT.format(runs=[("one", True)]), {"AGENTTRACE_QUIET": "1"})

    assert done.stderr == ""
    assert _stored(tmp_path) == ["one", "agenttrace.verdict"]


def test_the_command_at_exit_finds_a_store_of_ones_own(tmp_path: Path) -> None:
    """A store that the command line would not look at by itself is named in the command."""
    done = run_program(
        tmp_path,
        """
        from opentelemetry import trace
        from otel_agenttrace import configure_tracing

        configure_tracing(store="sqlite:///own.db", instrument=False)
        trace.get_tracer("agent").start_span("run").end()
        """,
    )

    assert done.stderr.endswith(f"-> agenttrace trace list --store sqlite:///{tmp_path}/own.db\n")


def test_a_reused_provider_is_flushed_before_the_line_at_exit(tmp_path: Path) -> None:
    """With somebody else's TracerProvider, whose exit handler runs after ours, everything is stored and counted too."""
    done = run_program(
        tmp_path,
        """
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from otel_agenttrace import configure_tracing

        trace.set_tracer_provider(TracerProvider())
        configure_tracing(instrument=False)
        trace.get_tracer("agent").start_span("run").end()
        """,
    )

    assert done.stderr.splitlines()[1:] == ["agenttrace: 1 trace, none failed -> agenttrace trace list"]
    assert _stored(tmp_path) == ["run"]


def test_a_program_that_raises_is_stored(tmp_path: Path) -> None:
    """An uncaught exception ends the program as ever; the span that it went through is stored as failed."""
    with pytest.raises(AssertionError, match=r"(?s)ZeroDivisionError.*1 of 1 trace failed"):
        run_program(
            tmp_path,
            """
            from otel_agenttrace import TraceContext, configure_tracing

            configure_tracing(instrument=False)
            with TraceContext("run"):
                1 / 0
            """,
        )

    assert _stored(tmp_path) == ["run", "agenttrace.verdict"]


def test_an_unwritable_store_does_not_stop_the_program(tmp_path: Path) -> None:
    """Without a place to store, the agent does its work, and the log says once what is wrong."""
    (tmp_path / ".agenttrace").write_text("a file where the folder should be")
    done = run_program(tmp_path, _AGENT.format(runs=[("one", False)]) + "\n    print('work done')\n")

    assert done.stdout == "work done\n"
    assert "cannot be opened" in done.stderr
    assert "1 span waits on disk for store: the next start sends them, or agenttrace spool drain" in done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_forked_workers_record_as_under_gunicorn(tmp_path: Path) -> None:
    """Configured before the fork, each worker stores its spans and counts its own traces."""
    done = run_program(
        tmp_path,
        """
        import os, sys
        from opentelemetry import trace
        from otel_agenttrace import configure_tracing

        configure_tracing("web", instrument=False)
        tracer = trace.get_tracer("agent")
        tracer.start_span("before").end()
        workers = []
        for index in range(3):
            worker = os.fork()
            if worker == 0:
                tracer.start_span(f"worker {index}").end()
                sys.exit(0)
            workers.append(worker)
        for worker in workers:
            assert os.waitpid(worker, 0)[1] == 0
        tracer.start_span("after").end()
        """,
    )

    assert sorted(_stored(tmp_path)) == ["after", "before", "worker 0", "worker 1", "worker 2"]
    lines = [line for line in done.stderr.splitlines() if line.startswith("agenttrace:")][1:]
    assert lines[:3] == ["agenttrace: 1 trace, none failed -> agenttrace trace list"] * 3
    assert lines[3:] == ["agenttrace: 2 traces, none failed -> agenttrace trace list"]


def test_importing_configures_nothing(tmp_path: Path) -> None:
    """Without the call there is no provider, no thread, no file and no output."""
    done = run_program(
        tmp_path,
        """
        import threading
        from opentelemetry import trace
        from otel_agenttrace import *

        assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
        assert threading.active_count() == 1
        """,
    )

    assert done.stderr == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["agent.py"]


def _ended(folder: Path) -> list[str]:
    with open_store(f"sqlite:///{folder / '.agenttrace' / 'traces.db'}") as store:
        return [span.name for span in store.spans.find_spans(SpanQuery(open=False))]


def test_what_waits_on_disk_is_told_at_exit(tmp_path: Path) -> None:
    """Spans for an exporter that is away are on disk, and the next run of the program sends them."""
    program = """
        import os
        from opentelemetry import trace
        from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
        from otel_agenttrace import configure_tracing

        class Exporter(SpanExporter):
            def export(self, spans):
                if os.environ.get("IS_AWAY"):
                    return SpanExportResult.FAILURE
                print("sent", *(span.name for span in spans))
                return SpanExportResult.SUCCESS

        configure_tracing(exporters=[Exporter()], instrument=False)
        trace.get_tracer("agent").start_span(os.environ["RUN"]).end()
        """
    done = run_program(tmp_path, program, {"IS_AWAY": "1", "RUN": "first"})

    # An exporter that somebody made is one of this program, which no command can make.
    assert re.search(
        r"agenttrace: 1 span waits on disk for Exporter@unknown_service/[0-9a-f]{8}: the next start sends them\n",
        done.stderr,
    )
    assert done.stdout == ""

    again = run_program(tmp_path, program, {"RUN": "second"})

    assert sorted(again.stdout.replace("sent", "").split()) == ["first", "second"]
    assert "on disk" not in again.stderr


def test_what_ends_after_the_shutdown_is_found_at_the_next_start(tmp_path: Path) -> None:
    """A span that outlives `shutdown()` is on disk when `end()` returns, and stored by whoever starts next."""
    run_program(
        tmp_path,
        """
        import os
        from opentelemetry import trace
        from otel_agenttrace import configure_tracing

        tracing = configure_tracing(instrument=False)
        span = trace.get_tracer("agent").start_span("late")
        tracing.shutdown()
        span.end()
        os.kill(os.getpid(), 9)
        """,
        status=-9,
    )

    assert _ended(tmp_path) == []
    run_program(tmp_path, "from otel_agenttrace import configure_tracing\nconfigure_tracing(instrument=False)\n")
    assert _ended(tmp_path) == ["late"]


def test_daemon_threads_that_end_spans_do_not_break_the_end(tmp_path: Path) -> None:
    """The interpreter ends them wherever they are; the program ends as it would without us."""
    for _ in range(4):
        run_program(
            tmp_path,
            """
            import threading
            from opentelemetry import trace
            from otel_agenttrace import configure_tracing

            configure_tracing(instrument=False)
            tracer, ended = trace.get_tracer("agent"), threading.Semaphore(0)

            def work():
                while True:
                    with tracer.start_as_current_span("step", attributes={"text": "hello world " * 20}):
                        pass
                    ended.release()

            for _ in range(3):
                threading.Thread(target=work, daemon=True).start()
            for _ in range(100):
                ended.acquire()
            """,
        )
