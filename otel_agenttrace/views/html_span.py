"""One span on the HTML page: its line, and all that it recorded below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.views.html_value import (
    MAX_ITEMS,
    attribute_table,
    escape,
    more_items,
    parsed,
    text_block,
    value_block,
)
from otel_agenttrace.views.text import to_json
from otel_agenttrace.views.units import cost_text, format_count, format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_agenttrace.model.record import EventRecord, SpanRecord
    from otel_agenttrace.pipeline.failures import LocalFailure
    from otel_agenttrace.views.rows import Row
    from otel_agenttrace.views.timeline import Axis

_MAX_INDENT = 12
_BAR_UNITS = 1000
_LEFT_OUT = '<p class="cut">This page is large already: what the span holds is in the store.</p>'


def span_details(row: Row, axis: Axis, anchor: str, *, body: bool = True) -> str:
    """Return a `<details>` element whose line opens to everything the span holds.

    Args:
        row: the span.
        axis: the trace's time.
        anchor: the element's id, which other parts of the page link to.
        body: False leaves out what the span holds, and says so.
    """
    css = " ".join(filter(None, ("span", _category(row), row.mark, "open" if _is_open(row) else "")))
    failing = ' data-failing="1"' if row.mark else ""
    return (
        f'<details id="{anchor}" class="{css}"{failing}><summary class="row">{_name_cell(row)}'
        f'<span class="num">{_duration(row.span)}</span>'
        f'<span class="num soft wide">{_tokens(row)}</span>'
        f'<span class="num soft wide">{_cost(row)}</span>'
        f"{_bar(row, axis)}</summary>"
        f'<div class="body">{"".join(_body(row)) if body else _LEFT_OUT}</div></details>'
    )


def kind_of(row: Row) -> str:
    """Return a word for what a span is: model, tool, agent, or its span kind if that says something."""
    category = _category(row)
    if category != "plain":
        return category
    return "span" if row.span.kind in ("INTERNAL", "UNSPECIFIED") else row.span.kind.lower()


def _category(row: Row) -> str:
    if row.said.is_tool_call:
        return "tool"
    if row.said.is_model_call:
        return "model"
    return "agent" if row.said.operation in ("invoke_agent", "create_agent", "invoke_workflow") else "plain"


def _is_open(row: Row) -> bool:
    return row.span.end_time_unix_nano is None


def _name_cell(row: Row) -> str:
    depth = row.node.depth + row.node.is_orphan
    hidden = f'<span class="soft">…{depth - _MAX_INDENT}</span>' if depth > _MAX_INDENT else ""
    name = escape(row.span.name)
    return (
        f'<span class="name d{min(depth, _MAX_INDENT)}">{hidden}<span class="kind">{escape(kind_of(row))}</span>'
        f'<bdi title="{name}">{name}</bdi>{"".join(_badges(row))}</span>'
    )


def _badges(row: Row) -> Iterator[str]:
    if _is_open(row):
        yield '<span class="badge run">running</span>'
    if row.mark.startswith("recovered"):
        yield f'<span class="badge warn">{row.mark}</span>'
    elif row.mark:
        yield f'<span class="badge bad">{row.mark}</span>'
    for flag in row.flags:
        yield f'<span class="badge warn" title="{escape(flag.message)}">{escape(flag.kind)}</span>'
    for note in row.notes:
        yield f'<span class="badge warn">{escape(note)}</span>'


def _duration(span: SpanRecord) -> str:
    return "" if span.duration_nano is None else format_duration(span.duration_nano).replace("<", "&lt;")


def _tokens(row: Row) -> str:
    usage = row.usage
    if not (usage.input_tokens or usage.output_tokens):
        return ""
    exact = f"{usage.input_tokens:,} input tokens, {usage.output_tokens:,} output tokens"
    return f'<span title="{exact}">{format_count(usage.input_tokens)} → {format_count(usage.output_tokens)}</span>'


def _cost(row: Row) -> str:
    usage = row.usage
    is_unknown = not usage.cost_complete and (usage.input_tokens or usage.output_tokens)
    return escape(cost_text(usage.cost_usd, is_complete=usage.cost_complete) or ("$?" if is_unknown else ""))


def _bar(row: Row, axis: Axis) -> str:
    offset, share = axis.place(row.span)
    width = min(max(share * _BAR_UNITS, 3), _BAR_UNITS)
    start = min(offset * _BAR_UNITS, _BAR_UNITS - width)
    after = format_duration(row.span.start_time_unix_nano - axis.start)
    return (
        f'<svg class="bar" viewBox="0 0 {_BAR_UNITS} 10" preserveAspectRatio="none" role="img">'
        f"<title>{escape(f'starts after {after}')}</title>"
        f'<rect x="{start:.1f}" y="1" width="{width:.1f}" height="8"/></svg>'
    )


def _body(row: Row) -> Iterator[str]:
    span = row.span
    if row.error is not None:
        yield _error(row.error)
    yield from _content_and_attributes(row)
    if span.events:
        events = "".join(_event(event, span) for event in span.events[:MAX_ITEMS])
        yield f"<h3>Events</h3>{events}{more_items(len(span.events))}"
    yield _origin(span)


def _error(error: LocalFailure) -> str:
    kind = " ".join(filter(None, (error.exception_type, error.code)))
    title = f"Error <code>{escape(error.type)}</code>" + (f" <code>{escape(kind)}</code>" if kind else "")
    stack = f'<details class="more"><summary>Stack</summary>{text_block(error.stacktrace)}</details>'
    return f"<h3>{title}</h3>{text_block(error.text, 'error')}{stack if error.stacktrace else ''}"


def _content_and_attributes(row: Row) -> Iterator[str]:
    """Input and output side by side, then the attributes that do not hold those."""
    attributes = dict(row.span.attributes)
    blocks = []
    for title, value in (("Input", row.said.input), ("Output", row.said.output)):
        if value is not None:
            text = to_json(value)
            source = next((name for name, held in attributes.items() if to_json(parsed(held)) == text), None)
            attributes.pop(source or "", None)
            blocks.append(f"<div><h3>{title}</h3>{value_block(value)}</div>")
    if blocks:
        yield f'<div class="pair">{"".join(blocks)}</div>'
    if table := attribute_table(attributes):
        yield f"<h3>Attributes</h3>{table}"


def _event(event: EventRecord, span: SpanRecord) -> str:
    after = format_duration(event.time_unix_nano - span.start_time_unix_nano)
    return (
        f'<details class="more"><summary>{escape(event.name)} <span class="soft">+{escape(after)}</span></summary>'
        f"{attribute_table(event.attributes)}</details>"
    )


def _origin(span: SpanRecord) -> str:
    """Where the record comes from: ids, status, links, scope and resource."""
    facts = {
        "span id": span.span_id,
        "parent span id": span.parent_span_id or "none",
        "kind": span.kind,
        "status": f"{span.status_code} {span.status_message}".rstrip(),
        "scope": f"{span.scope.name} {span.scope.version}".strip(),
        "dropped by the SDK": _dropped(span),
    }
    links = "".join(
        f"<h3>Link to {escape(f'{link.trace_id}-{link.span_id}')}</h3>{attribute_table(link.attributes)}"
        for link in span.links[:MAX_ITEMS]
    )
    return (
        '<details class="more"><summary>Span, scope and resource</summary>'
        f"{attribute_table({name: value for name, value in facts.items() if value})}"
        f"{links}{more_items(len(span.links))}"
        f"<h3>Resource</h3>{attribute_table(span.resource.attributes)}</details>"
    )


def _dropped(span: SpanRecord) -> str:
    counts = {
        "attributes": span.dropped_attributes_count,
        "events": span.dropped_events_count,
        "links": span.dropped_links_count,
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)
