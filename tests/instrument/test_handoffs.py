"""Handoffs within one process: what is checked on both sides, and what the spans tell."""

from __future__ import annotations

import asyncio
import json
import queue
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode, format_trace_id

from otel_agenttrace import (
    ArtifactIntent,
    ConfigError,
    ExpectedOutput,
    HandoffContract,
    HandoffTimeoutError,
    HandoffTransitionError,
    HandoffValidationError,
    TraceContext,
    emit_handoff,
    receive_handoff,
    receive_handoff_result,
    wait_for_handoff_result,
)
from otel_agenttrace.contract.validate import Contract

if TYPE_CHECKING:
    from tests.instrument.conftest import Recorded

CREATED = datetime(2026, 9, 21, 14, 13, 20, tzinfo=timezone.utc)
SCHEMAS: dict[str, dict[str, Any]] = {
    "feature.json": {
        "type": "object",
        "properties": {"features": {"type": "array", "items": {"type": "string"}}, "limit": {"maximum": 5}},
        "required": ["features"],
        "additionalProperties": False,
    },
    "count.json": {"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]},
    "list.json": {"type": "array", "items": {"$ref": "count.json"}},
    "lost.json": {"$ref": "nowhere.json"},
    "none.json": {"type": "wrong"},
}
CAPABILITIES = {"implement": "feature.json", "rest": None}


class Clock:
    """Nanoseconds since the Unix epoch, as the test says."""

    def __init__(self, seconds: float = 0) -> None:
        self.seconds = seconds

    def __call__(self) -> int:
        """Now."""
        return int((CREATED.timestamp() + self.seconds) * 1e9)


def _contract(**fields: Any) -> HandoffContract:
    given: dict[str, Any] = {"from_agent": "planner", "to_agent": "builder", "capability_id": "implement"}
    inputs = {"features": ["gap-latency-panel"]}
    return HandoffContract(**{**given, "inputs": inputs, "created_at": CREATED, **fields})


def _events(recorded: Recorded, span: str) -> list[tuple[str, str, object]]:
    return [
        (event.name, str((event.attributes or {})["handoff.status"]), (event.attributes or {}).get("handoff.error"))
        for event in recorded.span(span).events
        if event.name.startswith("handoff.")
    ]


def _assert_keeps_contract(recorded: Recorded) -> None:
    contract = Contract.load()
    for span in recorded.spans:
        assert contract.check(dict(span.attributes or {}), span.events) == ()


def test_a_handoff_joins_one_trace_and_comes_back(recorded: Recorded) -> None:
    """Emitted, taken, worked on and answered: one tree, an event for each check, and the output on the other side."""
    contract = _contract(expected_output=ExpectedOutput(type="object", schema_ref="count.json"))

    with TraceContext("planner"):
        payload = emit_handoff(contract, capabilities=CAPABILITIES, schemas=SCHEMAS)
    with receive_handoff(json.dumps(payload), agent="builder", capabilities=CAPABILITIES, schemas=SCHEMAS) as handoff:
        assert (handoff.contract.status, handoff.inputs) == ("in_progress", contract.inputs)
        with TraceContext("build"):
            answer = handoff.complete({"count": 1})
    with TraceContext("reader"):
        result = receive_handoff_result(json.dumps(answer), contract, schemas=SCHEMAS)

    trace_id = format_trace_id(recorded.span("planner").context.trace_id)
    assert recorded.parent_of("handoff implement") == "planner"
    assert recorded.parent_of("build") == "handoff implement"
    assert recorded.span("handoff implement").kind is SpanKind.CONSUMER
    assert (result.output, result.handoff.status) == ({"count": 1}, "completed")
    assert (result.handoff.result_trace_id, result.handoff.inputs) == (trace_id, contract.inputs)
    assert (handoff.notes, handoff.answer) == ((), answer)
    assert _events(recorded, "planner") == [("handoff.emitted", "pending", None)]
    assert _events(recorded, "handoff implement") == [
        ("handoff.validated", "accepted", None),
        ("handoff.validated", "completed", None),
    ]
    assert _events(recorded, "reader") == [("handoff.validated", "completed", None)]


def test_the_emitted_event_has_the_fields_of_the_contract(recorded: Recorded) -> None:
    """Each field that has a value is an attribute, under its registered name."""
    deadline = CREATED + timedelta(hours=1)
    expected = ExpectedOutput(type="artifact", schema_ref="count.json")
    contract = _contract(handoff_id="h-1", priority="high", deadline=deadline, expected_output=expected)

    with TraceContext("planner"):
        emit_handoff(contract, clock=Clock())

    (event,) = recorded.span("planner").events
    assert dict(event.attributes or {}) == {
        "handoff.id": "h-1",
        "handoff.from_agent": "planner",
        "handoff.to_agent": "builder",
        "handoff.capability_id": "implement",
        "handoff.inputs": {"features": ("gap-latency-panel",)},
        "handoff.expected_output.type": "artifact",
        "handoff.expected_output.schema_ref": "count.json",
        "handoff.priority": "high",
        "handoff.status": "pending",
        "handoff.created_at": "2026-09-21T14:13:20.000000Z",
        "handoff.deadline": "2026-09-21T15:13:20.000000Z",
    }


def test_content_may_be_left_out(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without content, no inputs or outputs stand on spans; what is sent is the same."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "false")

    with TraceContext("planner"):
        payload = emit_handoff(_contract())
    with receive_handoff(payload) as handoff:
        handoff.complete({"secret": "gap"})

    assert payload["inputs"] == {"features": ["gap-latency-panel"]}
    assert all(
        "gap" not in str(span.attributes) + str([event.attributes for event in span.events]) for span in recorded.spans
    )


def test_it_works_without_any_tracing() -> None:
    """Where nobody records, contracts are checked all the same; there is no trace to tell of."""
    payload = emit_handoff(_contract())
    with receive_handoff(payload, agent="builder") as handoff:
        answer = handoff.complete({})

    result = receive_handoff_result(answer, _contract(handoff_id=payload["handoff_id"]))
    assert "traceparent" not in payload
    assert (result.handoff.status, result.handoff.result_trace_id) == ("completed", None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"inputs": {}}, "inputs: features missing"),
        ({"inputs": {"features": ["a", 5]}}, 'inputs.features[1]: expected type "string"'),
        ({"inputs": {"features": [], "limit": 9}}, "inputs.limit: expected maximum 5"),
        ({"inputs": {"features": [], "hunter2": 9}}, "inputs: has a field that its schema does not know"),
        ({"capability_id": "fly"}, "capability_id: is not one of this agent's"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_inputs_are_checked_on_both_sides(recorded: Recorded, change: dict[str, Any], words: str) -> None:
    """What does not follow the capability's schema goes neither out nor in; both sides record and say why."""
    contract = _contract(**change)

    with TraceContext("planner"), pytest.raises(HandoffValidationError) as out:
        emit_handoff(contract, capabilities=CAPABILITIES, schemas=SCHEMAS)
    with (
        pytest.raises(HandoffValidationError) as taken,
        receive_handoff(contract.to_payload(), capabilities=CAPABILITIES, schemas=SCHEMAS),
    ):
        pytest.fail("the work began")

    for error in (out.value, taken.value):
        assert error.problems == (words,)
        assert error.handoff is not None
        assert (error.handoff.status, error.handoff.error) == ("rejected", words)
    assert _events(recorded, "planner") == [("handoff.validated", "rejected", words)]
    received = f"handoff {contract.capability_id}"
    assert _events(recorded, received) == [("handoff.validated", "rejected", words)]
    assert recorded.span(received).status.status_code is StatusCode.ERROR
    assert taken.value.answer is not None
    assert receive_handoff_result(taken.value.answer, contract).handoff.error == words
    _assert_keeps_contract(recorded)


def test_a_handoff_to_somebody_else_is_refused(recorded: Recorded) -> None:
    """An agent takes only what is addressed to it."""
    with (
        pytest.raises(HandoffValidationError, match="to_agent: builder is not this agent, tester"),
        receive_handoff(_contract().to_payload(), agent="tester"),
    ):
        pytest.fail("the work began")

    assert (recorded.span("handoff implement").attributes or {})["gen_ai.agent.name"] == "tester"


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"{", "payload: not JSON"),
        ({"handoff_id": "h-1", "from_agent": 5, "colour": 1}, "from_agent: input should be a valid string"),
        ({**_contract().to_payload(), "status": "done"}, "status: input should be"),
        ({**_contract().to_payload(), "inputs": {"a": "x" * 300}}, "payload: "),
    ],
    ids=["no JSON", "wrong types", "unknown status", "oversize"],
)
def test_what_is_malformed_is_told_on_a_span(recorded: Recorded, payload: Any, words: str) -> None:
    """What cannot be read as a handoff is rejected on a span of its own, with the names that it does have."""
    with pytest.raises(HandoffValidationError) as raised, receive_handoff(payload, max_bytes=400) as handoff:
        pytest.fail(f"took {handoff}")

    (span,) = recorded.spans
    (event,) = (event for event in span.events if event.name == "handoff.validated")
    assert words in str((event.attributes or {})["handoff.error"])
    assert (event.attributes or {})["handoff.status"] == "rejected"
    assert (raised.value.handoff, raised.value.answer) == (None, None)
    _assert_keeps_contract(recorded)


