"""Measures every figure of docs/performance.md and writes it there: `make bench`.

Each script prints ratios that it measured in one run against a floor named beside them, so that a slow or busy machine
slows both. `--spans N` makes the stores smaller, for a quick look; nothing is written then.
"""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
import subprocess
import sys
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "performance.md"
FULL_SPANS = 1_000_000

SCRIPTS = {
    "span_cost.py": "A span on the agent's thread",
    "spool_cost.py": "A span into the spool",
    "spool_drain.py": "A backlog after an outage",
    "spool_startup.py": "Starting with a million spans left behind",
    "traced_span_off.py": "A decorated function outside any trace",
    "span_stages.py": "Reading any dialect, and pricing a call",
    "grounding.py": "Holding an answer against its sources",
    "gates.py": "Gates and pipelines",
    "store_write.py": "Writing to SQLite",
    "store_read.py": "Reading from SQLite, small and large",
    "import_time.py": "Importing and installing",
}
_SIZED = ("store_write.py", "store_read.py")

_HEAD = """# Performance

Measured by `make bench`, which writes this page. Every figure is a ratio taken in one run beside the floor it names;
the floors are what one would have without this package. Absolute times are this machine's.

{machine}

The limits in parentheses are the ones we hold ourselves to.
"""


def machine() -> str:
    """Describe what the figures were measured on."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{datetime.now(timezone.utc):%Y-%m-%d}, {os.cpu_count()} cores, {memory_gib:.0f} GiB, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, opentelemetry-sdk {version('opentelemetry-sdk')}."
    )


def measured(script: str, spans: int) -> str:
    """Run one script and return what it printed."""
    arguments = ["--spans", str(spans)] if script in _SIZED else []
    done = subprocess.run(
        [sys.executable, str(HERE / script), *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    print(done.stdout, flush=True)
    return done.stdout


def main() -> None:
    """Run all scripts; write the page if they ran at full size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=FULL_SPANS, help="how many spans the stores hold")
    spans = parser.parse_args().spans
    page = [_HEAD.format(machine=machine())]
    for script, title in SCRIPTS.items():
        print(f"== {title} ({script})", flush=True)
        about = (HERE / script).read_text("utf-8").split('"""')[1].strip()
        page.append(f"## {title}\n\n`python benchmarks/{script}`: {about}\n\n```\n{measured(script, spans)}```\n")
    if spans == FULL_SPANS:
        PAGE.write_text("\n".join(page), "utf-8")
        print(f"wrote {PAGE.relative_to(HERE.parent)}")


if __name__ == "__main__":
    main()
