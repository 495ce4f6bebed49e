"""Programs for tests: a source text, run by a fresh interpreter as a user would run it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TIMEOUT_S = 60.0


def run_program(
    folder: Path,
    source: str,
    environment: Mapping[str, str] | None = None,
    *,
    launcher: Sequence[str] = (),
    status: int = 0,
) -> subprocess.CompletedProcess[str]:
    """Run `source` as `agent.py` in `folder`, which is its home too.

    Args:
        folder: where the program is written and runs.
        source: the program, indented as the caller likes.
        environment: variables to set besides those of this process.
        launcher: a command of this interpreter's environment to put before `python agent.py`.
        status: how it is to end; negative for the signal that kills it.

    Raises:
        AssertionError: it ended otherwise; shows what it printed.
    """
    program = folder / "agent.py"
    program.write_text(textwrap.dedent(source), encoding="utf-8")
    scripts = str(Path(sys.executable).parent)
    variables = {**os.environ, "HOME": str(folder), "PATH": scripts + os.pathsep + os.environ.get("PATH", "")}
    done = subprocess.run(  # noqa: S603 - the test's own program
        [*launcher, sys.executable, program.name],
        cwd=folder,
        env={**variables, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode != status:
        raise AssertionError(f"the program ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done
