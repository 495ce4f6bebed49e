"""The receiving side of a handoff: a span around the work, and what becomes of the contract on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import context as context_api
from opentelemetry.trace import SpanKind, format_trace_id, get_current_span

from otel_agenttrace.contract.attributes import AGENTTRACE_INPUT, AGENTTRACE_OUTPUT, GEN_AI_AGENT_NAME
from otel_agenttrace.errors import HandoffError, HandoffTimeoutError, HandoffTransitionError, HandoffValidationError
from otel_agenttrace.instrument.capture import capture, keeps_content
from otel_agenttrace.instrument.faults import contained, logger, told
from otel_agenttrace.instrument.handoff_context import context_fields, parent_of
from otel_agenttrace.instrument.handoff_events import PARTIES, mark_failed, tell_refused, tell_validated
from otel_agenttrace.instrument.handoff_schemas import input_problems, is_checked, output_problems
from otel_agenttrace.instrument.spans import start_span
from otel_agenttrace.model.handoff import HandoffContract, HandoffResult
from otel_agenttrace.model.handoff_payload import check_size, load_payload, plain_json, read_model

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import TracebackType

    from opentelemetry.context import Context
    from opentelemetry.trace import Span
    from typing_extensions import Self

    from otel_agenttrace.instrument.handoff_context import Parent
    from otel_agenttrace.instrument.handoff_schemas import Schema, Schemas
    from otel_agenttrace.instrument.spans import OpenSpan
    from otel_agenttrace.model.handoff import HandoffStatus


class Receiver(NamedTuple):
    """The agent that receives: the arguments of `receive_handoff`."""

    agent: str | None
    capabilities: Collection[str] | Mapping[str, str | Schema | None] | None
    schemas: Schemas
    max_bytes: int
    clock: Callable[[], int]

    def check(self, contract: HandoffContract) -> None:
        """Whether this agent takes it, now.

        Raises:
            HandoffError: it does not.
            ConfigError: a schema is none.
        """
        if contract.status != "pending":
            raise HandoffTransitionError([f"status: {contract.status} cannot become accepted; only pending can"])
        if contract.is_late(self.clock()):
            raise HandoffTimeoutError([f"deadline: {contract.deadline} has passed"])
        problems = []
        if self.agent is not None and contract.to_agent != self.agent:
            problems = [f"to_agent: {contract.to_agent} is not this agent, {self.agent}"]
        problems += input_problems(contract.inputs, contract.capability_id, self.capabilities, self.schemas)
        if problems:
            raise HandoffValidationError(problems)


class ReceivedHandoff:
    """One handoff while it is worked on; `with` or `async with`, once.

    A block that raises fails the handoff (a cancelled task cancels it) and the exception passes; one that ends without
    `complete` or `fail` fails it too.

    Attributes:
        notes: what is not as it might be, though no reason to refuse it: a trace context that cannot be read, a schema
            that is not known here.
        answer: what to send back, as JSON can say it; None while the work goes on.
    """

    def __init__(self, payload: Mapping[str, Any] | str | bytes, receiver: Receiver, context: Context | None) -> None:
        self.notes: tuple[str, ...] = ()
        self.answer: dict[str, Any] | None = None
        self._payload = payload
        self._receiver = receiver
        self._context = context
        self._contract: HandoffContract | None = None
        self._opened: OpenSpan | None = None

    @property
    def contract(self) -> HandoffContract:
        """The contract as it stands.

        Raises:
            HandoffTransitionError: there is none yet, or none that could be read.
        """
        if self._contract is None:
            raise HandoffTransitionError(["status: nothing was received yet; use `with`"])
        return self._contract

    @property
    def inputs(self) -> dict[str, Any]:
        """What to work from."""
        return self.contract.inputs

    def __enter__(self) -> Self:
        if self._opened is not None:
            raise RuntimeError("a received handoff is entered once")
        refusal: HandoffError | None = None
        fields: dict[str, Any] = {}
        try:
            fields = load_payload(self._payload, self._receiver.max_bytes)
            names = context_fields()
            self._contract = read_model(HandoffContract, {key: fields[key] for key in fields if key not in names})
        except HandoffError as error:
            refusal, fields = error, fields or _bare(self._payload)
        parent = parent_of(fields, context_api.get_current() if self._context is None else self._context)
        self._opened = _open(self._contract, self._receiver.agent, parent)
        self._opened.__enter__()
        try:
            self._take(fields, parent.problem, refusal)
        except BaseException as error:
            self._leave(error)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if not self.contract.is_over:
                self._end_with(error)
        finally:
            self._leave(error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def check_deadline(self) -> None:
        """Stop work that nobody waits for any more; long ones call it now and then.

        Raises:
            HandoffTimeoutError: the deadline has passed, and the handoff has expired.
        """
        if self.contract.is_over or not self.contract.is_late(self._receiver.clock()):
            return
        why = f"deadline: {self.contract.deadline} passed while the work went on"
        self._move("expired", why)
        raise self._told(HandoffTimeoutError([why]))

    def complete(self, output: Any = None) -> dict[str, Any]:
        """Give back the result: check it against `expected_output`, and record that on the current span.

        Args:
            output: anything JSON can say; ArtifactIntents and other pydantic models too.

        Returns:
            The answer: the contract, completed and with its `result_trace_id`, and the output.

        Raises:
            HandoffValidationError: the output is not what was agreed on; the handoff has failed.
            HandoffTimeoutError: the deadline has passed; the handoff has expired.
            HandoffTransitionError: it is over already.
            ConfigError: a schema is none.
        """
        self.check_deadline()
        done = self.contract.moved_to("completed", result_trace_id=self._trace_id())
        try:
            answer = self._checked_answer(done, output)
        except HandoffValidationError as error:
            self._move("failed", str(error))
            raise self._told(error) from None
        self._contract, self.answer = done, answer
        if not is_checked(done.expected_output, self._receiver.schemas):
            self._note(f"output: not checked, as the schema {done.expected_output.schema_ref} is not known here")
        self._record(AGENTTRACE_OUTPUT, answer["output"])
        tell_validated(self._span, done)
        return answer

    def fail(self, error: str) -> dict[str, Any]:
        """Give up: the answer says why.

        Raises:
            HandoffTransitionError: it is over already.
        """
        self._move("failed", error or "failed")
        return self.answer or {}

    def _take(self, fields: dict[str, Any], problem: str, refusal: HandoffError | None) -> None:
        if refusal is not None:
            tell_refused(self._span, fields, str(refusal))
            raise refusal
        try:
            self._receiver.check(self.contract)
        except HandoffTransitionError as error:
            tell_validated(self._span, self.contract, str(error))
            raise self._told(error) from None
        except HandoffError as error:
            self._move("expired" if isinstance(error, HandoffTimeoutError) else "rejected", str(error))
            raise self._told(error) from None
        accepted = self.contract.moved_to("accepted")
        if problem:
            logger.warning("handoff %s: %s", accepted.handoff_id, problem)
            self._note(problem)
        tell_validated(self._span, accepted, problem)
        self._contract = accepted.moved_to("in_progress")
        self._record(AGENTTRACE_INPUT, accepted.inputs)

    def _checked_answer(self, done: HandoffContract, output: Any) -> dict[str, Any]:
        plain = _plain_output(output)
        problems = output_problems(plain, done.expected_output, self._receiver.schemas)
        if problems:
            raise HandoffValidationError(problems)
        answer = _answer(done, plain)
        check_size(answer, self._receiver.max_bytes)
        return answer

    def _end_with(self, error: BaseException | None) -> None:
        if self.contract.is_late(self._receiver.clock()):
            why = f"deadline: {self.contract.deadline} passed while the work went on"
            logger.warning("handoff %s: %s", self.contract.handoff_id, why)
            self._move("expired", why)
        elif isinstance(error, (asyncio.CancelledError, KeyboardInterrupt)):
            self._move("cancelled", type(error).__name__)
        else:
            self._move("failed", "ended without a result" if error is None else told(error))

    def _move(self, status: HandoffStatus, why: str) -> None:
        """End it with an error."""
        trace_id = None if status == "rejected" else self._trace_id()
        self._contract = self.contract.moved_to(status, error=why, result_trace_id=trace_id)
        self.answer = _answer(self._contract, None)
        tell_validated(self._span, self._contract)
        mark_failed(self._span, self._contract)

    def _told(self, error: HandoffError) -> HandoffError:
        error.handoff = self._contract
        error.answer = self.answer
        return error

    def _note(self, note: str) -> None:
        self.notes = (*self.notes, note)

    @property
    def _span(self) -> Span:
        """That of the handoff, whatever the block has made current since."""
        return get_current_span() if self._opened is None else self._opened.span

    def _record(self, name: str, value: Any) -> None:
        with contained("record a handoff"):
            if value and keeps_content():
                self._span.set_attribute(name, capture(value))

    def _trace_id(self) -> str | None:
        context = self._span.get_span_context()
        return format_trace_id(context.trace_id) if context.is_valid else None

    def _leave(self, error: BaseException | None) -> None:
        if self._opened is not None:
            self._opened.__exit__()
            self._opened.end(error)


def _open(contract: HandoffContract | None, agent: str | None, parent: Parent) -> OpenSpan:
    """Start the span that the work is below; its name has nothing in it that was sent before that is checked."""
    name = "handoff" if contract is None else f"handoff {contract.capability_id}"
    receiving = agent or (contract.to_agent if contract is not None else None)
    attributes: dict[str, Any] = {} if receiving is None else {GEN_AI_AGENT_NAME: receiving}
    opened = start_span(name, kind=SpanKind.CONSUMER, attributes=attributes, parent=parent.context)
    if parent.link is not None:
        with contained("link a handoff"):
            opened.span.add_link(parent.link)
    return opened


def _bare(payload: object) -> dict[str, Any]:
    """Of what is no payload as a whole, the fields that tell where it comes from."""
    names = (*context_fields(), *PARTIES)
    return {name: payload[name] for name in names if name in payload} if isinstance(payload, Mapping) else {}


def _answer(contract: HandoffContract, output: Any) -> dict[str, Any]:
    """A HandoffResult; the inputs stay out, as the other side has them."""
    return HandoffResult(handoff=contract.model_copy(update={"inputs": {}}), output=output).to_payload()


def _plain_output(output: Any) -> Any:
    try:
        return plain_json({"output": output})["output"]
    except ValueError as error:
        raise HandoffValidationError([str(error).lstrip(".")]) from None
