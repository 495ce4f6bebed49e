"""The Vercel AI SDK under Node, with its own telemetry; its spans come as OTLP JSON lines and are imported."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.frameworks.framework import Framework
from tests.frameworks.run import Run, agenttrace
from tests.frameworks.server import ModelServer

if TYPE_CHECKING:
    from collections.abc import Mapping

_FOLDER = Path(__file__).parents[1] / "node"
_TIMEOUT_S = 60.0


def _start(folder: Path, source: str, environment: Mapping[str, str]) -> Run:
    node = shutil.which("node")
    if node is None or not (_FOLDER / "node_modules").is_dir():
        pytest.skip("no node, or nothing in tests/frameworks/node/node_modules (npm install there)")
    spans, url = folder / "spans.jsonl", f"sqlite:///{folder / 'traces.db'}"
    with ModelServer() as model:
        done = subprocess.run(
            [node, source],
            cwd=_FOLDER,
            env={**os.environ, "MODEL_URL": model.url, "SPANS": str(spans), **environment},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    agenttrace(folder, "import", str(spans), "--store", url)
    return Run(folder, url, done.stdout, tuple(model.exchanges))


def _agent(name: str, above: str, environment: Mapping[str, str]) -> Framework:
    return Framework(
        name,
        (),
        "forecaster.mjs",
        tool_path=(above,),
        model_path=(above,),
        survives=True,
        environment=environment,
        start=_start,
    )


AGENTS = (
    _agent("vercel-ai", "ai.generateText", {}),
    _agent("vercel-ai-streaming", "ai.streamText", {"STREAM": "yes"}),
)
