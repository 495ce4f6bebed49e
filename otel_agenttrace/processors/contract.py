"""ContractSpanProcessor: the attribute contract in front of any span processor, in anybody's OpenTelemetry set-up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from opentelemetry.sdk.trace import SpanProcessor

from otel_agenttrace.contract.attributes import AGENTTRACE_CONTRACT_RULE
from otel_agenttrace.contract.validate import Contract
from otel_agenttrace.errors import ConfigError, ContractError
from otel_agenttrace.instrument.faults import note_fault
from otel_agenttrace.model.codec import serialize_readable
from otel_agenttrace.pipeline.contract import locate, violation_event
from otel_agenttrace.pipeline.counts import Counts
from otel_agenttrace.processors.locations import OpenSpans
from otel_agenttrace.processors.recorded import RecordedSpan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span

    from otel_agenttrace.contract.violation import Violation
    from otel_agenttrace.model.record import EventRecord
    from otel_agenttrace.processors.locations import Locations

Mode = Literal["off", "observe", "enforce"]

_CHECK = "agenttrace_contract_check"


class ContractSpanProcessor(SpanProcessor):
    """Hands ended spans on with an event `agenttrace.contract.violation` for each rule that they break.

    ```python
    provider.add_span_processor(ContractSpanProcessor(BatchSpanProcessor(OTLPSpanExporter())))
    ```

    The event says which attribute, which rule, what is wrong, and which line of code set the attribute.

    Args:
        next_processor: gets every span; one without violations as it is.
        contract: what to check against; the package's own unless given.
        mode: `off` hands spans on unseen. `enforce` also makes the helpers of this package (`TraceContext`,
            `traced_span`, ...) raise ContractError where they end a span that breaks the contract; spans that anybody
            else ends are only observed.

    Raises:
        ConfigError: another mode.
    """

    def __init__(self, next_processor: SpanProcessor, contract: Contract | None = None, mode: Mode = "observe") -> None:
        if mode not in get_args(Mode):
            raise ConfigError(f"mode={mode!r} is not accepted; expected one of {', '.join(get_args(Mode))}")
        self._next = next_processor
        self._mode = mode
        self._contract = contract or Contract.load()
        self._open_spans = OpenSpans(self._contract.is_subject)
        self._counts = Counts()

    @property
    def violation_counts(self) -> dict[str, int]:
        """How many violations there were so far, by rule."""
        return self._counts.snapshot()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Note where the span is started, and from now on where its attributes are set."""
        if self._mode != "off":
            self._open_spans.start(span)
        if self._mode == "enforce":
            enforce(span, self._violations)
        self._next.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """Check the span and hand it on."""
        self._next.on_end(span if self._mode == "off" else self._checked(span))

    def shutdown(self) -> None:
        """Shut the next processor down."""
        self._next.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Flush the next processor; False if it did not finish in time."""
        return self._next.force_flush(timeout_millis)

    def _checked(self, span: ReadableSpan) -> ReadableSpan:
        try:
            events = contract_events(self._contract, span, self._open_spans.end(span))
            if not events:
                return span
            self._counts.add(str(event.attributes[AGENTTRACE_CONTRACT_RULE]) for event in events)
            return RecordedSpan(serialize_readable(span, events), span.context)
        except Exception:  # noqa: BLE001 - a span that cannot be checked goes on as it is
            note_fault("check a span against the contract")
            return span

    def _violations(self, span: ReadableSpan) -> tuple[Violation, ...]:
        locations = self._open_spans.peek(span)
        return tuple(locate(violation, locations) for violation in _violations(self._contract, span))


def contract_events(contract: Contract, span: ReadableSpan, locations: Locations) -> tuple[EventRecord, ...]:
    """The violations of an ended span as span events, at the time of its end."""
    return tuple(violation_event(violation, locations, span.end_time or 0) for violation in _violations(contract, span))


def enforce(span: Span, violations: Callable[[ReadableSpan], Sequence[Violation]]) -> None:
    """Have `check_before_end` ask for the violations of this span; to be called in `on_start`.

    On the span itself, so that spans of other providers in the process are left alone.
    """
    setattr(span, _CHECK, violations)


def check_before_end(span: object) -> None:
    """Raise what the contract has against a span that is about to end; nothing unless its provider enforces it.

    For the helpers of this package: they end the span, so that it is recorded, and raise this error only if no other
    exception is on its way.

    Raises:
        ContractError: the span breaks the contract.
    """
    check: Callable[[object], Sequence[Violation]] | None = getattr(span, _CHECK, None)
    violations = () if check is None else check(span)
    if violations:
        raise ContractError(_summary(violations), violations)


def _violations(contract: Contract, span: ReadableSpan) -> tuple[Violation, ...]:
    # Through the SDK's proxy, a copy is one call, and each look-up would be Python code.
    attributes = span.attributes
    return contract.check({} if attributes is None else attributes.copy(), span.events)  # type: ignore[attr-defined]


def _summary(violations: Sequence[Violation]) -> str:
    first = violations[0]
    place = f" ({first.file_path}:{first.line_number})" if first.file_path else ""
    more = f", and {len(violations) - 1} more" if len(violations) > 1 else ""
    return f"{first.message}{place}{more}"
