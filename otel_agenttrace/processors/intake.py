"""Intake: what becomes of a span on its way in, on the agent's thread and behind the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.config import resolve_config
from otel_agenttrace.contract.attributes import AGENTTRACE_REDACTED, AGENTTRACE_TRUNCATED, PROJECT_ID
from otel_agenttrace.contract.registry import load_registry
from otel_agenttrace.contract.validate import Contract
from otel_agenttrace.errors import ConfigError
from otel_agenttrace.model.codec import deserialize, serialize_readable, serialize_record
from otel_agenttrace.pipeline.content import drop_content
from otel_agenttrace.pipeline.contract import check_record, locate
from otel_agenttrace.pipeline.counts import Counts
from otel_agenttrace.pipeline.limit import ValueLimiter
from otel_agenttrace.pipeline.redact import RedactConfig, Redactor
from otel_agenttrace.pipeline.stages import staged
from otel_agenttrace.processors.contract import enforce
from otel_agenttrace.processors.inherit import belongs_to_task
from otel_agenttrace.processors.locations import OpenSpans
from otel_agenttrace.processors.recorded import RecordedSpan
from otel_agenttrace.processors.sites import Sites

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan, Span

    from otel_agenttrace.config import TracingConfig
    from otel_agenttrace.contract.violation import Violation
    from otel_agenttrace.losses import LossLog
    from otel_agenttrace.model.codec import SerializedSpan
    from otel_agenttrace.model.record import Attributes, SpanRecord


_COUNTED = {"redacted": AGENTTRACE_REDACTED, "truncated": AGENTTRACE_TRUNCATED}
_MAX_COUNTED = 10_000
_PROJECT_ID = str(PROJECT_ID)  # dictionaries and orjson are slower on the constants' class


class Intake:
    """Checks, serialises, redacts and cuts spans as they end; decodes and stages them on the consumer's side.

    One serves a whole process. Thread-safe.

    Args:
        redactor: hides secrets; None hides nothing.
        limiter: cuts what is too large.
        contract: what spans are checked against; None checks nothing.
        enforces: whether our own helpers raise what is wrong with a span, where they end it.
        project: `project.id` of the spans that belong to a task and have none.
        contract_file: where the contract has a project's own part from; empty without one.

    Attributes:
        contract_file: see above.
        count: when set, is told of each of `counts` that has grown, and by how much.
    """

    def __init__(
        self,
        redactor: Redactor | None = None,
        limiter: ValueLimiter | None = None,
        contract: Contract | None = None,
        *,
        enforces: bool = False,
        project: str | None = None,
        contract_file: str = "",
    ) -> None:
        self.project = project
        self.contract_file = contract_file
        self._redactor = redactor
        self._limiter = limiter or ValueLimiter()
        self._contract = contract
        self._enforces = enforces
        self._counts = Counts()
        self.count: Callable[[str, int], object] | None = None
        self._open_spans = None if contract is None else OpenSpans(contract.is_subject)
        self._sites = Sites()

    @classmethod
    def from_config(cls, config: TracingConfig, project: str | None = None) -> Intake:
        """What a configuration asks for; of a wrong environment the defaults.

        Raises:
            ConfigError: an argument is not accepted, or its file cannot be read.
        """
        contract, contract_file = _contract(config)
        return cls(
            _redactor(config),
            _limiter(config),
            contract,
            enforces=config.contract == "enforce",
            project=config.project or project,
            contract_file=contract_file,
        )

    @classmethod
    def from_environment(cls) -> Intake:
        """What a plain `configure_tracing()` would do with a span."""
        return cls.from_config(resolve_config({}))

    @property
    def counts(self) -> dict[str, int]:
        """How many secrets were hidden and values cut in spans that have ended, under the names of the ledger.

        Those of a resource or a scope are not: these are the same for many spans.
        """
        counts = self._counts.snapshot()
        return {name: counts.get(name, 0) for name in _COUNTED}

    def note_start(self, span: Span) -> None:
        """Follow a span that has just started, so that its violations can be traced to lines of code."""
        if self._open_spans is not None:
            if self._sites.is_followed(span.name) or self._enforces:
                self._open_spans.start(span)
            if self._enforces:
                enforce(span, self._violations_so_far)

    def forget(self, span: ReadableSpan) -> None:
        """Follow a span no longer that ends without being recorded."""
        if self._open_spans is not None:
            self._open_spans.end(span)

    def recorded(self, span: ReadableSpan) -> RecordedSpan:
        """The record of a span that has ended, with nothing that is to be hidden."""
        serialized = serialize_readable(span, attributes=self._attributes(span))
        hidden = self.hidden(serialized)
        if hidden.span is not serialized.span:
            self._note_hidden(hidden)
        return RecordedSpan(hidden, span.context, self._origin(span), self._contract)

    def opened(self, span: ReadableSpan, attributes: Attributes | None = None) -> SerializedSpan:
        """The record of a span as it is while it is open, with nothing that is to be hidden.

        It is not checked against the contract: what it lacks may still come.

        Args:
            span: it.
            attributes: all that it has by now, where the caller has read them already.
        """
        return self.hidden(serialize_readable(span, attributes=attributes or self._attributes(span)))

    def records(self, spans: Sequence[ReadableSpan], losses: LossLog, *, content: bool = True) -> list[SpanRecord]:
        """The staged records of a batch; one that cannot be had is counted and left out.

        Spans that did not come through `recorded` are checked, redacted and cut here.
        """
        records = []
        for span in spans:
            record = self._record(span, losses)
            if record is not None:
                records.append(record if content else drop_content(record))
        return records

    def admitted(self, record: SpanRecord) -> SpanRecord:
        """What is kept of a span that was not recorded here, but read: checked, redacted, cut and staged."""
        return self._taken_in(serialize_record(record))

    def hidden(self, serialized: SerializedSpan) -> SerializedSpan:
        """A serialised record with nothing in it that is to be hidden, and nothing too large."""
        if self._redactor is not None:
            serialized = self._redactor.redact(serialized)
        return self._limiter.limit(serialized)  # in this order: half a secret would not be known for one

    def _note_hidden(self, serialized: SerializedSpan) -> None:
        """Count what a record says was hidden or cut in it."""
        attributes = deserialize(serialized).attributes
        for name, key in _COUNTED.items():
            count = attributes.get(key)
            if isinstance(count, int) and count > 0:
                count = min(count, _MAX_COUNTED)  # an agent may have set it
                self._counts.add([name] * count)
                if self.count is not None:
                    self.count(name, count)

    def _record(self, span: ReadableSpan, losses: LossLog) -> SpanRecord | None:
        try:
            return staged(span.record) if isinstance(span, RecordedSpan) else self._taken_in(serialize_readable(span))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a span, the others of its batch go on
            # Without the error's text, which may quote what redaction was to hide.
            losses.add("pipeline", 1, f"a span could not be processed ({type(error).__name__})")
            return None

    def _taken_in(self, serialized: SerializedSpan) -> SpanRecord:
        record = deserialize(self.hidden(serialized))
        return staged(record if self._contract is None else check_record(self._contract, None, record))

    def _attributes(self, span: ReadableSpan) -> Attributes:
        attributes: Attributes = span.attributes.copy()  # type: ignore[union-attr] # a proxy: one call, reading it is many
        if self.project is not None and _PROJECT_ID not in attributes and belongs_to_task(attributes):
            attributes[_PROJECT_ID] = self.project  # a span that became a task after it had started
        return attributes

    def _origin(self, span: ReadableSpan) -> bytes:
        """The code behind a span that has ended; nothing where it is not to be checked.

        The check itself costs too much to be done while the agent waits. It is done to the record as it is kept, so
        that what a violation quotes has been redacted too.
        """
        if self._open_spans is None:
            return b""
        return self._sites.origin(span.name, self._open_spans.end(span))

    def _violations_so_far(self, span: ReadableSpan) -> list[Violation]:
        if self._contract is None or self._open_spans is None:
            return []
        locations = self._open_spans.peek(span)
        violations = self._contract.check(self._attributes(span), span.events)
        return [locate(violation, locations) for violation in violations]


def _redactor(config: TracingConfig) -> Redactor | None:
    if config.redact is False:
        return None
    return Redactor(config.redact if isinstance(config.redact, RedactConfig) else None)


def _limiter(config: TracingConfig) -> ValueLimiter:
    if config.max_value_bytes is not None:
        try:
            return ValueLimiter(config.max_value_bytes)
        except ConfigError as error:
            config.refuse("max_value_bytes", error)
    return ValueLimiter()


def _contract(config: TracingConfig) -> tuple[Contract | None, str]:
    """The contract, and the file that a project's own part of it is from."""
    if config.contract == "off":
        return None, ""
    if config.contract_file is not None:
        try:
            return Contract(load_registry(config.contract_file)), str(config.contract_file.absolute())
        except ConfigError as error:
            config.refuse("contract_file", error)
    return Contract(load_registry()), ""
