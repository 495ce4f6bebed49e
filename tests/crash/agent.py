"""An agent to be killed: it records runs from threads, asyncio tasks, forked and spawned children, until it is killed.

`python -m tests.crash.agent PIPE WORKER...`, where a worker is `<how>:<sort>:<lanes>`: how it comes to be (`here` in
the agent's own process, `fork` by os.fork, `mpfork` and `spawn` by multiprocessing), and how many lanes of which sort
it has (`threads`, `tasks`). The agent begins a child that has died anew. Everything else it has from the environment,
as any agent has.
"""

from __future__ import annotations

import asyncio
import faulthandler
import multiprocessing
import os
import random
import secrets
import signal
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from opentelemetry import trace

from otel_agenttrace import configure_tracing
from otel_agenttrace.spool.about import read_about
from otel_agenttrace.spool.directory import list_logs
from otel_agenttrace.spool.ledger import read_ledger
from otel_agenttrace.spool.places import spool_place
from tests.crash.outside import BEGUN, DIED, ENDED, LANE, LANE_CHARS, REFUSED, Mouth

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACES_S = (0.0005, 0.001, 0.002, 0.002, 0.004, 0.004, 0.008)
"""What steps of an agent take on average."""

HURRY = "CRASH_HURRY"
"""Where this variable is set, steps take no time: spans are made as fast as that goes."""

_MAX_STEPS = 20
_PAUSE_S = 0.01


class Worker(NamedTuple):
    """See the module."""

    how: str
    sort: str
    lanes: int

    @classmethod
    def parse(cls, text: str) -> Worker:
        """Read `<how>:<sort>:<lanes>`."""
        how, sort, lanes = text.split(":")
        return cls(how, sort, int(lanes))


class Sort(NamedTuple):
    """A sort of span, and where it says what it is."""

    operation: str
    name_attribute: str
    id_attribute: str
    text_attribute: str


_AGENT = Sort("invoke_agent", "gen_ai.agent.name", "gen_ai.agent.id", "gen_ai.agent.description")
_TOOL = Sort("execute_tool", "gen_ai.tool.name", "gen_ai.tool.call.id", "gen_ai.tool.call.arguments")
SORTS = (_AGENT, _TOOL)


def text_of(name: str, number: int) -> str:
    """What a span carries, from nothing to some kilobytes; can be made again by whoever looks whether it is whole."""
    return f"{name}-{number} " * (number * number % 211)


class Refusals:
    """What the ledger of this process says of refused records; only asked where there may be some."""

    def __init__(self) -> None:
        self._spool_dir = spool_place(os.environ["AGENTTRACE_STORE"]).directory
        self._is_possible = "AGENTTRACE_SPOOL_MAX_BYTES" in os.environ
        self._pids: dict[Path, int] = {}

    def count(self) -> int:
        """How many there were so far."""
        if not self._is_possible:
            return 0
        ledgers = [read_ledger(log) or {} for log in list_logs(self._spool_dir) if self._pid_of(log) == os.getpid()]
        return sum(count for ledger in ledgers for name, count in ledger.items() if name.startswith("refused_"))

    def _pid_of(self, log: Path) -> int:
        if log not in self._pids:
            about = read_about(log)
            self._pids[log] = 0 if about is None else about.pid
        return self._pids[log]