@pytest.mark.parametrize("status", ["accepted", "completed", "cancelled"])
def test_only_what_is_pending_goes_out_or_in(recorded: Recorded, status: Any) -> None:
    """A handoff that is taken, done or taken back is not emitted and not taken again; it stays what it is."""
    contract = _contract(status=status)

    with TraceContext("planner"), pytest.raises(HandoffTransitionError, match=f"status: {status}"):
        emit_handoff(contract)
    with pytest.raises(HandoffTransitionError, match=f"status: {status} cannot become accepted") as raised:
        receive_handoff(contract.to_payload()).__enter__()

    assert raised.value.handoff == contract
    for span in ("planner", "handoff implement"):
        ((_, told, error),) = _events(recorded, span)
        assert (told, str(error).startswith(f"status: {status}")) == (status, True)


def test_a_late_handoff_expires_on_both_sides(recorded: Recorded) -> None:
    """After the deadline it is not emitted, and not taken; both sides record that it has expired."""
    contract, clock = _contract(deadline=CREATED + timedelta(seconds=10)), Clock(11)
    words = "deadline: 2026-09-21T14:13:30.000000Z has passed"

    with TraceContext("planner"), pytest.raises(HandoffTimeoutError, match=words) as out:
        emit_handoff(contract, clock=clock)
    with pytest.raises(HandoffTimeoutError, match=words) as taken:
        receive_handoff(contract.to_payload(), clock=clock).__enter__()

    assert out.value.handoff is not None
    assert out.value.handoff.status == "expired"
    assert taken.value.answer is not None
    assert taken.value.answer["handoff"]["status"] == "expired"
    for span in ("planner", "handoff implement"):
        assert _events(recorded, span) == [("handoff.validated", "expired", words)]
    _assert_keeps_contract(recorded)


