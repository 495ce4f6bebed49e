"""How much longer `configure_tracing` takes where a process has left 1,000,000 spans behind in the spool.

Each start is a process of its own, with a store in SQLite; they are taken in turns with and without what was left, and
the best of each counts. Timed is the call alone. Where there is something left it is adopted in the background,
which the processes do not wait for: they are killed, and so leave behind what they found.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from agent_spans import batches

from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog

ROUNDS = 7
LIMIT_MS = 100

START = """
import os, sys, time
from otel_agenttrace import configure_tracing
began = time.perf_counter()
configure_tracing(store=f"sqlite:///{sys.argv[1]}/traces.db", exporters=(), instrument=False)
print((time.perf_counter() - began) * 1000, flush=True)
os.kill(os.getpid(), 9)
"""

LEAVE = """
import os, sys
sys.path.insert(0, sys.argv[3])
from spool_startup import leave_behind
leave_behind(sys.argv[1], int(sys.argv[2]))
os.kill(os.getpid(), 9)
"""


def leave_behind(directory: str, spans: int) -> None:
    """Append spans to a log of this process."""
    log = SpoolLog(SpoolConfig(Path(directory), max_bytes=1 << 33), about=About(targets=("store",)))
    for batch in batches(spans):
        for span in batch:
            log.append(Kind.SPAN, span)


def start_ms(folder: Path) -> float:
    """Return the milliseconds that the call takes in a new process."""
    done = subprocess.run(
        [sys.executable, "-c", START, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    return float(done.stdout)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=1_000_000)
    spans = parser.parse_args().spans
    with tempfile.TemporaryDirectory() as name:
        left, empty = Path(name) / "left", Path(name) / "empty"
        spool = left / "traces.db.spool"
        spool.mkdir(parents=True)
        empty.mkdir()
        here = str(Path(__file__).parent)
        subprocess.run([sys.executable, "-c", LEAVE, str(spool), str(spans), here], check=False)
        size = sum(path.stat().st_size for path in spool.rglob("*.seg"))
        rounds = []
        for _ in range(ROUNDS):
            without = start_ms(empty)
            shutil.rmtree(empty)
            empty.mkdir()
            rounds.append((without, start_ms(left)))
        without, behind = (min(each) for each in zip(*rounds, strict=True))
    print(f"{spans:,} spans left behind, {size / 2**20:,.0f} MiB, by one process")
    print(f"  configure_tracing without any   {without:7.1f} ms")
    print(f"  configure_tracing with them     {behind:7.1f} ms")
    print(f"  difference                      {behind - without:7.1f} ms (at most {LIMIT_MS})")


if __name__ == "__main__":
    main()
