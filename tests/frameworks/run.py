"""What a program left behind: its spans as this package reads them, and what the model knows of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from otel_agenttrace import open_store
from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.pipeline.repeats import repeated_calls
from tests.frameworks.script import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.model.tree import SpanNode
    from otel_agenttrace.pipeline.canonical import Canonical
    from tests.frameworks.script import Question
    from tests.frameworks.server import Exchange

_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Run:
    """A program that has ended.

    Attributes:
        url: of the store that it recorded into.
        exchanges: what it asked the model, in order.
    """

    folder: Path
    url: str
    stdout: str
    exchanges: tuple[Exchange, ...]

    @cached_property
    def traces(self) -> list[RecordedTrace]:
        """The traces of agents, oldest first: those with a model call."""
        with open_store(self.url) as store:
            listed = sorted(self.command("trace", "list"), key=lambda trace: str(trace["started_at"]))
            found = [
                RecordedTrace(self, trace["trace_id"], store.spans.get_trace(trace["trace_id"]).spans)
                for trace in listed
            ]
        return [trace for trace in found if trace.model_nodes]

    def answered(self, word: str = "") -> list[tuple[Question, Answer]]:
        """The calls that the model answered to questions with this word."""
        return [
            (question, answer)
            for question, answer in self.exchanges
            if word in question.text and isinstance(answer, Answer)
        ]

    def command(self, *arguments: str) -> Any:
        """The JSON that an `agenttrace` command prints about the store."""
        return json.loads(agenttrace(self.folder, *arguments, "--store", self.url, "--json"))


class RecordedTrace:
    """One trace of a run."""

    def __init__(self, run: Run, trace_id: str, spans: Iterable[SpanRecord]) -> None:
        self.run = run
        self.trace_id = trace_id
        self.tree = SpanTree(spans)
        self.nodes: list[SpanNode] = sorted(self.tree.nodes, key=lambda node: node.record.start_time_unix_nano)

    @cached_property
    def shown(self) -> Any:
        """What `trace show --json` says."""
        return self.run.command("trace", "show", self.trace_id)

    @cached_property
    def model_nodes(self) -> list[SpanNode]:
        """Calls of models; where two emitters tell of one call, the span that started first."""
        repeated = repeated_calls(self.tree)
        calls = [node for node in self.nodes if canonical(node.record).is_model_call and node not in repeated]
        return [node for node in calls if not any(canonical(above.record).is_model_call for above in node.ancestors())]

    @cached_property
    def model_calls(self) -> list[Canonical]:
        """What the spans of `model_nodes` say."""
        return [canonical(node.record) for node in self.model_nodes]

    @cached_property
    def tool_nodes(self) -> list[SpanNode]:
        """Calls of tools."""
        return [node for node in self.nodes if canonical(node.record).is_tool_call]


def agenttrace(folder: Path, *arguments: str) -> str:
    """What the command line prints in a folder."""
    done = subprocess.run(
        [sys.executable, "-m", "otel_agenttrace", *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def path(node: SpanNode) -> tuple[str, ...]:
    """Names of the spans above a span, its parent's first."""
    return tuple(above.record.name for above in node.ancestors())
