"""Spans of Logfire that tell of another span's beginning or end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.model.logfire import join_parts
from otel_agenttrace.model.record import ScopeRecord
from otel_agenttrace.model.tree import SpanTree, distinct
from otel_agenttrace.pipeline.settled import may_settle, quiet_time_s
from otel_agenttrace.pipeline.summary import summarize
from otel_agenttrace.pipeline.usage import totals
from otel_agenttrace.stores.api import StoredTrace
from otel_agenttrace.testing.spans import START, TRACE_ID, make_span
from otel_agenttrace.views.shapes import trace_shape

if TYPE_CHECKING:
    from random import Random

    from otel_agenttrace.model.record import SpanRecord

REQUEST = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "request_data": '{"model":"gpt-4o"}'}
NOBODY = "0" * 16


def _id(number: int) -> str:
    return f"{number:016x}"


def _span(number: int, parent: int | None = None, *, kind: str = "span", at: int = 0, **fields: Any) -> SpanRecord:
    said = {"logfire.span_type": kind, **fields.pop("attributes", {})}
    return make_span(
        span_id=_id(number),
        parent_span_id=None if parent is None else _id(parent),
        start_time_unix_nano=START + at,
        end_time_unix_nano=START + at + (1000 if kind == "span" else 0),
        scope=ScopeRecord("logfire.openai"),
        attributes=said,
        **fields,
    )


def _pending(number: int, of: int, parent: int | None = None, **fields: Any) -> SpanRecord:
    told = {"logfire.pending_parent_id": NOBODY if parent is None else _id(parent), **fields.pop("attributes", {})}
    return _span(number, of, kind="pending_span", attributes=told, **fields)


def _streamed(number: int, parent: int | None, *, at: int, answer: str, **attributes: Any) -> SpanRecord:
    said = {**REQUEST, "response_data": answer, **attributes}
    name = "streaming response from {request_data[model]!r} took {duration:.2f}s"
    return _span(number, parent, kind="log", at=at, name=name, attributes=said)


def test_a_pending_span_goes_where_its_span_is() -> None:
    """It has the same name and attributes, and would be shown, counted and paid for twice."""
    used = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20}
    spans = [
        _span(1),
        _pending(11, of=1),
        _span(2, 1, attributes={**REQUEST, **used}),
        _pending(12, of=2, parent=1, attributes=REQUEST),
    ]
    tree = SpanTree(spans)
    trace = StoredTrace(TRACE_ID, tuple(spans))
    shape = trace_shape(trace)

    assert [node.record for node in tree.nodes] == [spans[0], spans[2]]
    assert (summarize(trace).span_count, summarize(trace).status) == (2, "passed")
    assert [span["span_id"] for span in shape["spans"]] == [_id(1), _id(2)]
    assert (totals(tree).input_tokens, totals(tree).cost_complete) == (100, totals([spans[2]]).cost_complete)


def test_a_lone_pending_span_is_a_span_that_runs() -> None:
    """It stands for its span under that one's id, with its parent, and what ran below it is below it."""
    tree = SpanTree([_pending(11, of=1), _pending(12, of=2, parent=1, attributes=REQUEST), _span(3, 2)])
    shape = trace_shape(StoredTrace(TRACE_ID, (_pending(11, of=1),)))

    assert [(node.record.span_id, node.depth, node.is_orphan) for node in tree.nodes] == [
        (_id(1), 0, False),
        (_id(2), 1, False),
        (_id(3), 2, False),
    ]
    assert [node.record.end_time_unix_nano is None for node in tree.nodes] == [True, True, False]
    assert tree.root.is_root
    assert (shape["status"], shape["spans"][0]["span_id"]) == ("running", _id(1))
    assert shape["spans"][0]["end_time_unix_nano"] is None


def test_a_trace_of_which_a_span_is_pending_has_not_settled() -> None:
    """No verdict is made while it runs, and one can be made once the span itself is there."""
    running = SpanTree([_pending(11, of=1)])
    ended = SpanTree([_pending(11, of=1), _span(1)])

    assert (quiet_time_s(running), may_settle(running, is_last=True)) == (None, False)
    assert may_settle(ended, is_last=True)
    assert quiet_time_s(ended) is not None


@pytest.mark.parametrize("parent", [None, 5, "", NOBODY, "xyz", "A" * 16, "1" * 15, b"1" * 16])
def test_a_pending_span_that_names_no_parent_is_a_root(parent: Any) -> None:
    """Zeros are Logfire's word for none, and what is no id is none."""
    (node,) = SpanTree([_pending(11, of=1, attributes={"logfire.pending_parent_id": parent})]).nodes

    assert (node.record.span_id, node.is_root) == (_id(1), True)


