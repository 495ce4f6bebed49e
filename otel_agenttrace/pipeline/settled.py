"""When a trace has settled, so that its verdict can be made. Pure: times are the caller's, seconds of one clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import FAILURE_TYPE, GEN_AI_OPERATION_NAME, TASK_STATUS
from otel_agenttrace.model.codec import HAS_IS_REMOTE, IS_REMOTE
from otel_agenttrace.pipeline.canonical import canonical

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.model.tree import SpanNode, SpanTree

QUIET_S = 2.0
"""How long nothing more has come of a trace whose root has ended."""

QUIET_WITHOUT_ROOT_S = 10.0
"""The same for a trace whose root is in another process, or was lost."""

QUIET_WHILE_RUNNING_S = 600.0
"""The same for a trace without a root, of which a parent is missing that ran in the process of its child.

Such a parent is most likely still running, e.g. an agent that waits for its model: spans come when they end, children
first. It may also have been lost, or its process killed, so that the wait has an end.
"""


_TELLING = frozenset(map(str, (FAILURE_TYPE, GEN_AI_OPERATION_NAME, TASK_STATUS)))


def quiet_time_s(tree: SpanTree) -> float | None:
    """For how long nothing more must come of a trace before it has settled; None while one of its spans is open."""
    if not tree.nodes or any(node.record.end_time_unix_nano is None for node in tree.nodes):
        return None
    if tree.root.is_root:
        return QUIET_S
    return QUIET_WHILE_RUNNING_S if _waits_for_parent(tree) else QUIET_WITHOUT_ROOT_S


def is_settled(tree: SpanTree, now: float, last_seen: float) -> bool:
    """Whether the trace has settled by itself.

    Args:
        tree: what is known of the trace.
        now: the time.
        last_seen: when a span of it came in last.
    """
    quiet = quiet_time_s(tree)
    return quiet is not None and now - last_seen >= quiet


def may_settle(tree: SpanTree, *, is_last: bool) -> bool:
    """Whether a trace counts as settled without any waiting, as when everything is flushed: its tops have ended.

    Args:
        tree: what is known of the trace.
        is_last: nothing more will come from this process, so that no parent is waited for.
    """
    if not tree.nodes or any(node.record.end_time_unix_nano is None for node in tree.tops):
        return False
    return is_last or tree.root.is_root or not _waits_for_parent(tree)


def tells_of_agent(record: SpanRecord) -> bool:
    """Whether a staged span alone is reason enough for a verdict: an operation, a task, or a failure."""
    return not _TELLING.isdisjoint(record.attributes) or canonical(record).operation is not None


def _waits_for_parent(tree: SpanTree) -> bool:
    return any(_has_local_parent(top) for top in tree.tops)


def _has_local_parent(top: SpanNode) -> bool:
    """Whether a span whose parent is missing says that this was in its own process; many emitters say nothing."""
    return top.is_orphan and top.record.flags & (HAS_IS_REMOTE | IS_REMOTE) == HAS_IS_REMOTE
