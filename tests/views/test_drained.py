"""What draining a spool came to."""

from __future__ import annotations

from otel_agenttrace.views.drained import Left, SpoolDrained, drained_shape, format_drained
from otel_agenttrace.views.lines import line_width, plain, render
from tests.views.conftest import NASTY


def lines_of(drained: SpoolDrained) -> list[str]:
    """The lines of a result, in a wide terminal."""
    return [plain(line) for line in format_drained("/spool", drained, width=200)]


def test_what_was_sent_and_what_is_left_is_said() -> None:
    """Each target once, and why it has not got what is left."""
    drained = SpoolDrained(
        2,
        {"otlp": 0, "store": 1_204},
        rejected={"otlp": 2, "store": 0},
        dropped={"otlp": 1},
        left=(Left("otlp", 1, "it is away"),),
        unreadable=("1-1-00000000",),
    )

    assert lines_of(drained) == [
        "1,204 spans sent to store",
        "2 spans rejected for good by otlp",
        "1 span given up for otlp",
        "1 span left for otlp: it is away",
        "1-1-00000000 cannot be read",
    ]
    assert not drained.is_complete
    assert drained_shape("/spool", drained)["left"] == [{"target": "otlp", "records": 1, "reason": "it is away"}]


def test_nothing_left_is_said() -> None:
    """Whether there was something to deliver or not."""
    assert lines_of(SpoolDrained(1, {"store": 1})) == [
        "1 span sent to store",
        "all is delivered: 1 log of dead processes",
    ]
    assert lines_of(SpoolDrained(0, {})) == ["no dead process has left anything in /spool"]


def test_no_line_is_too_wide_or_acts() -> None:
    """Whatever a target says."""
    lines = format_drained(NASTY, SpoolDrained(1, {NASTY: 1}, left=(Left(NASTY, 1, NASTY * 9),)), width=60)

    assert max(line_width(line) for line in lines) <= 60
    assert "\x1b" not in render(lines)