def test_work_that_outlives_the_deadline_is_told(recorded: Recorded) -> None:
    """A result that comes too late is none: whoever gives it, or asks in between, is told, and the answer says so."""
    clock = Clock()
    payload = _contract(deadline=CREATED + timedelta(seconds=10)).to_payload()
    for act in ("complete", "check_deadline"):
        clock.seconds = 0
        with receive_handoff(payload, clock=clock) as handoff:
            handoff.check_deadline()
            clock.seconds = 11
            with pytest.raises(HandoffTimeoutError, match="passed while the work went on"):
                getattr(handoff, act)()
        assert handoff.answer is not None
        assert handoff.answer["handoff"]["status"] == "expired"

    assert {span.status.status_code for span in recorded.spans} == {StatusCode.ERROR}
    assert {(span.attributes or {})["error.type"] for span in recorded.spans} == {"timeout"}


def test_work_that_says_nothing_by_the_deadline_has_expired(caplog: pytest.LogCaptureFixture) -> None:
    """A block that simply ends late leaves an expired handoff, and a warning."""
    clock = Clock()
    with receive_handoff(_contract(deadline=CREATED + timedelta(seconds=10)).to_payload(), clock=clock) as handoff:
        clock.seconds = 10

    assert handoff.contract.status == "expired"
    assert "passed while the work went on" in caplog.text


