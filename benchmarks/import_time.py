"""What importing and installing cost: the time of `import otel_agenttrace`, and the size of the core install.

The time is a ratio to `import opentelemetry.sdk.trace`, each in fresh interpreters, taken in turns, best of each. The
size is that of the packages a plain `pip install otel-agenttrace` brings, from their own file lists, without bytecode.
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import Distribution, distribution
from pathlib import Path

import otel_agenttrace

ROUNDS = 30
_TIMED = "import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"


def import_seconds(module: str) -> float:
    """Return how long the import takes in a fresh interpreter."""
    done = subprocess.run([sys.executable, "-c", _TIMED.format(module=module)], check=True, capture_output=True)
    return float(done.stdout)


def import_ratio() -> tuple[float, float]:
    """Return the best times, in seconds, of our import and of the SDK's."""
    ours, sdk = [], []
    for _ in range(ROUNDS):
        ours.append(import_seconds("otel_agenttrace"))
        sdk.append(import_seconds("opentelemetry.sdk.trace"))
    return min(ours), min(sdk)


def core_distributions() -> dict[str, Distribution]:
    """Return what the package needs without extras, and what that needs, by name."""
    found: dict[str, Distribution] = {}
    waiting = ["otel-agenttrace"]
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        found[name] = distribution(name)
        waiting += [_name(text) for text in found[name].requires or () if _is_needed(text)]
    return found


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    return match[0] if match else requirement


def _is_needed(requirement: str) -> bool:
    from packaging.requirements import Requirement  # noqa: PLC0415 - comes with pytest

    marker = Requirement(requirement).marker
    return marker is None or marker.evaluate({"extra": ""})


def size_bytes(found: Distribution) -> int:
    """Return the size of a distribution's files, without bytecode."""
    paths = {Path(str(file.locate())) for file in found.files or ()}
    if found.name == "otel-agenttrace":
        paths |= set(Path(otel_agenttrace.__file__).parent.rglob("*"))  # an editable install lists no files of its own
    return sum(path.stat().st_size for path in paths if path.is_file() and path.suffix != ".pyc")


def main() -> None:
    """Print both figures."""
    ours, sdk = import_ratio()
    print(f"import otel_agenttrace          {ours * 1e3:6.1f} ms")
    print(f"import opentelemetry.sdk.trace  {sdk * 1e3:6.1f} ms")
    print(f"ratio                           {ours / sdk:6.2f} (at most 1.5)")
    sizes = {name: size_bytes(found) for name, found in core_distributions().items()}
    for name, size in sorted(sizes.items(), key=lambda item: -item[1])[:5]:
        print(f"{name:40} {size / 1e6:6.1f} MB")
    print(f"{'core install, all packages':40} {sum(sizes.values()) / 1e6:6.1f} MB (at most 75)")


if __name__ == "__main__":
    main()
