"""The long crash test: `make crash-test`; KILLS=100 for a quick one, which does not write docs/reliability.md."""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.run import machine
from tests.crash.campaign import plan_control, plan_rounds, run_rounds

if TYPE_CHECKING:
    from tests.crash.proof import Counts
    from tests.crash.rounds import Plan

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- measured by make crash-test -->\n", "<!-- end -->"

FULL_KILLS = 1000
_CONTROL_SHARE = 20
LEAST_LEFT_BEHIND = 0.9

_ROWS = (
    ("kills", "kills with SIGKILL"),
    ("killed", "processes that they ended"),
    ("hung", "processes that recorded nothing for a minute"),
    ("left_behind", "kills that left spans behind which the store did not have yet"),
    ("waiting", "spans that were left behind so"),
    ("acknowledged", "spans whose `end()` had returned (acknowledged)"),
    ("stored", "of those, in the store in the end, exactly once"),
    ("lost", "**lost**"),
    ("doubled", "**more than once in the store**"),
    ("altered", "in the store, but not as they were recorded"),
    ("strange", "in the store, though no agent made them"),
    ("forwarded", "acknowledged spans that the OTLP server received, at least once"),
    ("given_up", "spans not forwarded for want of room under a small quota, and counted so"),
    ("refused", "spans that were told to be refused under a small quota"),
    ("uncounted", "refused, and not in the ledger"),
    ("interrupted", "spans that were open when their process was killed"),
    ("abandoned", "of those, `abandoned` in the store; the others had ended, and could not say so any more"),
    ("untold", "of those, not among the failures"),
)


def main() -> None:
    """Run it, and exit with 1 if a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=FULL_KILLS)
    parser.add_argument(
        "--seed", type=int, default=time.time_ns() % 1_000_000, help="of the choices; not of the moments"
    )
    parser.add_argument("--together", type=int, default=os.cpu_count() or 1, help="rounds at a time")
    options = parser.parse_args()
    started = time.monotonic()
    progress = _Progress(options.kills)
    total = run_rounds(plan_rounds(options.kills, options.seed), options.together, progress.tell)
    control_kills = max(1, options.kills // _CONTROL_SHARE)
    progress = _Progress(control_kills)
    control = run_rounds(plan_control(control_kills, options.seed), options.together, progress.tell)
    took = timedelta(seconds=round(time.monotonic() - started))
    report = _report(total, control, f"`make crash-test KILLS={options.kills}` (seed {options.seed}), {took} hours")
    print(report)  # noqa: T201 - a command
    problems = _problems(total, control)
    if options.kills >= FULL_KILLS and not problems:
        write_report(report)
    sys.exit("\n".join(problems) or 0)


class _Progress:
    def __init__(self, kills: int) -> None:
        self._kills = kills
        self._done = 0
        self._started = time.monotonic()

    def tell(self, plan: Plan, counts: Counts) -> None:
        """Print a line about a round."""
        self._done += counts.kills
        print(  # noqa: T201 - a command
            f"{time.monotonic() - self._started:6.0f} s  {self._done:5}/{self._kills} kills  "
            f"{plan.durability:7} {plan.protocol:4} {plan.max_bytes or '':8} {counts.acknowledged:7} acknowledged  "
            f"{counts.lost} lost  {counts.doubled} doubled  {counts.left_behind}/{counts.kills} left something behind",
            flush=True,
        )


def _problems(total: Counts, control: Counts) -> list[str]:
    problems = [f"{count} {name}" for name, count in total.broken.items()]
    if total.left_behind < LEAST_LEFT_BEHIND * total.kills:
        problems.append(f"only {total.left_behind} of {total.kills} kills left something behind: too easy a test")
    if not control.lost:
        problems.append("the control lost nothing: this test cannot fail")
    return problems


def _report(total: Counts, control: Counts, command: str) -> str:
    rows = [f"| {text} | {getattr(total, name):,} |" for name, text in _ROWS]
    lost = (
        f'As a control, the same with `durability="batch"`: {control.kills:,} kills, {control.acknowledged:,} spans '
        f"acknowledged, {control.lost:,} of them lost."
    )
    return "\n".join([f"{command}. {machine()}", "", "| | |", "|---|---:|", *rows, "", lost])


def write_report(report: str, page: Path = PAGE) -> None:
    """Put it into the page, between its marks."""
    text = page.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{report}\n\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
