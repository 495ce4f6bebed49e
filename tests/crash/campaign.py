"""Many rounds of all sorts, some at a time; and as a control, the same with a setting that promises less."""

from __future__ import annotations

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.crash.proof import Counts
from tests.crash.rounds import Plan, run_round

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

KILLS_PER_ROUND = 25

SORTS = (
    Plan(0, 0),
    Plan(0, 0, protocol="grpc", drained_by="process"),
    Plan(0, 0, max_bytes=1 << 22),
    Plan(0, 0, durability="power", drained_by="process"),
    Plan(0, 0, has_faults=False, drained_by="process"),
    Plan(0, 0, max_bytes=1 << 24, drained_by="process"),
    Plan(0, 0, protocol="grpc"),
    Plan(0, 0, is_hurried=True, drained_by="process"),
    Plan(0, 0, durability="power", protocol="grpc"),
    Plan(0, 0, has_faults=False, protocol="grpc"),
)
"""Quotas that are reached soon; and with them, segments are begun and removed all the time."""


def plan_rounds(kills: int, seed: int) -> list[Plan]:
    """Rounds of all sorts in turn, with so many kills together."""
    starts = range(0, kills, KILLS_PER_ROUND)
    return [
        replace(SORTS[number % len(SORTS)], kills=min(KILLS_PER_ROUND, kills - start), seed=seed + number)
        for number, start in enumerate(starts)
    ]


def plan_control(kills: int, seed: int) -> list[Plan]:
    """Rounds in which spans are to be lost: they wait in memory, and are acknowledged all the same."""
    return [replace(plan, durability="batch", is_hurried=True, max_bytes=None) for plan in plan_rounds(kills, seed)]


def run_rounds(plans: Sequence[Plan], together: int, tell: Callable[[Plan, Counts], None]) -> Counts:
    """Run rounds, so many at a time; `tell` is called after each. The folders of those that break a promise are left.

    Raises:
        AssertionError: something hangs, or cannot be drained.
    """
    total = Counts()
    with ThreadPoolExecutor(together) as pool:
        for plan, counts in zip(plans, pool.map(_in_folder, plans), strict=True):
            tell(plan, counts)
            total += counts
    return total


def _in_folder(plan: Plan) -> Counts:
    folder = Path(tempfile.mkdtemp(prefix="agenttrace-crash-"))
    counts = run_round(folder, plan)
    if counts.broken and plan.durability != "batch":
        print(f"{counts.broken} in {folder}: {plan}", flush=True)  # noqa: T201 - to be looked into
    else:
        shutil.rmtree(folder)
    return counts
