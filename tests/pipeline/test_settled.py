"""When a trace has settled."""

from __future__ import annotations

from typing import Any

import pytest

from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.pipeline.settled import is_settled, may_settle, quiet_time_s, tells_of_agent
from otel_agenttrace.testing.spans import make_span

CHILD = {"span_id": "b" * 16, "parent_span_id": "a77f14b0c1d2e3f4"}
LOCAL_PARENT, REMOTE_PARENT, UNTOLD = 0x101, 0x301, 0x001


def _tree(*spans: dict[str, Any]) -> SpanTree:
    return SpanTree([make_span(**fields) for fields in spans])


@pytest.mark.parametrize(
    ("spans", "quiet"),
    [
        ([{}, CHILD], 2.0),
        ([{}, CHILD | {"parent_span_id": "c" * 16}], 2.0),
        ([CHILD | {"flags": REMOTE_PARENT}], 10.0),
        ([CHILD | {"flags": UNTOLD}], 10.0),
        ([CHILD | {"flags": LOCAL_PARENT}], 600.0),
        ([{}, CHILD | {"end_time_unix_nano": None}], None),
        ([{"end_time_unix_nano": None}, CHILD], None),
        ([], None),
    ],
    ids=["root", "root, orphan", "remote parent", "parent unknown", "local parent", "open child", "open root", "empty"],
)
def test_how_long_a_trace_must_be_quiet(spans: list[dict[str, Any]], quiet: float | None) -> None:
    """2 s with a root, 10 s without; longer while a parent most likely runs; never while a span is open."""
    tree = _tree(*spans)

    assert quiet_time_s(tree) == quiet
    assert not is_settled(tree, 100.0, 100.0)
    assert is_settled(tree, 100.0 + (quiet or 10_000), 100.0) is (quiet is not None)
    assert not is_settled(tree, 100.0 + (quiet or 10_000) - 0.01, 100.0)


@pytest.mark.parametrize(
    ("spans", "at_flush", "at_shutdown"),
    [
        ([{}, CHILD], True, True),
        ([{}, CHILD | {"end_time_unix_nano": None}], True, True),
        ([{"end_time_unix_nano": None}, CHILD], False, False),
        ([CHILD | {"flags": REMOTE_PARENT}], True, True),
        ([CHILD | {"flags": LOCAL_PARENT}], False, True),
        ([], False, False),
    ],
    ids=["whole", "open child", "open root", "remote parent", "local parent", "empty"],
)
def test_what_settles_without_waiting(spans: list[dict[str, Any]], at_flush: bool, at_shutdown: bool) -> None:
    """All tops have ended; and a flush in the middle of a run does not take its first steps for the whole of it."""
    assert may_settle(_tree(*spans), is_last=False) is at_flush
    assert may_settle(_tree(*spans), is_last=True) is at_shutdown


@pytest.mark.parametrize(
    ("attributes", "tells"),
    [
        ({"gen_ai.operation.name": "chat"}, True),
        ({"openinference.span.kind": "LLM"}, True),
        ({"task.status": "completed"}, True),
        ({"failure.type": "timeout"}, True),
        ({"http.request.method": "GET", "task.id": "T-1"}, False),
        ({}, False),
    ],
)
def test_which_spans_tell_of_an_agent(attributes: dict[str, Any], tells: bool) -> None:
    """An operation in any dialect, a task, a failure."""
    assert tells_of_agent(make_span(attributes=attributes)) is tells
