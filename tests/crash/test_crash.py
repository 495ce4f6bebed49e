"""The short form of `make crash-test`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.crash.rounds import Plan, run_round
from tests.crash.run import BEGIN, END, LEAST_LEFT_BEHIND, write_report

if TYPE_CHECKING:
    from pathlib import Path


def test_no_kill_costs_a_span(tmp_path: Path) -> None:
    """What was acknowledged is in the store once, and was forwarded; what was interrupted is abandoned."""
    counts = run_round(tmp_path, Plan(kills=10, seed=4))

    assert counts.broken == {}
    assert counts.left_behind >= LEAST_LEFT_BEHIND * counts.kills
    assert counts.stored == counts.acknowledged > 0
    assert counts.abandoned > 0


def test_a_spool_that_is_full_refuses_and_counts(tmp_path: Path) -> None:
    """Under a quota that is too small, too, what was acknowledged stays, and what was refused was counted."""
    counts = run_round(tmp_path, Plan(kills=4, seed=5, max_bytes=1 << 17, drained_by="process"))

    assert counts.broken == {}
    assert counts.stored == counts.acknowledged > 0
    assert counts.refused > 0


def test_this_test_can_fail(tmp_path: Path) -> None:
    """With `batch`, which acknowledges what waits in memory, the same kills cost spans."""
    counts = run_round(tmp_path, Plan(kills=4, seed=6, durability="batch", is_hurried=True))

    assert counts.lost > 0
    assert "lost" in counts.broken


def test_the_report_replaces_the_last_one(tmp_path: Path) -> None:
    """What stands around it in the page stays."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}old\n{END}\nafter\n")

    write_report("new", page)

    assert page.read_text() == f"before\n{BEGIN}\nnew\n\n{END}\nafter\n"
