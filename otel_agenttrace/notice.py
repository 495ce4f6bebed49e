"""The line at start and the line at exit, on stderr; and the count of traces that the latter tells."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from otel_agenttrace.config import is_quiet
from otel_agenttrace.contract.attributes import AGENTTRACE_SESSION_STATUS, AGENTTRACE_VERDICT_STATUS, FAILURE_TYPE
from otel_agenttrace.model.codec import IS_REMOTE
from otel_agenttrace.model.verdicts import is_verdict
from otel_agenttrace.spool.places import without_credentials
from otel_agenttrace.views.text import safe_text
from otel_agenttrace.views.units import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from otel_agenttrace.model.record import SpanRecord


_MAX_HALLUCINATED = 10_000


class TraceTally:
    """Counts the traces that this process has recorded, by the spans that start them here.

    A trace failed when its local root did: an error that the agent recovered from does not count. Whether one that
    passed had hallucinated, its verdict tells.
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.traces = 0
        self.failed = 0
        self._hallucinated: set[str] = set()
        self._pid = os.getpid()

    def add(self, record: SpanRecord) -> None:
        """Count a staged record; a forked child counts its own traces only."""
        if is_verdict(record):
            self._add_verdict(record)
            return
        if record.end_time_unix_nano is None or not _is_local_root(record):
            return
        if AGENTTRACE_SESSION_STATUS in record.attributes:  # it only tells of a session's start or end
            return
        if self._pid != os.getpid():
            self._begin()
        self.traces += 1
        self.failed += FAILURE_TYPE in record.attributes

    @property
    def hallucinated(self) -> int:
        """Traces that passed with an answer that its sources do not support."""
        return len(self._hallucinated)

    def _add_verdict(self, verdict: SpanRecord) -> None:
        if verdict.attributes.get(AGENTTRACE_VERDICT_STATUS) == "hallucinated":
            if len(self._hallucinated) < _MAX_HALLUCINATED:
                self._hallucinated.add(verdict.trace_id)
        else:
            self._hallucinated.discard(verdict.trace_id)  # more of the trace has come in

    def is_of_this_process(self) -> bool:
        """Whether anything was counted since the process began or was forked."""
        return self.traces > 0 and self._pid == os.getpid()


def _is_local_root(record: SpanRecord) -> bool:
    return record.parent_span_id is None or bool(record.flags & IS_REMOTE)


def start_line(service_name: str, targets: Sequence[str], instrumentors: Sequence[str], *, content: str) -> str:
    """E.g. `booking-agent -> ~/.agenttrace/traces.db (httpx, openai; content on)`."""
    details = [", ".join(instrumentors)] if instrumentors else []
    return f"{service_name} -> {', '.join(targets)} ({'; '.join([*details, f'content {content}'])})"


def exit_lines(
    tally: TraceTally,
    losses: Mapping[str, int],
    *,
    waiting: Mapping[str, int] | None = None,
    drain: str = "agenttrace spool drain",
    by_object: Collection[str] = (),
    unsampled_spans: int = 0,
    unjudged_traces: int = 0,
    store_option: str | None = None,
) -> list[str]:
    """What to say at exit; nothing when nothing was recorded and nothing lost.

    Args:
        tally: the traces of this process.
        losses: spans that did not arrive, by where they should have.
        waiting: how many spans wait on disk, by where they are to go.
        drain: the command that sends them.
        by_object: of those places, the ones that only this program can send to.
        unsampled_spans: spans that the sampler left out.
        unjudged_traces: traces of which no verdict was made, though there should be one.
        store_option: what the command line needs to find the store again; None when it cannot.
    """
    lines = [_result(tally, store_option)] if tally.is_of_this_process() else []
    lost = {where: count for where, count in losses.items() if count}
    lines += [f"{counted(count, 'span')} did not reach the {where}, see the log" for where, count in lost.items()]
    for where, count in (waiting or {}).items():
        verb = "waits" if count == 1 else "wait"
        told = f"{counted(count, 'span')} {verb} on disk for {where}: the next start sends them"
        lines.append(told if where in by_object else f"{told}, or {drain}")
    if unsampled_spans:
        lines.append(f"{counted(unsampled_spans, 'span')} left out by the sampler")
    if unjudged_traces:
        lines.append(f"{counted(unjudged_traces, 'trace')} without a verdict: too many at once, or no time left")
    return lines


def _result(tally: TraceTally, store_option: str | None) -> str:
    if tally.failed or tally.hallucinated:
        traces = counted(tally.traces, "trace")
        found = [(tally.failed, "failed"), (tally.hallucinated, "hallucinated")]
        (count, word), *others = [(count, word) for count, word in found if count]
        rest = "".join(f", {count} {word}" for count, word in others)
        result, command = f"{count} of {traces} {word}{rest}", "agenttrace failure show"
    else:
        result, command = f"{counted(tally.traces, 'trace')}, none failed", "agenttrace trace list"
    return result if store_option is None else f"{result} -> {command}{store_option}"


def say(line: str) -> None:
    """Print a line of ours to stderr, unless `AGENTTRACE_QUIET` is set."""
    if is_quiet() or sys.stderr is None:
        return
    try:
        # In one piece: forked children that end at the same time write to the same terminal.
        sys.stderr.write(f"agenttrace: {safe_text(line)}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return  # stderr is closed: nobody is listening


def shown_url(url: str) -> str:
    """A store's URL as people know it: a file as its path, from `~`; anything else without credentials and options."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return _shown_path(str(Path(url.removeprefix("sqlite:///")).expanduser()))
    if not parts.scheme:
        return _shown_path(url)
    if not parts.netloc:
        return f"{parts.scheme}:{parts.path}" if parts.path else parts.scheme
    return without_credentials(url)


def _shown_path(path: str) -> str:
    home = str(Path.home())
    return f"~{path[len(home) :]}" if path == home or path.startswith(home + os.sep) else path
