"""The end of a round: everything that the dead have left is delivered, by a command or by another process."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from otel_agenttrace.spool.directory import list_logs
from otel_agenttrace.spool.places import spool_place
from tests.crash.fleet import clean_environment

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping
    from pathlib import Path
    from typing import IO

_KILLED = 2
_KILLED_AFTER_S = (0.3, 1.5)
_ATTEMPTS = 5
_TIMEOUT_S = 300.0

_COMMAND = ["-m", "otel_agenttrace", "spool", "drain"]

LAST = "the last"
"""Name of the only span of the process that drains by recording."""

_PROCESS = """
import sys, time
from pathlib import Path
from otel_agenttrace import configure_tracing
from otel_agenttrace.spool.directory import list_logs
from opentelemetry import trace

with configure_tracing(instrument=False):
    trace.get_tracer("last").start_span("the last").end()
    while len(list_logs(Path(sys.argv[1]))) > 1:  # its own
        time.sleep(0.05)
"""


def drain_all(folder: Path, environment: Mapping[str, str], by: str, chance: random.Random) -> None:
    """Deliver all that is left; `by` is `command` or `process`, the first few of which are killed at it.

    Raises:
        AssertionError: it fails, or leaves something.
    """
    spool_dir = spool_place(environment["AGENTTRACE_STORE"]).directory
    program = _COMMAND if by == "command" else ["-c", _PROCESS, str(spool_dir)]
    with (folder / "draining.err").open("ab") as errors:
        for _ in range(_KILLED):
            _run(program, folder, environment, errors, timeout_s=chance.uniform(*_KILLED_AFTER_S))
        for _ in range(_ATTEMPTS):
            if _run(program, folder, environment, errors, timeout_s=_TIMEOUT_S) and not list_logs(spool_dir):
                return
    raise AssertionError(f"something is left in {spool_dir}: see {folder / 'draining.err'}")


def _run(
    program: list[str], folder: Path, environment: Mapping[str, str], errors: IO[bytes], *, timeout_s: float
) -> bool:
    """Run a program, and kill it if that takes longer; whether it ended, and well."""
    try:
        subprocess.run(
            [sys.executable, *program],
            cwd=folder,
            env=clean_environment(environment),
            stdout=errors,
            stderr=errors,
            timeout=timeout_s,
            check=True,
        )
    except subprocess.SubprocessError:
        return False
    return True
