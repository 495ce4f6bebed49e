"""A round: some agents that share a store and an endpoint are killed one after the other, while things go wrong."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_agenttrace.spool.places import spool_place
from tests.crash.agent import HURRY
from tests.crash.draining import drain_all
from tests.crash.fleet import AgentGroup, Endpoint
from tests.crash.proof import Counts, prove
from tests.crash.store_file import keys_of_ended, lock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.crash.fleet import How
    from tests.crash.outside import Lane

MENU = (
    ("here:threads:3",),
    ("here:tasks:4",),
    ("here:threads:1", "fork:threads:2", "fork:tasks:3"),
    ("here:tasks:2", "mpfork:threads:2", "mpfork:tasks:3"),
    ("spawn:threads:2", "spawn:tasks:2"),
    ("here:threads:1", "fork:tasks:2", "mpfork:threads:1", "spawn:threads:1"),
)
"""What agents are made of, see `tests.crash.agent`."""

SINGLE_MENU = (("here:threads:1",), ("here:tasks:1", "fork:threads:1"), ("spawn:threads:1", "mpfork:threads:1"))
"""Where spans may be refused: with one lane to a process, it is known whose a refusal was."""

HURRIED_MENU = (("here:threads:8",), ("here:tasks:1", "fork:threads:8"), ("mpfork:threads:8", "spawn:threads:8"))
"""Where agents are to be faster than what takes their spans."""

_GROUPS = 2
_GROUPS_IN_A_HURRY = 1
_MEAN_SPANS = 90.0
_MEAN_SPANS_IN_A_HURRY = 900.0
_LONGEST_DELAY_S = 0.004


@dataclass(frozen=True)
class Plan:
    """What a round is to be.

    Attributes:
        kills: how many.
        seed: of all that is chosen at random.
        durability: as the setting.
        protocol: OTLP over `http` or `grpc`.
        max_bytes: quota of the spool; None for the default, which is never reached.
        is_hurried: whether agents make spans as fast as they can, and most wait in memory or on disk.
        has_faults: whether the endpoint goes down and up, and the store is locked, meanwhile.
        drained_by: `command`, `agenttrace spool drain`; `process`, one that records, too.
    """

    kills: int
    seed: int
    durability: str = "process"
    protocol: str = "http"
    max_bytes: int | None = None
    is_hurried: bool = False
    has_faults: bool = True
    drained_by: str = "command"


def run_round(folder: Path, plan: Plan) -> Counts:
    """Do it in an empty folder, and return what came of it."""
    with Endpoint(plan.protocol, folder / "received") as endpoint:
        return _Round(folder, plan, endpoint).run()


class _Round:
    def __init__(self, folder: Path, plan: Plan, endpoint: Endpoint) -> None:
        self._folder = folder
        self._plan = plan
        self._endpoint = endpoint
        self._chance = random.Random(plan.seed)  # noqa: S311 - any moments will do
        self._store = folder / "store.db"
        self._groups: list[AgentGroup] = []
        self._begun = 0
        self._lanes: list[Lane] = []
        self._counts = Counts()
        self._lock: Iterator[None] | None = None
        self._environment = {
            "HOME": str(folder),
            "AGENTTRACE_STORE": f"sqlite:///{self._store}",
            "AGENTTRACE_DURABILITY": plan.durability,
            "AGENTTRACE_QUIET": "1",
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc" if plan.protocol == "grpc" else "http/protobuf",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": endpoint.url,
        }
        if plan.is_hurried:
            self._environment[HURRY] = "1"
        if plan.max_bytes is not None:
            self._environment["AGENTTRACE_SPOOL_MAX_BYTES"] = str(plan.max_bytes)

    def run(self) -> Counts:
        try:
            while self._counts.kills < self._plan.kills:
                while len(self._groups) < (_GROUPS_IN_A_HURRY if self._plan.is_hurried else _GROUPS):
                    self._begin_group()
                if self._plan.has_faults:
                    self._change_faults()
                self._kill(self._chance.choice(self._groups))
        finally:
            for group in self._groups:
                group.stop()
            self._end_faults()
            for group in tuple(self._groups):
                self._take(group, group.kill("group"))
        drain_all(self._folder, self._environment, self._plan.drained_by, self._chance)
        return self._counts + prove(
            self._store,
            spool_place(f"sqlite:///{self._store}").directory,
            self._folder / "received",
            self._lanes,
            has_quota=self._plan.max_bytes is not None,
        )

    def _begin_group(self) -> None:
        menu = HURRIED_MENU if self._plan.is_hurried else MENU if self._plan.max_bytes is None else SINGLE_MENU
        self._begun += 1
        self._groups.append(
            AgentGroup(self._folder, f"agent-{self._begun}", self._chance.choice(menu), self._environment)
        )

    def _kill(self, group: AgentGroup) -> None:
        """Kill one of its children, the parent alone, or all, anywhere behind the next hundred spans or so."""
        assert group.ear.wait_until(lambda: bool(group.ear.pids())), f"no agent begins: see {self._folder}"
        how, child = self._choose(group)
        victims = [child] if how == "child" else [group.pid] if how == "parent" else group.ear.pids()
        mean = _MEAN_SPANS_IN_A_HURRY if self._plan.is_hurried else _MEAN_SPANS
        wanted = group.ear.ended_in(victims) + int(self._chance.expovariate(1 / mean)) + 1
        if not group.ear.wait_until(lambda: group.ear.ended_in(victims) >= wanted):
            self._counts.hung += 1
            group.ask_where()
        time.sleep(self._chance.uniform(0, _LONGEST_DELAY_S))  # the moment is anywhere, not behind a line that was read
        self._look(self._take(group, group.kill(how, child)))

    def _choose(self, group: AgentGroup) -> tuple[How, int]:
        children = group.children()
        if group.is_headless or not children:
            return "group", 0
        how: How = self._chance.choices(("child", "parent", "group"), (6, 1, 2))[0]
        if how == "parent" and group.pid not in group.ear.pids():
            how = "group"  # it does not record itself
        return how, self._chance.choice(children)

    def _take(self, group: AgentGroup, lanes: list[Lane]) -> list[Lane]:
        self._lanes += lanes
        self._counts.killed += len({lane.pid for lane in lanes})
        if not group.ear.is_open:
            self._groups.remove(group)
        return lanes

    def _look(self, lanes: Sequence[Lane]) -> None:
        """Look what of the victims' acknowledged spans the store has not got yet, before anybody can bring it there."""
        ended = set().union(*(lane.ended for lane in lanes))
        waiting = len(ended - keys_of_ended(self._store, ended))
        self._counts.kills += 1
        self._counts.waiting += waiting
        self._counts.left_behind += waiting > 0

    def _change_faults(self) -> None:
        dice = self._chance.random()
        if dice < 0.15:
            self._endpoint.down()
        elif dice < 0.4:
            self._endpoint.up()
        elif dice < 0.5 and self._endpoint.is_up:
            self._endpoint.be_busy()
        if self._lock is None and self._chance.random() < 0.1 and self._store.exists():
            self._lock = lock(self._store)
            next(self._lock)
        elif self._lock is not None and self._chance.random() < 0.4:
            self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            next(self._lock, None)
            self._lock = None

    def _end_faults(self) -> None:
        self._unlock()
        self._endpoint.up()
