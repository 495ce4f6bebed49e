"""A spool as lines and as JSON."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.spool.session_status import SessionTarget
from otel_agenttrace.spool.status import ProcessCounts, SpoolStatus, TargetStatus
from otel_agenttrace.views.lines import ASCII, line_width, render
from otel_agenttrace.views.spool import format_spool, report_session, report_spool, spool_shape
from tests.views.conftest import NASTY

if TYPE_CHECKING:
    from otel_agenttrace.views.spool import SpoolReport

DIRECTORY = "/home/ada/.agenttrace/traces.db.spool"
STORE = TargetStatus("store", 12_400, sent=12_400)
OTLP = TargetStatus(
    "otlp@localhost:4317", 11_998, sent=10_794, waiting=1_204, passed_over=402, retried=3,
    oldest_waiting_s=7_380.7, left_behind=1_204,
)  # fmt: skip


def spool_of(*targets: TargetStatus, **fields: object) -> SpoolReport:
    """A report on a spool."""
    status = SpoolStatus(targets, living=("1-1-00000000",), processes=ProcessCounts(1))
    return report_spool(DIRECTORY, replace(status, **fields))  # type: ignore[arg-type]


def lines_of(report: SpoolReport) -> list[str]:
    """The lines of a report."""
    return render(format_spool(report)).splitlines()


def test_a_spool_says_what_waits_and_what_to_do() -> None:
    """Where it is, a row for each target, and a sentence for what is not as it should be."""
    ledger = {"refused_disk": 12, "unsampled": 3, "redacted": 40, "truncated": 0}
    report = spool_of(
        OTLP,
        STORE,
        processes=ProcessCounts(1, 1, 14),
        bytes=1 << 20,
        ledger=ledger,
        abandoned=1,
        lost_in_queue=7,
    )

    assert render(format_spool(report)) == (
        "/home/ada/.agenttrace/traces.db.spool\n"
        "  1.0 MiB · processes: 1 running, 1 dead, 14 done\n"
        "  3 unsampled · 40 redacted · 1 abandoned\n"
        "\n"
        "TARGET               RECORDED    SENT  WAITING  RETRIED  OLDEST\n"
        "otlp@localhost:4317    11,998  10,794    1,204        3   2h03m\n"
        "store                  12,400  12,400        0        0\n"
        "\n"
        "1,204 spans wait for otlp@localhost:4317, oldest 2h03m: left by dead processes\n"
        "12 records refused: the disk was full, or would not take them\n"
        "7 records lost in the memory of killed processes: AGENTTRACE_DURABILITY=process\n"
        "keeps none there\n"
        "next: agenttrace spool drain\n"
    )


def test_a_spool_that_is_well_says_so() -> None:
    """What never happened takes no column and no line."""
    assert lines_of(spool_of(STORE)) == [
        DIRECTORY,
        "  0 B · processes: 1 running",
        "",
        "TARGET  RECORDED    SENT  WAITING",
        "store     12,400  12,400        0",
        "",
        "nothing waits, and nothing was lost",
    ]


def test_an_empty_spool_says_so() -> None:
    """As one that is not there; plainly, and no table of nothing."""
    empty = SpoolStatus((), ledger={})

    assert lines_of(report_spool(DIRECTORY, empty)) == [DIRECTORY, "  nothing was recorded here: nothing waits"]
    assert lines_of(report_spool(DIRECTORY, empty, 1)) == [
        DIRECTORY,
        "  nothing was recorded by processes that started since then",
    ]
    assert "session s is known" in lines_of(report_session(DIRECTORY, "s", (), is_complete=True))[1]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (replace(STORE, waiting=1, oldest_waiting_s=0.2), "1 span waits for store, oldest <1s: the agent delivers"),
        (
            replace(STORE, waiting=5, oldest_waiting_s=300, left_behind=2),
            "2 spans wait for store, oldest 5m00s: left by dead processes",
        ),
        (
            replace(STORE, waiting=5, oldest_waiting_s=300, left_behind=2),
            "3 spans wait for store, oldest 5m00s: is it up? the agent delivers",
        ),
        (replace(STORE, rejected=2), "2 spans rejected by store for good"),
        (
            replace(OTLP, waiting=0, dropped=1),
            "1 span dropped for otlp@localhost:4317: it was away too long, there was no room, or the disk lost them",
        ),
    ],
)
def test_each_target_says_what_is_wrong(target: TargetStatus, said: str) -> None:
    """What waits in a running process is its own to deliver; what was lost is said to be."""
    assert said in " ".join(lines_of(spool_of(target)))


def test_hints_name_the_store_that_was_looked_into() -> None:
    """What is copied from the screen looks into the same spool, and is whole however narrow that is."""
    argument = f" --store {'h' * 100}.db"

    assert lines_of(replace(spool_of(OTLP), store_argument=argument))[-1] == f"next: agenttrace spool drain{argument}"


def test_a_command_is_not_offered_where_it_would_not_help() -> None:
    """An exporter object is only in the program that made it; services have names that cannot drive a terminal."""
    said = " ".join(lines_of(spool_of(replace(OTLP, name="MyExporter@shop", only_by=("shop", NASTY, "")))))

    assert "1,204 spans wait for MyExporter@shop, oldest 2h03m: the next start of shop, " in said
    assert "its program sends them" in said
    assert "agenttrace spool drain" not in said
    assert "\x1b" not in said


def test_open_spans_of_dead_processes_wait_for_the_store() -> None:
    """They are no spans that have ended, and are not said to be nothing either."""
    said = lines_of(spool_of(replace(STORE, open_waiting=2)))

    assert said[-2:] == ["2 spans that dead processes began wait for store", "next: agenttrace spool drain"]


def test_what_was_too_much_to_be_counted_is_said_to_be_a_bound() -> None:
    """As few as sent, as many as waiting."""
    said = lines_of(spool_of(replace(OTLP, is_waiting_exact=False, retried=0)))

    assert said[4] == "otlp@localhost:4317    11,998  >=10,794  <=1,204   2h03m"
    assert said[6].startswith("at most 1,204 spans wait for otlp")


@pytest.mark.parametrize("reason", ["quota", "disk", "too_large", "queue_full", "fault"])
def test_each_refusal_says_what_to_do(reason: str) -> None:
    """Whatever kept a record from being recorded."""
    said = " ".join(lines_of(spool_of(STORE, ledger={f"refused_{reason}": 1})))

    assert "1 record refused: " in said


def test_what_is_not_known_is_not_said_to_be_nothing() -> None:
    """A session's share of a count that nobody kept is a question mark, and null."""
    target = SessionTarget("otlp", None, None, 3, None, 0, 1.0, 3)
    report = report_session(DIRECTORY, "s", [target], is_complete=False)
    shape = spool_shape(report)

    assert lines_of(report)[3:5] == [
        "TARGET  RECORDED  SENT  WAITING  REJECTED  OLDEST",
        "otlp           ?     ?        3         ?      1s",
    ]
    assert lines_of(report)[6:] == [
        "3 spans wait for otlp, oldest 1s: left by dead processes",
        "not every log can be read, so the counts are not complete",
        "next: agenttrace spool drain",
    ]
    assert shape["targets"][0]["recorded"] is None
    assert shape["refused"] is shape["processes"] is shape["bytes"] is shape["abandoned"] is None


def test_a_log_that_cannot_be_read_is_named() -> None:
    """The counts are then not all there are."""
    report = spool_of(STORE, unreadable=("3-3-00000000",))

    assert lines_of(report)[-1] == "not every log can be read, so the counts are not complete: 3-3-00000000"
    assert spool_shape(report)["complete"] is False


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_too_wide_or_acts(width: int) -> None:
    """Whatever a target is called."""
    report = spool_of(replace(OTLP, name=NASTY * 3), replace(STORE, rejected=10**9, dropped=10**9))
    lines = format_spool(report, width=width)

    assert max(line_width(line) for line in lines) <= width
    assert "\x1b" not in render(lines)
    assert render(format_spool(spool_of(OTLP), glyphs=ASCII)).isascii()
