"""Redaction of arbitrary records."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.model.codec import deserialize, serialize_record
from otel_agenttrace.model.record import EventRecord, LinkRecord, ResourceRecord, SpanRecord
from otel_agenttrace.pipeline.redact import RedactConfig, Redactor
from otel_agenttrace.testing.spans import SPAN_ID, START, TRACE_ID, make_span

SECRET = "sk-" + "proj-abcdefgh12345678"
_NAMES = ("password", "token", "api_key", "Authorization", "Cookie", "secret", "x-api-key", "--password", "PWD")
_SIGNS = (
    *"=:\"' \n,;&?{}[]()<>/@#-_\\*$`é",
    ": ",
    '\\"',
    '\\\\\\"',
    "\\n",
    "://",
    "%22",
    "%3A",
    "\\/",
    "\\u0070",
    "\\u0022",
)
_SECRETS = (
    *(
        "hunter2",
        "abc123",
        "Bearer ",
        "Basic ",
        "dXNlcjpwYXNz",
        SECRET,
        "AKIA" + "ABCDEFGHIJKL2345",
        "eyJhbGciOiJI.eyJzdWIi",
    ),
    *(
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "MIIEabcdefghijklmnop",
        "postgres://u:pw@h",
        "a@b.co",
    ),
    *(
        "4111 1111 1111 1111",
        "[REDACTED:",
        "[REDACTED:password]",
        "[REDACTED:api-key]",
        "curl -u bob:pw",
        "PASSWORD 'x'",
    ),
)
_PIECES = st.sampled_from([*_NAMES, *_SIGNS, *_SECRETS, "str", "sig=abc"])
_TEXTS = st.lists(_PIECES | st.text(max_size=3), max_size=10).map("".join)
_KEYS = st.sampled_from(["password", "token", "headers", "name", "value", "type", "default", "logprob"]) | _TEXTS
_LEAVES = _TEXTS | st.integers(-5, 10**12) | st.booleans() | st.none() | _TEXTS.map(str.encode) | st.floats()
_STRUCTURES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3), max_leaves=6
)
_JSON = st.recursive(
    _TEXTS | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3) | inner.map(json.dumps),
    max_leaves=6,
).map(json.dumps)
_CUT_JSON = st.builds(lambda text, end: text[:end], _JSON, st.integers(1, 80))
_ATTRIBUTES = st.dictionaries(_KEYS, _STRUCTURES | _JSON | _CUT_JSON, max_size=3)
_RECORDS = st.builds(
    lambda text, attributes, other: make_span(
        name=text,
        status_message=text,
        trace_state=text,
        attributes=attributes,
        events=(EventRecord(text, START, other),),
        links=(LinkRecord(TRACE_ID, SPAN_ID, other, text),),
        resource=ResourceRecord(other),
    ),
    _TEXTS,
    _ATTRIBUTES,
    _ATTRIBUTES,
)
_ALL = RedactConfig(emails=True, cards=True)
_SEARCHING = Redactor(_ALL)
_LOOKING = Redactor(replace(_ALL, callable=lambda _, text: text))


@given(_RECORDS)
def test_redacting_twice_changes_nothing_and_the_search_misses_nothing(record: SpanRecord) -> None:
    """What the search over the bytes passes is what a look at every text passes; the result is always a record."""
    serialized = serialize_record(record)
    clean = _SEARCHING.redact(serialized)
    assert _LOOKING.redact(serialized) == clean
    assert _SEARCHING.redact(clean) == clean
    assert deserialize(clean).span_id == record.span_id
    assert "error" not in _SEARCHING.counts


@given(_STRUCTURES, st.integers(0, 3))
def test_a_planted_secret_never_survives(structure: Any, depth: int) -> None:
    """Whatever stands around it, at any depth of structure and of JSON in JSON."""
    planted = "sk-" + "ant-planted12345678"
    text = f"{structure!r} {planted} "
    for _ in range(depth):
        text = json.dumps([text])
    clean = _SEARCHING.redact(serialize_record(make_span(attributes={"a": [structure, {"b": text}]})))
    assert planted.encode() not in clean.span
