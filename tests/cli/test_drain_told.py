"""What `agenttrace spool drain` tells while it runs, and of others who are at it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from tests.cli.spooled import leave, make_spans, names_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ADOPTER = """
import sys
from pathlib import Path
from otel_agenttrace.spool.adoption import adopt
adopted = list(adopt(Path(sys.argv[1])))
print(len(adopted), flush=True)
sys.stdin.read()
"""


def test_another_process_that_delivers_is_named(run: Callable[..., Any], store_url: str, spool_dir: Path) -> None:
    """Two that drain at once: the store is not locked, and there is time enough."""
    leave(spool_dir, make_spans(5))
    command = [sys.executable, "-c", ADOPTER, str(spool_dir)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "1\n"
        result = run("spool", "drain", "--store", store_url)
        other.communicate("")

    assert result.code == 1
    assert result.out == "5 spans left for store: another process is delivering it right now\n"
    assert names_in(store_url) == []
    assert run("spool", "drain", "--store", store_url).code == 0
    assert len(names_in(store_url)) == 5


def test_a_terminal_is_shown_how_far_it_is(store_url: str, spool_dir: Path) -> None:
    """On stderr; what was delivered is on stdout as ever."""
    leave(spool_dir, make_spans(300))
    program = f"from otel_agenttrace.cli.main import run; run(['spool', 'drain', '--store', {store_url!r}])"
    terminal, stderr = os.openpty()
    done = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, stderr=stderr, text=True)
    os.close(stderr)
    shown = os.read(terminal, 1 << 16).decode()
    os.close(terminal)

    assert "delivering" in shown
    assert done.stdout.startswith("300 spans sent to store\n")
    assert "delivering" not in done.stdout
