"""Siblings: several logs of one process, over which the start and the end of a span may be spread.

A signal handler that ends a span in the middle of an append writes to a log of its own; so does what a process ends
after it has left its log to others, or after somebody has removed that log.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from otel_agenttrace.forks import call_in_children
from otel_agenttrace.spool.about import read_about
from otel_agenttrace.spool.directory import list_logs
from otel_agenttrace.spool.names import parse_log_name

if TYPE_CHECKING:
    from pathlib import Path


class Siblings:
    """The logs of a spool directory, as they were when this was made, by their processes.

    Args:
        spool_dir: where the logs are.

    Raises:
        OSError: the directory cannot be read.
    """

    def __init__(self, spool_dir: Path) -> None:
        self._by_pid: dict[int, list[Path]] = {}
        for path in list_logs(spool_dir):
            self._by_pid.setdefault(_pid_of(path), []).append(path)
        self._processes: dict[Path, str] = {}

    def of(self, log_dir: Path) -> list[Path]:
        """Return the other logs of a log's process that are still there; none where that cannot be told."""
        others = [path for path in self._by_pid.get(_pid_of(log_dir), ()) if path != log_dir]
        if not others or not (process := self._process_of(log_dir)):
            return []
        return [path for path in others if self._process_of(path) == process and path.exists()]

    def _process_of(self, log_dir: Path) -> str:
        if log_dir not in self._processes:
            about = read_about(log_dir)
            self._processes[log_dir] = "" if about is None else about.process
        return self._processes[log_dir]


def _pid_of(log_dir: Path) -> int:
    name = parse_log_name(log_dir.name)
    return 0 if name is None else name.pid


def this_process() -> str:
    """What no other process has, in no container and at no time; a forked child has another than its parent."""
    return _this_process.text


class _ThisProcess:
    def __init__(self) -> None:
        self._begin_anew()
        call_in_children(self._begin_anew)

    def _begin_anew(self) -> None:
        self.text = secrets.token_hex(8)


_this_process = _ThisProcess()
