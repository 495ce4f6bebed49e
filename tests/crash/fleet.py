"""The agents, as the process sees them that starts and kills them; and the endpoint that they send to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tests.crash.outside import Ear

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Self

    from tests.crash.outside import Lane

How = Literal["group", "parent", "child"]

_ROOT = Path(__file__).parents[2]
_OURS_AND_OTEL = ("AGENTTRACE_", "OTEL_")


def clean_environment(more: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without settings of recording, and with `more`."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OURS_AND_OTEL)} | dict(more)


class AgentGroup:
    """An agent and its children: a process group, and what it says.

    Args:
        folder: where its pipe and what it prints lie.
        name: of those files.
        workers: see `tests.crash.agent`.
        environment: its settings.

    Attributes:
        ear: what was heard of it.
        is_headless: whether the agent is dead, and its children are not.
    """

    def __init__(self, folder: Path, name: str, workers: Sequence[str], environment: Mapping[str, str]) -> None:
        self.is_headless = False
        pipe = folder / f"{name}.pipe"
        self.ear = Ear(pipe)
        self._errors = folder / f"{name}.err"
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.crash.agent", str(pipe), *workers],
                cwd=_ROOT,
                env=clean_environment(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The agent's own process id, and that of the group."""
        return self._process.pid

    def children(self) -> list[int]:
        """The children that record."""
        return [pid for pid in self.ear.pids() if pid != self.pid]

    def kill(self, how: How, child: int = 0) -> list[Lane]:
        """Kill it, or some of it, and return the lanes that ended with it, when all they said has been heard."""
        if how == "child":
            return self._kill_child(child)
        return self._kill_parent() if how == "parent" else self._kill_all()

    def _kill_child(self, pid: int) -> list[Lane]:
        assert os.getpgid(pid) == self.pid
        os.kill(pid, signal.SIGKILL)
        if not self.ear.wait_until(lambda: pid in self.ear.dead):
            self.ask_where()
            raise AssertionError(f"the agent does not see that its child is dead: see {self._errors}")
        return self.ear.lanes_of([pid])

    def _kill_parent(self) -> list[Lane]:
        self.is_headless = True
        self._process.kill()
        self._process.wait()
        self.ear.hear_out()
        lanes = self.ear.lanes_of([self.pid])
        self.ear.dead.add(self.pid)
        return lanes

    def ask_where(self) -> None:
        """Let it print what all threads of all its processes are doing."""
        for pid in {self.pid, *self.ear.pids()}:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGUSR1)
        time.sleep(1.0)  # nobody says when it is printed

    def stop(self) -> None:
        """Kill all that is left of it, whatever else may fail."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def _kill_all(self) -> list[Lane]:
        self.stop()
        self._process.wait()
        self.ear.close()
        return self.ear.lanes_of(self.ear.pids())


class Endpoint:
    """An OTLP server in a process of its own, to be taken down and up.

    Args:
        protocol: `http` or `grpc`.
        path: where it keeps the ids of what it took.

    Attributes:
        url: what agents are told.
        is_up: whether it listens.
    """

    def __init__(self, protocol: str, path: Path) -> None:
        self.is_up = True
        with path.with_suffix(".err").open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.crash.endpoint", protocol, str(path)],
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def down(self) -> None:
        """Let it listen no more."""
        self.is_up = False
        self._tell("down")

    def up(self) -> None:
        """Let it listen again."""
        if not self.is_up:
            self.is_up = True
            self._tell("up")

    def be_busy(self) -> None:
        """Let it send the next few requests away (HTTP 503)."""
        self._tell("busy")

    def _tell(self, what: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == f"{what}\n"
