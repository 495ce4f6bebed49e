"""Failures that were recorded elsewhere, as spans and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.errors import StoreRejectedError
from otel_agenttrace.model.failure import FailureEvent
from otel_agenttrace.model.kinds import FailureType, RecordStatus, StepKind
from otel_agenttrace.model.trace_record import TraceRecord, TraceStep
from otel_agenttrace.pipeline.root_cause import find_failures
from otel_agenttrace.stores.failure_spans import StoredFailure, failure_to_spans, ids_of, spans_to_failure

FAILURE_ID = "0199c2f4a0b17c3d8e5f60718293a4b5-a77f14b0c1d2e3f4"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
STEPS = st.builds(
    TraceStep,
    name=TEXTS,
    kind=st.sampled_from(get_args(StepKind)),
    input=JSON,
    output=JSON,
    error=st.none() | TEXTS,
)


def make_event(**overrides: object) -> FailureEvent:
    """A failure of a tool call."""
    fields: dict[str, object] = {
        "failure_id": FAILURE_ID,
        "subject": "booking",
        "failure_type": "validation_error",
        "timestamp": "2026-09-21T14:13:21.419Z",
        "trace_id": FAILURE_ID[:32],
        "error": "date '15/02/2026' does not match YYYY-MM-DD",
        "metadata": {"exception_type": "jsonschema.ValidationError", "attempt": 2, "tags": ["a", None]},
    }
    return FailureEvent.model_validate(fields | overrides)


def make_record(**overrides: object) -> TraceRecord:
    """The record of the same run: a model call, then the tool call that failed."""
    fields: dict[str, object] = {
        "failure_id": FAILURE_ID,
        "subject": "booking",
        "status": "failed",
        "started_at": "2026-09-21T14:13:20Z",
        "ended_at": "2026-09-21T14:13:22.103Z",
        "steps": [
            {"name": "gpt-4o-mini", "kind": "model_output", "input": "a flight", "output": {"tool": "search_flights"}},
            {
                "name": "search_flights",
                "kind": "tool_call",
                "input": {"date": "15/02/2026"},
                "error": "date '15/02/2026' does not match YYYY-MM-DD",
            },
        ],
    }
    return TraceRecord.model_validate(fields | overrides)


@pytest.mark.parametrize("failure_type", [kind for kind in get_args(FailureType) if kind != "none"])
def test_the_same_class_is_found_in_the_spans_alone(failure_type: FailureType) -> None:
    """The spans fail in OTel's own words: what looks for failures finds one, of that type, where it began."""
    event = make_event(failure_type=failure_type)

    (failure,) = (found for found in find_failures(failure_to_spans(event, make_record())) if found.is_final)

    assert failure.failure_id == FAILURE_ID
    assert failure.type == failure_type
    assert failure.subject == "booking"
    if failure_type != "abandoned":
        assert failure.error.message == event.error


@pytest.mark.parametrize("exception_type", ["TimeoutError", "ValidationError", "CancelledError", "ValueError", ""])
@pytest.mark.parametrize("failure_type", ["exception", "validation_error", "timeout"])
def test_the_event_has_the_last_word(failure_type: FailureType, exception_type: str) -> None:
    """Where the exception's class or the message suggest another type, the given one counts."""
    error = f"{exception_type}: no" if exception_type else "no"
    event = make_event(failure_type=failure_type, error=error, metadata={"exception_type": exception_type})

    (failure,) = find_failures(failure_to_spans(event, make_record()))

    assert failure.type == failure_type


def test_a_failure_without_a_failing_step_began_in_the_agent() -> None:
    """Where no step has an error, the agent's own span is where it began."""
    (failure,) = find_failures(failure_to_spans(make_event(), make_record(steps=[])))

    assert failure.failure_id == FAILURE_ID
    assert failure.path == (failure.origin.span_id,)


def test_a_pass_may_have_recovered_errors() -> None:
    """A step that went wrong in a run that passed is a recovered error, no failure."""
    event = make_event(failure_type="none", error=None, metadata={})

    (failure,) = find_failures(failure_to_spans(event, make_record(status="passed")))

    assert failure.recovered


def test_an_earlier_error_of_a_failed_run_is_no_second_failure() -> None:
    """One record tells of one failure: the last step with an error."""
    steps = [
        TraceStep(name="first", kind="tool_call", error="no"),
        TraceStep(name="last", kind="exception", error="boom"),
    ]

    (failure,) = find_failures(failure_to_spans(make_event(), make_record(steps=steps)))

    assert failure.origin.name == "last"


def test_mismatched_ids_are_refused() -> None:
    """An event and a record of different failures are a mistake, both as a store's error and as a ValueError."""
    with pytest.raises(StoreRejectedError, match="'other'"):
        failure_to_spans(make_event(), make_record(failure_id="other"))
    with pytest.raises(ValueError, match="'other'"):
        failure_to_spans(make_event(), make_record(failure_id="other"))


def test_any_failure_id_has_ids_of_its_own() -> None:
    """An id of the usual form names its spans; from any other, the same ids are made each time."""
    assert ids_of(FAILURE_ID) == ("0199c2f4a0b17c3d8e5f60718293a4b5", "a77f14b0c1d2e3f4")
    assert ids_of("run 42") == ids_of("run 42")
    assert ids_of("run 42") != ids_of("run 43")


def test_other_spans_are_no_stored_failure() -> None:
    """Ordinary spans have nothing to give back."""
    root, *_ = failure_to_spans(make_event(), make_record())

    assert spans_to_failure([]) is None
    assert spans_to_failure(failure_to_spans(make_event(), make_record())[1:]) is None
    assert spans_to_failure([root]) is not None


@given(
    st.sampled_from(get_args(FailureType)),
    st.sampled_from(get_args(RecordStatus)),
    TEXTS,
    st.none() | TEXTS,
    st.dictionaries(TEXTS, JSON, max_size=3),
    st.lists(STEPS, max_size=4),
)
def test_what_goes_in_comes_out(  # noqa: PLR0917  Hypothesis fills them in
    failure_type: FailureType,
    status: RecordStatus,
    subject: str,
    error: str | None,
    metadata: dict[str, object],
    steps: list[TraceStep],
) -> None:
    """Any event and record come back equal, whatever their steps and metadata hold."""
    event = make_event(failure_type=failure_type, subject=subject, error=error, metadata=metadata)
    record = make_record(status=status, subject=subject, steps=steps)

    stored = spans_to_failure(reversed(failure_to_spans(event, record)))

    assert stored == StoredFailure(event, record)
    assert stored.failure_id == FAILURE_ID


@pytest.mark.parametrize("claim", [{}, {"event": 5, "record": []}, {"event": {"failure_id": ""}}, {"record": "x"}])
def test_a_claim_that_is_no_failure_is_passed_over(claim: Any) -> None:
    """Imported spans may carry our attributes with anything in them."""
    root, step, *_ = failure_to_spans(make_event(), make_record())
    claimed = replace(root, attributes={**root.attributes, "agenttrace.stored_failure": claim})
    odd = replace(step, attributes={**step.attributes, "agenttrace.stored_step": {"kind": 3}})

    assert spans_to_failure([claimed, step]) is None
    assert spans_to_failure([root, odd]) is None