class Recording:
    """One lane: makes spans one after the other, and says of each what is sure."""

    def __init__(self, mouth: Mouth) -> None:
        self.name = secrets.token_hex(LANE_CHARS // 2)
        self.chance = random.Random()  # noqa: S311 - any will do
        self._mouth = mouth
        self._refusals = Refusals()
        self._number = 0
        self._pace_s = 0.0 if HURRY in os.environ else self.chance.choice(PACES_S)
        self._tracer = trace.get_tracer("tests.crash")
        mouth.say(LANE, self.name, str(os.getpid()))

    def run(self) -> Iterator[float]:
        """Record one run of an agent; yields wherever it has to wait, and for how many seconds."""
        with self._span(_AGENT):
            for _ in range(self.chance.randrange(_MAX_STEPS)):
                yield self._delay()
                with self._span(_TOOL):
                    yield self._delay()

    def _delay(self) -> float:
        return self.chance.expovariate(1 / self._pace_s) if self._pace_s else 0.0

    @contextmanager
    def _span(self, sort: Sort) -> Iterator[None]:
        self._number += 1
        attributes = {
            "gen_ai.operation.name": sort.operation,
            sort.name_attribute: "kamikaze",
            sort.id_attribute: f"{self.name}-{self._number}",
            sort.text_attribute: text_of(self.name, self._number),
        }
        refused = self._refusals.count()
        span = self._tracer.start_span(sort.operation, attributes=attributes)
        context = span.get_span_context()
        key = f"{context.trace_id:032x}{context.span_id:016x}"
        self._mouth.say(BEGUN, self.name, key)
        with trace.use_span(span):
            yield
        span.end()
        self._mouth.say(ENDED if self._refusals.count() == refused else REFUSED, self.name, key)


def _in_thread(recording: Recording) -> None:
    while True:
        for delay_s in recording.run():
            if delay_s:
                time.sleep(delay_s)


async def _in_task(recording: Recording) -> None:
    while True:
        for delay_s in recording.run():
            await asyncio.sleep(delay_s)


async def _in_tasks(recordings: list[Recording]) -> None:
    await asyncio.gather(*map(_in_task, recordings))


class Agent:
    """The process, or one of its children."""

    def __init__(self, pipe: str) -> None:
        faulthandler.enable()
        faulthandler.register(signal.SIGUSR1)  # asked where it is when it hangs
        tracing = configure_tracing("kamikaze", instrument=False)
        assert not tracing.is_shut_down
        self._pipe = pipe
        self._mouth = Mouth(pipe)
        self._children: dict[int, Worker] = {}

    def record(self, worker: Worker) -> list[threading.Thread]:
        """Begin to record."""
        recordings = [Recording(self._mouth) for _ in range(worker.lanes)]
        threads = (
            [threading.Thread(target=asyncio.run, args=[_in_tasks(recordings)])]
            if worker.sort == "tasks"
            else [threading.Thread(target=_in_thread, args=[recording]) for recording in recordings]
        )
        for thread in threads:
            thread.start()
        return threads

    def run(self, workers: list[Worker]) -> None:
        """Begin all workers, and children that have died anew."""
        for worker in workers:
            if worker.how == "here":
                self.record(worker)
        for worker in workers:
            if worker.how != "here":
                self._children[self._begin(worker)] = worker
        while self._children:
            for pid in filter(_is_dead, tuple(self._children)):
                self._mouth.say(DIED, key=str(pid))
                worker = self._children.pop(pid)
                self._children[self._begin(worker)] = worker
            time.sleep(_PAUSE_S)

    def _begin(self, worker: Worker) -> int:
        if worker.how == "fork":
            return os.fork() or self.be_child(worker)
        if worker.how == "spawn":
            spawned = multiprocessing.get_context("spawn").Process(target=_be_spawned, args=(self._pipe, worker))
            spawned.start()
            return spawned.pid or 0
        forked = multiprocessing.get_context("fork").Process(target=self.be_child, args=(worker,))
        forked.start()
        return forked.pid or 0

    def be_child(self, worker: Worker) -> NoReturn:
        """Record as a child, until the end."""
        for thread in self.record(worker):
            thread.join()
        os._exit(1)


def _is_dead(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:  # multiprocessing has looked for its dead, as it does whenever it starts a process
        return True


def _be_spawned(pipe: str, worker: Worker) -> None:
    Agent(pipe).be_child(worker)


if __name__ == "__main__":
    Agent(sys.argv[1]).run([Worker.parse(text) for text in sys.argv[2:]])
