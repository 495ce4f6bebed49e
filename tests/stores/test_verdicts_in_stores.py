"""Failures that only a verdict tells of, in every store."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.grounding import Claim, GroundingReport
from otel_agenttrace.model.record import EventRecord, SpanRecord
from otel_agenttrace.pipeline.failures import failure_stage
from otel_agenttrace.pipeline.grounded import Judgement
from otel_agenttrace.pipeline.verdict import make_verdict
from otel_agenttrace.stores.api import AttributeFilter, SpanQuery
from otel_agenttrace.stores.failures import FailureFinder
from otel_agenttrace.stores.open import open_store
from otel_agenttrace.testing.spans import SECOND, SPAN_ID, START, TRACE_ID, make_span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from otel_agenttrace.stores.trace_store import TraceStore

_ROOT = make_span(attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "summary"})
_ANSWER = make_span(
    span_id="1" * 16,
    parent_span_id=SPAN_ID,
    name="chat m",
    start_time_unix_nano=START + 5,
    end_time_unix_nano=START + SECOND // 2,
    attributes={"gen_ai.operation.name": "chat"},
)
_FAILURE_ID = f"{TRACE_ID}-{_ANSWER.span_id}"


_INVENTED = Claim("412 employees", 0, 13, "number", 0.0, reason="unsupported_number")


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TraceStore]:
    """Every promise holds over every store."""
    url = "memory" if request.param == "memory" else f"sqlite:///{tmp_path / 'traces.db'}"
    with open_store(url) as opened:
        yield opened


def _verdict(spans: Sequence[SpanRecord], judged: SpanRecord | None = None) -> SpanRecord:
    judgement = None if judged is None else Judgement(GroundingReport.of([_INVENTED]), judged)
    verdict = make_verdict(spans, judge=lambda _tree: judgement)
    assert verdict is not None
    return verdict


def _listed(store: TraceStore, **conditions: Any) -> list[str]:
    return [str(found.failure and found.failure.failure_id) for found in FailureFinder(store.spans).walk(**conditions)]


def test_a_hallucination_is_listed_and_found(store: TraceStore) -> None:
    """No span of the trace says it; its verdict does."""
    store.spans.write_spans([_ROOT, _ANSWER, _verdict([_ROOT, _ANSWER], _ANSWER)])
    finder = FailureFinder(store.spans)

    assert _listed(store) == [_FAILURE_ID]
    assert _listed(store, failure_type="hallucination_flag", subject="summary") == [_FAILURE_ID]
    newest = finder.newest()
    assert newest is not None
    assert newest.failure_event.failure_type == "hallucination_flag"
    assert "412 employees" in str(newest.failure_event.error)
    found = finder.find(_FAILURE_ID)
    assert found.stored.trace_record.status == "hallucinated"
    assert [(step.name, step.kind, step.error) for step in found.stored.trace_record.steps] == [
        ("chat m", "model_output", newest.failure_event.error)
    ]


def test_it_is_listed_by_the_time_of_its_verdict(store: TraceStore) -> None:
    """The output was judged when the trace had ended, however long that was after the output."""
    root = replace(_ROOT, end_time_unix_nano=START + 100 * SECOND)
    store.spans.write_spans([root, _ANSWER, _verdict([root, _ANSWER], _ANSWER)])
    then = START + 100 * SECOND

    assert _listed(store, since_unix_nano=then, until_unix_nano=then + 1) == [_FAILURE_ID]
    assert _listed(store, until_unix_nano=then) == []
    assert _listed(store, since_unix_nano=then + 1) == []


def test_a_list_goes_on_behind_it(store: TraceStore) -> None:
    """As behind any other failure."""
    other = replace(_ROOT, trace_id="2" * 32, status_code="ERROR", attributes={})
    store.spans.write_spans([failure_stage(other)])
    store.spans.write_spans([_ROOT, _ANSWER, _verdict([_ROOT, _ANSWER], _ANSWER)])

    assert _listed(store) == [_FAILURE_ID, f"{'2' * 32}-{SPAN_ID}"]
    assert _listed(store, after=_FAILURE_ID) == [f"{'2' * 32}-{SPAN_ID}"]


def test_a_stale_verdict_lists_nothing_that_is_not_so(store: TraceStore) -> None:
    """It called failed what turned out to be recovered; later, nothing is wrong any more."""
    error = EventRecord("exception", START, {"exception.type": "KeyError"})
    lost = replace(_ANSWER, parent_span_id="9" * 16, status_code="ERROR", events=(error,))
    stale = _verdict([lost])
    store.spans.write_spans([failure_stage(lost), stale])
    assert _listed(store) == [_FAILURE_ID]

    store.spans.write_spans([replace(_ANSWER, span_id="9" * 16), _ROOT])
    assert _listed(store) == []
    assert _listed(store, recovered=True) == [_FAILURE_ID]


def test_a_verdict_that_is_outdated_is_gone(store: TraceStore) -> None:
    """What was failed has passed, and no query on verdicts finds it by what it was."""
    lost = failure_stage(replace(_ANSWER, status_code="ERROR"))
    store.spans.write_spans([lost, _verdict([lost])])
    failed = SpanQuery(attributes=(AttributeFilter("agenttrace.verdict.status", "=", "failed"),))
    assert store.spans.find_trace_ids(failed) == [TRACE_ID]
    newer = _verdict([lost, _ROOT])
    store.spans.write_spans([_ROOT, newer])

    assert newer.attributes["agenttrace.verdict.status"] == "passed"
    assert store.spans.find_trace_ids(failed) == []
    assert store.spans.find_spans(SpanQuery(name="agenttrace.verdict")) == [newer]
    store.spans.write_spans([_verdict([lost])])
    assert store.spans.find_spans(SpanQuery(name="agenttrace.verdict")) == [newer]


def test_the_newest_judgement_counts(store: TraceStore) -> None:
    """Whenever they were made, the one made from most is read."""
    early = _verdict([_ANSWER], _ANSWER)
    store.spans.write_spans([_ANSWER, early])
    assert _listed(store) == [_FAILURE_ID]

    store.spans.write_spans([_ROOT, _verdict([_ROOT, _ANSWER])])
    assert early.start_time_unix_nano != _ROOT.end_time_unix_nano
    assert _listed(store) == []


def test_a_trace_of_which_only_the_verdict_is_left_is_found(store: TraceStore) -> None:
    """Behind tail sampling, for example."""
    verdict = _verdict([_ROOT, _ANSWER], _ANSWER)
    store.spans.write_spans([verdict])
    (found,) = FailureFinder(store.spans).walk()

    assert found.failure_event.failure_type == "hallucination_flag"
    assert found.failure_event.error == verdict.status_message
    assert FailureFinder(store.spans).find(found.failure_event.failure_id).failure == found.failure