@pytest.mark.parametrize(
    ("type_", "output", "problem"),
    [
        ("text", 5, "output: expected text"),
        ("integer", True, "output: expected integer"),
        ("object", None, "output: expected object"),
        ("artifact", {"artifact_id": "a", "type": "t"}, "output.path: is missing"),
        ("artifact", "a", "output: expected an artifact"),
        ("artifacts", [{"artifact_id": "a", "type": "t", "path": "p"}, 5], "output[1]: expected an artifact"),
        ("artifacts", {}, "output: expected a list of artifacts"),
        ("object", {"at": CREATED}, "output.at is datetime, which JSON cannot say"),
        ("object", {"text": "x" * 2**20}, "payload: "),
    ],
)
def test_an_output_of_another_type_fails_the_handoff(recorded: Recorded, type_: str, output: Any, problem: str) -> None:
    """What was not agreed on does not leave the receiver: it is told, and the answer is a failure."""
    with receive_handoff(_contract(expected_output=ExpectedOutput(type=type_)).to_payload()) as handoff:
        with pytest.raises(HandoffValidationError) as raised:
            handoff.complete(output)
        assert raised.value.answer == handoff.answer

    assert str(raised.value).startswith(problem)
    assert handoff.contract.status == "failed"
    assert str(handoff.contract.error).startswith(problem)
    assert _events(recorded, "handoff implement")[-1][:2] == ("handoff.validated", "failed")


@pytest.mark.parametrize(
    ("type_", "output"),
    [
        ("text", "done"),
        ("integer", 5),
        ("boolean", True),
        ("null", None),
        ("artifact", ArtifactIntent(artifact_id="a", type="t", path="p")),
        ("artifacts", [ArtifactIntent(artifact_id="a", type="t", path="p")]),
        ("a word of our own", {"any": ["thing"]}),
    ],
)
def test_an_output_of_its_type_is_taken_on_both_sides(type_: str, output: Any) -> None:
    """The words that are known are checked, any other is for the agents."""
    contract = _contract(expected_output=ExpectedOutput(type=type_))
    with receive_handoff(contract.to_payload()) as handoff:
        answer = handoff.complete(output)

    assert receive_handoff_result(json.dumps(answer), contract).handoff.status == "completed"


def test_a_schema_that_is_not_known_is_noted() -> None:
    """An output that cannot be checked here is not said to have been."""
    expected = ExpectedOutput(schema_ref="elsewhere.json")
    with receive_handoff(_contract(expected_output=expected).to_payload(), schemas=SCHEMAS) as handoff:
        handoff.complete({})

    assert handoff.notes == ("output: not checked, as the schema elsewhere.json is not known here",)


