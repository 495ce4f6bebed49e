"""Hypothesis strategies for SpanRecords: whatever OTLP can say, and nothing else. Needs `hypothesis`."""

from __future__ import annotations

from hypothesis import strategies as st

from otel_agenttrace.model.record import (
    SPAN_KINDS,
    STATUS_CODES,
    AnyValue,
    EventRecord,
    LinkRecord,
    ResourceRecord,
    ScopeRecord,
    SpanRecord,
)

_UINT32 = st.integers(0, 2**32 - 1)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_TIME = st.integers(0, 2**63 - 1)

trace_ids = st.integers(1, 2**128 - 1).map("{:032x}".format)
span_ids = st.integers(1, 2**64 - 1).map("{:016x}".format)

any_values: st.SearchStrategy[AnyValue] = st.recursive(
    st.one_of(
        _TEXT,
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(),
        st.binary(max_size=20),
        st.none(),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)
attributes = st.dictionaries(_TEXT, any_values, max_size=4)

events = st.builds(
    EventRecord,
    name=_TEXT,
    time_unix_nano=_TIME,
    attributes=attributes,
    dropped_attributes_count=_UINT32,
)
links = st.builds(
    LinkRecord,
    trace_id=trace_ids,
    span_id=span_ids,
    attributes=attributes,
    trace_state=_TEXT,
    flags=_UINT32,
    dropped_attributes_count=_UINT32,
)
resources = st.builds(ResourceRecord, attributes=attributes, schema_url=_TEXT, dropped_attributes_count=_UINT32)
scopes = st.builds(
    ScopeRecord,
    name=_TEXT,
    version=_TEXT,
    attributes=attributes,
    schema_url=_TEXT,
    dropped_attributes_count=_UINT32,
)
span_records = st.builds(
    SpanRecord,
    trace_id=trace_ids,
    span_id=span_ids,
    name=_TEXT,
    start_time_unix_nano=_TIME,
    end_time_unix_nano=st.none() | st.integers(1, 2**63 - 1),
    parent_span_id=st.none() | span_ids,
    kind=st.sampled_from(SPAN_KINDS),
    status_code=st.sampled_from(STATUS_CODES),
    status_message=_TEXT,
    attributes=attributes,
    events=st.lists(events, max_size=2).map(tuple),
    links=st.lists(links, max_size=2).map(tuple),
    resource=resources,
    scope=scopes,
    trace_state=_TEXT,
    flags=_UINT32,
    dropped_attributes_count=_UINT32,
    dropped_events_count=_UINT32,
    dropped_links_count=_UINT32,
)