@pytest.mark.parametrize("kind", ["span", "log", 5, None, ["pending_span"]])
def test_other_spans_stay_as_they_are(kind: Any) -> None:
    """Only Logfire's own word makes a span pending."""
    spans = [_span(1), make_span(parent_span_id=_id(1), attributes={"logfire.span_type": kind})]

    assert join_parts(spans) == spans


def test_a_streamed_answer_goes_into_its_request() -> None:
    """A request and the log of its answer are one call of a model; its times stay those of the request."""
    request = _span(2, 1, at=10, attributes=REQUEST)
    log = _streamed(3, 1, at=500, answer="{}", **{"gen_ai.usage.output_tokens": 7, "duration": 1.0})
    root, joined = (node.record for node in SpanTree([_span(1), log, request]).nodes)

    assert root.span_id == _id(1)
    assert joined.attributes == {**request.attributes, "response_data": "{}", "gen_ai.usage.output_tokens": 7}
    assert (joined.span_id, joined.end_time_unix_nano) == (_id(2), request.end_time_unix_nano)


def test_each_streamed_answer_has_its_own_request() -> None:
    """Of requests of the same content, the last one before the log; not one that has an answer of its own."""
    answered = {**REQUEST, "gen_ai.response.model": "gpt-4o-2024"}
    spans = [
        _span(2, 1, at=10, attributes=REQUEST),
        _streamed(3, 1, at=20, answer="first"),
        _span(4, 1, at=30, attributes=REQUEST),
        _span(5, 1, at=40, attributes=answered),
        _streamed(6, 1, at=50, answer="second"),
    ]
    joined = {record.span_id: record.attributes.get("response_data") for record in join_parts(spans)}

    assert joined == {_id(2): "first", _id(4): "second", _id(5): None}


@pytest.mark.parametrize(
    "request_",
    [
        _span(2, 9, attributes=REQUEST),
        _span(2, 1, at=501, attributes=REQUEST),
        _span(2, 1, attributes={**REQUEST, "request_data": "{}"}),
        _span(2, 1, attributes=REQUEST, status_code="ERROR"),
    ],
    ids=["elsewhere", "later", "of another question", "failed"],
)
def test_a_streamed_answer_without_its_request_stays(request_: SpanRecord) -> None:
    """What a model answered is not lost because nobody knows to what."""
    spans = [request_, _streamed(3, 1, at=500, answer="{}")]

    assert join_parts(spans) == spans


@given(
    st.lists(
        st.tuples(
            st.integers(1, 6),
            st.none() | st.integers(1, 7),
            st.integers(0, 3),
            st.sampled_from(["span", "pending_span", "log"]),
        ),
        min_size=1,
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_spans_does_not_matter(shapes: list[tuple[int, int | None, int, str]], random: Random) -> None:
    """Whichever are pending or logs, the same spans make the same tree, and so do that tree's own spans."""
    spans = [_shaped(*shape, name=index) for index, shape in enumerate(shapes)]
    shuffled = list(spans)
    random.shuffle(shuffled)
    joined = distinct(spans)

    assert distinct(shuffled) == joined
    assert [node.record for node in SpanTree(shuffled).nodes] == [node.record for node in SpanTree(spans).nodes]
    assert {node.record.identity for node in SpanTree(joined).nodes} == {record.identity for record in joined}
    assert len(distinct(joined)) == len(joined)


@given(
    st.lists(st.tuples(st.none() | st.integers(1, 6), st.booleans(), st.booleans()), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_every_span_that_began_is_shown_once(shapes: list[tuple[int | None, bool, bool]], random: Random) -> None:
    """Whether its pending span came, itself, or both: it is open only where itself is missing."""
    spans: list[SpanRecord] = []
    for number, (parent, has_begun, has_ended) in enumerate(shapes, start=1):
        spans += [_pending(number + 100, of=number, parent=parent)] * has_begun
        spans += [_span(number, parent)] * has_ended
    random.shuffle(spans)
    shown = {node.record.span_id: node.record for node in SpanTree(spans).nodes}

    for number, (parent, has_begun, has_ended) in enumerate(shapes, start=1):
        assert (_id(number) in shown) is (has_begun or has_ended)
        assert _id(number + 100) not in shown
        if _id(number) in shown:
            assert (shown[_id(number)].end_time_unix_nano is not None) is has_ended
            assert shown[_id(number)].parent_span_id == (None if parent is None else _id(parent))


def _shaped(number: int, parent: int | None, at: int, kind: str, *, name: int) -> SpanRecord:
    if kind == "pending_span" and parent is not None:
        return _pending(number, of=parent, parent=name % 7 or None, at=at, name=f"{name}", attributes=REQUEST)
    if kind == "log":
        return _streamed(number, parent, at=at, answer=f"{name}")
    return _span(number, parent, at=at, name=f"{name}", attributes=REQUEST)