EVIL = "a" * 40 + "!"


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"properties": {"a": {"pattern": "^(a+)+$"}}}, 'inputs.a: expected pattern "^(a+)+$"'),
        ({"patternProperties": {"^(a+)+$": True}, "additionalProperties": False}, "inputs: has a field"),
        ({"$ref": "evil.json"}, 'inputs.a: expected pattern "^(a+)+$"'),
        ({"properties": {"list": {"uniqueItems": True}}}, "inputs.list: expected uniqueItems true"),
    ],
)
def test_no_value_takes_a_schema_for_ever(schema: Any, words: str) -> None:
    """A stranger sends it: patterns are RE2's, and a long list is not compared item by item."""
    draft = "https://json-schema.org/draft/2020-12/schema"
    schemas = {"evil.json": {"$schema": draft, "properties": {"a": {"pattern": "^(a+)+$"}}}}
    items = [{"number": number} for number in range(40_000)]
    payload = _contract(inputs={"a": EVIL, EVIL: 1, "list": [*items, {"number": 7.0}]}).to_payload()

    with (
        pytest.raises(HandoffValidationError) as raised,
        receive_handoff(payload, capabilities={"implement": schema}, schemas=schemas),
    ):
        pytest.fail("the work began")

    assert raised.value.problems[0].startswith(words)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"properties": {"features": {"items": {"pattern": "(?=a)"}}}}, "none of RE2's"),
        ({"patternProperties": {}, "unevaluatedProperties": False}, "has both patternProperties and unevaluated"),
        ({"allOf": [{"$ref": "#/allOf/0"}]}, "refer to each other without an end"),
    ],
)
def test_a_schema_that_may_take_for_ever_is_a_wrong_setting(schema: Any, words: str) -> None:
    """Whatever the value is."""
    with pytest.raises(ConfigError, match=words):
        emit_handoff(_contract(inputs={"features": ["a"]}), capabilities={"implement": schema})


def test_schemas_may_refer_to_each_other() -> None:
    """A `$ref` leads to another schema that is known here."""
    expected = ExpectedOutput(type="array", schema_ref="list.json")
    with (
        receive_handoff(_contract(expected_output=expected).to_payload(), schemas=SCHEMAS) as handoff,
        pytest.raises(HandoffValidationError, match=r"output\[1\]: count missing"),
    ):
        handoff.complete([{"count": 1}, {}])


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ("missing.json", "implement names the schema missing.json, which schemas does not have"),
        ("lost.json", "the schema of inputs cannot be used: .*nowhere.json"),
        ("none.json", "the schema of inputs is no JSON Schema"),
        ({"type": 5}, "the schema of inputs is no JSON Schema"),
    ],
    ids=str,
)
def test_a_wrong_schema_is_a_wrong_setting(schema: Any, words: str) -> None:
    """It is neither the other agent's fault nor a pass."""
    with pytest.raises(ConfigError, match=words):
        emit_handoff(_contract(), capabilities={"implement": schema}, schemas=SCHEMAS)
    with pytest.raises(ConfigError, match=words):
        receive_handoff(_contract().to_payload(), capabilities={"implement": schema}, schemas=SCHEMAS).__enter__()


@pytest.mark.parametrize(
    ("error", "status", "why"),
    [
        (ValueError("no disk"), "failed", "ValueError: no disk"),
        (asyncio.CancelledError(), "cancelled", "CancelledError"),
    ],
)
def test_an_exception_ends_the_handoff_and_passes(
    recorded: Recorded, error: BaseException, status: str, why: str
) -> None:
    """The caller gets its own exception, the other agent is told."""
    handoff = receive_handoff(_contract().to_payload())
    with pytest.raises(type(error)) as raised, handoff:
        raise error

    assert raised.value is error
    assert handoff.answer is not None
    assert (handoff.answer["handoff"]["status"], handoff.answer["handoff"]["error"]) == (status, why)
    assert _events(recorded, "handoff implement")[-1] == ("handoff.validated", status, why)


def test_work_without_a_result_has_failed() -> None:
    """A block that ends without `complete` gives nothing back, and that is told; `fail` says why."""
    with receive_handoff(_contract().to_payload()) as silent:
        pass
    with receive_handoff(_contract().to_payload()) as given_up:
        answer = given_up.fail("no such feature")

    assert silent.contract.error == "ended without a result"
    assert answer["handoff"]["error"] == "no such feature"
    with pytest.raises(HandoffTransitionError, match="failed cannot become completed"):
        given_up.complete({})


def test_async_agents_receive_too(recorded: Recorded) -> None:
    """`async with` does what `with` does."""

    async def work() -> dict[str, Any]:
        async with receive_handoff(_contract().to_payload()) as handoff:
            await asyncio.sleep(0)
            return handoff.complete({"ok": True})

    assert asyncio.run(work())["output"] == {"ok": True}
    assert recorded.span("handoff implement").status.status_code is StatusCode.UNSET


