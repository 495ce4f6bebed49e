"""Which parts of a record are redacted, and how the record says so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from otel_agenttrace.contract.attributes import AGENTTRACE_REDACTED
from otel_agenttrace.pipeline.secret_keys import MARKER, marker

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.model.record import (
        Attributes,
        EventRecord,
        LinkRecord,
        ResourceRecord,
        ScopeRecord,
        SpanRecord,
    )
    from otel_agenttrace.pipeline.secret_values import ValueRedactor


class RecordRedactor:
    """Redacts decoded records. Thread-safe.

    Its methods add the rule of each secret that they hid to the list they are given.

    Args:
        values: what hides secrets.
        function: a user's own rule, see `RedactConfig.callable`.
    """

    def __init__(self, values: ValueRedactor, function: Callable[[str, str], str | None] | None = None) -> None:
        self._values = values
        self._function = function

    def span(self, record: SpanRecord, hidden: list[str]) -> SpanRecord:
        """The span without secrets, their number in `agenttrace.redacted`; resource and scope stay as they are."""
        clean: dict[str, Any] = {
            "name": self._text("name", record.name, hidden),
            "status_message": self._text("status_message", record.status_message, hidden),
            "trace_state": self._text("trace_state", record.trace_state, hidden),
            "attributes": self._attributes(record.attributes, hidden),
            "events": tuple(self._event(event, hidden) for event in record.events),
            "links": tuple(self._link(link, hidden) for link in record.links),
        }
        if not hidden:
            return record
        clean["attributes"] = _counted(clean["attributes"], len(hidden))
        return replace(record, **clean)

    def resource(self, resource: ResourceRecord, hidden: list[str]) -> ResourceRecord:
        """The resource without secrets."""
        return replace(resource, attributes=self._attributes(resource.attributes, hidden))

    def scope(self, scope: ScopeRecord, hidden: list[str]) -> ScopeRecord:
        """The scope without secrets."""
        return replace(
            scope,
            name=self._text("scope.name", scope.name, hidden),
            version=self._text("scope.version", scope.version, hidden),
            attributes=self._attributes(scope.attributes, hidden),
        )

    def _event(self, event: EventRecord, hidden: list[str]) -> EventRecord:
        name = self._text("event.name", event.name, hidden)
        return replace(event, name=name, attributes=self._attributes(event.attributes, hidden))

    def _link(self, link: LinkRecord, hidden: list[str]) -> LinkRecord:
        trace_state = self._text("trace_state", link.trace_state, hidden)
        return replace(link, trace_state=trace_state, attributes=self._attributes(link.attributes, hidden))

    def _attributes(self, attributes: Attributes, hidden: list[str]) -> Attributes:
        clean = self._values.mapping(attributes, hidden)
        if self._function is None:
            return clean
        return {key: self._asked_within(key, value, hidden) for key, value in clean.items()}

    def _text(self, key: str, text: str, hidden: list[str]) -> str:
        if not text:
            return text
        clean = self._values.text(text, hidden)
        return clean if self._function is None else self._asked(key, clean, hidden)

    def _asked_within(self, key: str, value: Any, hidden: list[str]) -> Any:
        if isinstance(value, str):
            return self._asked(key, value, hidden)
        if isinstance(value, list):
            return [self._asked_within(key, item, hidden) for item in value]
        if isinstance(value, dict):
            return {inner: self._asked_within(f"{key}.{inner}", item, hidden) for inner, item in value.items()}
        return value

    def _asked(self, key: str, text: str, hidden: list[str]) -> str:
        """What the user's function makes of a text."""
        if self._function is None or MARKER.fullmatch(text):
            return text
        rule = "callable"
        try:
            answer = self._function(key, text)
        except Exception:  # noqa: BLE001  # it is the user's; a text it fails on is hidden and counted
            answer = None
            rule = "callable-error"
        if answer == text:
            return text
        hidden.append(rule)
        return answer if isinstance(answer, str) else marker(rule)


def without_texts(record: SpanRecord) -> SpanRecord:
    """The record with ids, times and kinds, and every value of its attributes hidden: better than none, or a leak."""
    hidden = marker("error")
    return replace(
        record,
        name=hidden,
        status_message=hidden if record.status_message else "",
        trace_state="",
        attributes=_counted(dict.fromkeys(record.attributes, hidden), 1),
        events=tuple(
            replace(event, name=hidden, attributes=dict.fromkeys(event.attributes, hidden)) for event in record.events
        ),
        links=tuple(
            replace(link, trace_state="", attributes=dict.fromkeys(link.attributes, hidden)) for link in record.links
        ),
        resource=replace(record.resource, attributes=dict.fromkeys(record.resource.attributes, hidden)),
        scope=replace(record.scope, attributes=dict.fromkeys(record.scope.attributes, hidden)),
    )


def _counted(attributes: Attributes, more: int) -> Attributes:
    before = attributes.get(AGENTTRACE_REDACTED)
    return attributes | {AGENTTRACE_REDACTED: more + (before if isinstance(before, int) else 0)}
