"""HandoffContract: its JSON, what it refuses, and the statuses that it goes through."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import PurePath
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from otel_agenttrace import (
    ArtifactIntent,
    ExpectedOutput,
    HandoffContract,
    HandoffResult,
    HandoffTransitionError,
    HandoffValidationError,
)
from otel_agenttrace.model.handoff import TRANSITIONS, HandoffPriority, HandoffStatus
from otel_agenttrace.model.handoff_payload import MAX_DEPTH, MAX_VALUES

STATUSES: tuple[HandoffStatus, ...] = get_args(HandoffStatus)
TEXT = st.characters(codec="utf-8")
NAMES = st.text(TEXT, min_size=1, max_size=20).filter(str.strip)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(TEXT, max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)
GIVEN = {"handoff_id": "h-1", "from_agent": "planner", "to_agent": "builder", "capability_id": "build"}
EXTRA: dict[str, dict[str, Any]] = {status: {"error": "no"} for status in ("failed", "expired", "rejected")}


def _contract(status: HandoffStatus = "pending", **fields: Any) -> HandoffContract:
    return HandoffContract(**{**GIVEN, "status": status, **EXTRA.get(status, {}), **fields})


@st.composite
def contracts(draw: st.DrawFn) -> HandoffContract:
    """Any contract."""
    status = draw(st.sampled_from(STATUSES))
    created = datetime(2026, 9, 21, 14, 13, 20, tzinfo=timezone.utc)
    return _contract(
        status,
        from_agent=draw(NAMES),
        inputs=draw(st.dictionaries(NAMES, JSON, max_size=4)),
        expected_output=ExpectedOutput(type=draw(NAMES), schema_ref=draw(st.none() | NAMES)),
        priority=draw(st.sampled_from(get_args(HandoffPriority))),
        created_at=created,
        deadline=draw(st.none() | st.integers(1, 10**6).map(lambda seconds: created + timedelta(seconds=seconds))),
        result_trace_id=draw(st.none() | st.just("0af7651916cd43dd8448eb211c80319c")),
    )


@given(contracts())
def test_a_contract_is_the_same_after_json(contract: HandoffContract) -> None:
    """Out as JSON and in again changes nothing, as a mapping, as text and as bytes."""
    text = json.dumps(contract.to_payload())

    assert HandoffContract.from_payload(contract.to_payload()) == contract
    assert HandoffContract.from_payload(text) == contract
    assert HandoffContract.from_payload(text.encode()) == contract


@given(st.sampled_from(STATUSES), st.sampled_from(STATUSES))
def test_a_status_changes_only_as_the_table_says(before: HandoffStatus, after: HandoffStatus) -> None:
    """What the table allows happens and keeps the rest; anything else is an error that names both."""
    contract = _contract(before)

    assert contract.can_become(after) == (after in TRANSITIONS[before])
    if after in TRANSITIONS[before]:
        moved = contract.moved_to(after, error="late")
        assert moved.model_dump(exclude={"status", "error"}) == contract.model_dump(exclude={"status", "error"})
        assert (moved.status, moved.error) == (after, "late")
    else:
        with pytest.raises(HandoffTransitionError, match=f"status: {before} cannot become {after}"):
            contract.moved_to(after, error="late")


@given(st.lists(st.sampled_from(STATUSES), max_size=12))
def test_what_is_over_stays_over(attempts: list[HandoffStatus]) -> None:
    """Whatever is tried in whatever order: after a final status nothing follows, and each is final within three."""
    contract, moves = _contract(), 0
    for status in attempts:
        if contract.can_become(status):
            assert not contract.is_over
            contract, moves = contract.moved_to(status, error="no"), moves + 1
        else:
            with pytest.raises(HandoffTransitionError):
                contract.moved_to(status, error="no")

    assert moves <= 3
    assert contract.is_over == (TRANSITIONS[contract.status] == frozenset())


@given(st.sampled_from(STATUSES), st.sampled_from(STATUSES))
def test_an_answer_may_skip_what_nobody_saw(before: HandoffStatus, after: HandoffStatus) -> None:
    """The emitter takes over a status that some way through the table leads to, and no other."""
    waiting, found = list(TRANSITIONS[before]), set()
    while waiting:
        status = waiting.pop()
        found.add(status)
        waiting += TRANSITIONS[status]

    if after in found:
        assert _contract(before).answered(_contract(after)).status == after
    else:
        with pytest.raises(HandoffTransitionError, match="status"):
            _contract(before).answered(_contract(after))


def test_the_table_has_every_status() -> None:
    """The names that the contract registry knows, too."""
    assert set(TRANSITIONS) == set(STATUSES)
    assert set().union(*TRANSITIONS.values()) | {"pending"} == set(STATUSES)


_CYCLE: list[Any] = []
_CYCLE.append(_CYCLE)
_NESTED: Any = "deep"
for _ in range(MAX_DEPTH + 1):
    _NESTED = [_NESTED]

MALFORMED = [
    ({"handoff_id": 5}, "handoff_id: input should be a valid string"),
    ({"handoff_id": " "}, "handoff_id: has not the form that is expected"),
    ({"from_agent": ""}, "from_agent: string should have at least 1 character"),
    ({"to_agent": "x" * 257}, "to_agent: string should have at most 256 characters"),
    ({"colour": "red"}, "colour: is not a field that is known here"),
    ({"expected_output": {"kind": "x"}}, "expected_output.kind: is not a field that is known here"),
    ({"expected_output": "text"}, "expected_output: input should be a valid dictionary or instance of ExpectedOutput"),
    ({"inputs": ["a"]}, "inputs: input should be a valid dictionary"),
    ({"priority": "urgent"}, "priority: input should be 'low', 'normal', 'high' or 'critical'"),
    ({"status": "done"}, "status: input should be 'pending', 'accepted', 'in_progress',"),
    ({"status": "failed"}, "error: is missing; a handoff that is failed says why"),
    ({"error": "x" * 5000}, "error: string should have at most 4096 characters"),
    ({"result_trace_id": "xyz"}, "result_trace_id: has not the form that is expected"),
    ({"created_at": "yesterday"}, "created_at: not an RFC 3339 time with an offset"),
    ({"deadline": 1_800_000_000}, "deadline: input should be a valid string"),
    ({"deadline": "9999-12-31T23:59:59-01:00"}, "deadline: beyond the years 1 to 9999"),
    ({"deadline": "2020-01-01T00:00:00Z"}, "deadline: 2020-01-01T00:00:00.000000Z is not after created_at"),
    ({"inputs": {"a": [1, math.nan]}}, "inputs.a[1] is not a finite number"),
    ({"inputs": {"a": 2**64}}, "inputs.a is an integer beyond 64 bits"),
    ({"inputs": {"a": b"x"}}, "inputs.a is bytes, which JSON cannot say"),
    ({"inputs": {"a": PurePath("x")}}, "which JSON cannot say"),
    ({"inputs": {"a": "\ud800"}}, "inputs.a has an unpaired surrogate"),
    ({"inputs": {1: "x"}}, "inputs has a key that is a number, not text"),
    ({"inputs": {"a": _CYCLE}}, f"nested more than {MAX_DEPTH} deep"),
    ({"inputs": {"a": _NESTED}}, f"nested more than {MAX_DEPTH} deep"),
    ({"inputs": {"a": [0] * (MAX_VALUES + 1)}}, f"more than {MAX_VALUES} values"),
    ({"inputs": {"text": "x" * 2**20}}, "of which inputs is most; at most 1048576"),
]


@pytest.mark.parametrize(("change", "words"), MALFORMED, ids=[words[:50] for _, words in MALFORMED])
def test_what_is_malformed_is_refused_by_the_name_of_its_field(change: dict[str, Any], words: str) -> None:
    """Whatever is wrong with a payload, the error says where."""
    with pytest.raises(HandoffValidationError) as raised:
        HandoffContract.from_payload({**GIVEN, **change})

    assert words in str(raised.value)
    assert len(str(raised.value)) < 1000


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (None, "payload: expected a JSON object, found null"),
        ([1], "payload: expected a JSON object, found a list"),
        (5, "payload: expected a JSON object, found a number"),
        ("[]", "payload: expected a JSON object, found a list"),
        (b"{", "payload: not JSON"),
        ("", "payload: not JSON"),
        (b"\xff", "payload: not JSON"),
        ('{"a": NaN}', "payload: not JSON"),
        ("[" * 100_000, "payload: not JSON"),
        (" " * (2**20 + 1), "payload: 1048577 bytes; at most 1048576"),
        ({}, "handoff_id"),
    ],
    ids=str,
)
def test_what_is_no_handoff_at_all_is_refused(payload: Any, words: str) -> None:
    """Text that is no JSON, JSON that is no object, and what is too large to be looked at."""
    if payload == {}:
        words = "from_agent: is missing; to_agent: is missing; capability_id: is missing"

    with pytest.raises(HandoffValidationError) as raised:
        HandoffContract.from_payload(payload)

    assert words in str(raised.value)


@given(st.dictionaries(st.sampled_from([*HandoffContract.model_fields, "other"]), JSON, max_size=8))
def test_no_payload_breaks_more_than_itself(fields: dict[str, Any]) -> None:
    """Any mapping is a handoff, or a HandoffValidationError."""
    with suppress(HandoffValidationError):
        contract = HandoffContract.from_payload({**GIVEN, **fields})
        assert HandoffContract.from_payload(contract.to_payload()) == contract


def test_no_error_repeats_a_value() -> None:
    """A payload may hold secrets, and errors are written to logs."""
    with pytest.raises(HandoffValidationError) as raised:
        HandoffContract.from_payload({**GIVEN, "inputs": "hunter2", "priority": "hunter2", "status": {"a": "hunter2"}})

    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_models_may_be_inputs() -> None:
    """An ArtifactIntent is handed over as an object."""
    intent = ArtifactIntent(artifact_id="latency", type="dashboard", path="dashboards/latency.json")

    contract = HandoffContract(from_agent="a", to_agent="b", capability_id="c", inputs={"artifacts": (intent,)})

    assert contract.inputs == {"artifacts": [{"artifact_id": "latency", "type": "dashboard", "path": intent.path}]}
    assert contract.handoff_id.startswith("handoff-")


@pytest.mark.parametrize("change", [{"checksum": "abc"}, {"path": ""}, {"owner": "x"}, {"artifact_id": None}], ids=str)
def test_an_artifact_is_checked(change: dict[str, Any]) -> None:
    """What is no checksum, no path or no field of an artifact is refused."""
    with pytest.raises(ValidationError, match=next(iter(change))):
        ArtifactIntent(**{"artifact_id": "a", "type": "t", "path": "p", **change})


def test_a_deadline_is_told_in_seconds() -> None:
    """How long there is left, by the clock that is asked; nothing says so without a deadline."""
    contract = _contract(created_at="2026-09-21T14:13:20Z", deadline="2026-09-21T16:13:21+02:00")
    deadline = int(datetime(2026, 9, 21, 14, 13, 21, tzinfo=timezone.utc).timestamp()) * 10**9

    assert contract.seconds_left(deadline - 5 * 10**8) == 0.5
    assert (contract.is_late(deadline - 1), contract.is_late(deadline), contract.seconds_left(deadline + 1)) == (
        False,
        True,
        0,
    )
    assert (_contract().seconds_left(), _contract().is_late()) == (None, False)


def test_a_result_is_the_same_after_json() -> None:
    """What comes back, too, is JSON out and in."""
    result = HandoffResult(handoff=_contract("completed"), output={"a": [1, None]})

    assert HandoffResult.from_payload(json.dumps(result.to_payload())) == result
    with pytest.raises(HandoffValidationError, match=r"handoff: is missing; extra: is not a field"):
        HandoffResult.from_payload({"extra": 1})


def test_no_error_repeats_what_was_given() -> None:
    """The values of a handoff may be secrets, also those that are wrong."""
    with pytest.raises(ValidationError) as raised:
        HandoffContract.model_validate({"from_agent": "a", "inputs": {"api_key": "hush"}, "priority": "loud"})

    assert "priority" in str(raised.value)
    assert "hush" not in str(raised.value)
    assert "loud" not in str(raised.value)