def test_one_received_handoff_is_worked_on_once() -> None:
    """Entering it again, or asking before, is an error of the caller's."""
    handoff = receive_handoff(_contract().to_payload())
    with pytest.raises(HandoffTransitionError, match="nothing was received yet"):
        _ = handoff.contract
    with handoff:
        handoff.complete({})
    with pytest.raises(RuntimeError, match="entered once"), handoff:
        pass
    with pytest.raises(TypeError, match="takes a HandoffContract, not dict"):
        emit_handoff(_contract().to_payload())  # type: ignore[arg-type]


def _answer(contract: HandoffContract, **fields: Any) -> dict[str, Any]:
    handoff = contract.model_copy(update={"inputs": {}, "status": "completed", **fields.pop("handoff", {})})
    return {"handoff": handoff.to_payload(), "output": {"count": 1}, **fields}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"handoff": {"handoff_id": "other"}}, "handoff.handoff_id: is not that of the handoff"),
        ({"handoff": {"to_agent": "other"}}, "handoff.to_agent: is not that of the handoff"),
        ({"output": {"count": "1"}}, 'output.count: expected type "integer"'),
        ({"output": 5}, "output: expected object"),
        ({"extra": 5}, "extra: is not a field that is known here"),
        ({"handoff": {"status": "cancelled"}}, "output: expected none, as the handoff is cancelled"),
        ({"handoff": {"status": "failed"}}, "handoff: error: is missing"),
    ],
    ids=str,
)
def test_an_answer_is_checked_too(recorded: Recorded, change: dict[str, Any], words: str) -> None:
    """The emitter trusts an answer no more than the receiver trusts a handoff, and records why."""
    contract = _contract(expected_output=ExpectedOutput(schema_ref="count.json"))

    with TraceContext("planner"), pytest.raises(HandoffValidationError) as raised:
        receive_handoff_result(_answer(contract, **change), contract, schemas=SCHEMAS)

    assert words in str(raised.value)
    assert _events(recorded, "planner") == [("handoff.validated", "pending", str(raised.value))]


def test_an_answer_to_what_is_over_is_refused() -> None:
    """Nothing follows on a handoff that was taken back."""
    contract = _contract()

    with pytest.raises(HandoffTransitionError, match="status: cancelled cannot become completed"):
        receive_handoff_result(_answer(contract), contract.moved_to("cancelled"))


def test_an_emitter_waits_until_the_deadline(recorded: Recorded) -> None:
    """It asks for as long as there is time, then the handoff has expired; a late answer changes nothing."""
    clock, asked = Clock(), []
    contract = _contract(deadline=CREATED + timedelta(seconds=10))

    def receive(timeout_s: float) -> None:
        asked.append(timeout_s)
        clock.seconds += 4
        raise queue.Empty

    with TraceContext("planner"), pytest.raises(HandoffTimeoutError) as raised:
        wait_for_handoff_result(contract, receive, clock=clock)

    assert [round(seconds) for seconds in asked] == [10, 6, 2]
    assert raised.value.handoff is not None
    assert raised.value.handoff.status == "expired"
    assert [status for _, status, _ in _events(recorded, "planner")] == ["expired"]
    with pytest.raises(HandoffTimeoutError):
        receive_handoff_result(_answer(contract), contract, clock=clock)


def test_an_emitter_waits_for_the_last_answer() -> None:
    """News of progress is no result; without a deadline it waits on."""
    contract = _contract()
    progress = [
        {"handoff": contract.model_copy(update={"status": status}).to_payload()}
        for status in ("accepted", "in_progress")
    ]
    answers = iter([None, *progress, progress[-1], _answer(contract)])

    result = wait_for_handoff_result(contract, lambda _: next(answers))

    assert (result.handoff.status, result.output) == ("completed", {"count": 1})
