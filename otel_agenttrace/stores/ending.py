"""Whether a run that is followed has ended, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import FAILURE_ID
from otel_agenttrace.model.record import completeness
from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.pipeline.root_cause import find_failures
from otel_agenttrace.pipeline.settled import QUIET_S, quiet_time_s
from otel_agenttrace.pipeline.summary import last_known_unix_nano, summarize
from otel_agenttrace.pipeline.verdict import revision_of
from otel_agenttrace.stores.run_events import RunEvent

if TYPE_CHECKING:
    from otel_agenttrace.pipeline.root_cause import Failure
    from otel_agenttrace.pipeline.summary import TraceSummary
    from otel_agenttrace.stores.api import StoredTrace
    from otel_agenttrace.stores.followed import Run

_FOR_VERDICT_S = 3.0
"""How long a verdict is waited for once a run has settled: whoever recorded it makes one, but for plain exporters."""

_WHILE_OPEN_S = 30.0

FIRST_CHECK_S = QUIET_S + _FOR_VERDICT_S
"""How long after the last news of a run to look whether it has ended."""


def run_end(trace: StoredTrace, run: Run, now: float) -> RunEvent | None:
    """Return the end of a run, if it has ended otherwise than was told, and set when to look again.

    It has ended when there is a verdict on all that is stored of it, or when nothing has come for so long that none
    will be made.

    Args:
        trace: all that is stored of it.
        run: what is known of it; `check_at` and `told` are changed.
        now: the time of the follower's clock, seconds.
    """
    tree = SpanTree(trace.spans)
    run.check_at = _check_again_at(tree, run)
    if run.check_at is not None and run.check_at > now:
        return None
    summary = summarize(trace)
    if summary.status == "running":
        run.check_at = now + _WHILE_OPEN_S
        return None
    run.check_at = None
    told, run.told = run.told, summary
    if told is not None and _gist(told) == _gist(summary):
        return None
    ended_at = last_known_unix_nano(node.record for node in tree.nodes)
    cause = _cause(tree, summary.failure_ids)
    return RunEvent("run_ended", tree.root.record, run.short_id, ended_at, summary=summary, cause=cause)


def _check_again_at(tree: SpanTree, run: Run) -> float | None:
    """When the run will have ended, if nothing more comes; None if it has."""
    if tree.verdict is not None and completeness(tree.verdict)[1] >= revision_of(tree):
        return None
    quiet = quiet_time_s(tree)
    return run.seen_at + (_WHILE_OPEN_S if quiet is None else quiet + _FOR_VERDICT_S)


def _gist(summary: TraceSummary) -> tuple[object, ...]:
    """What makes an end worth telling again."""
    return summary.status, summary.failure_ids, summary.input_tokens, summary.output_tokens, summary.cost_usd


def _cause(tree: SpanTree, failure_ids: tuple[str, ...]) -> Failure | None:
    """The failure that its verdict names, else the first."""
    named = tree.verdict.attributes.get(FAILURE_ID) if tree.verdict else None
    final = [failure for failure in find_failures(tree) if failure.failure_id in failure_ids]
    return next((failure for failure in final if failure.failure_id == named), final[0] if final else None)
