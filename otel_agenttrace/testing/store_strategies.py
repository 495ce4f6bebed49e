"""Hypothesis strategies for spans and queries: small on purpose, so that they meet, and nasty on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from hypothesis import strategies as st

from otel_agenttrace.contract.attributes import FAILURE_TYPE, GEN_AI_CONVERSATION_ID, SESSION_ID
from otel_agenttrace.model.record import (
    ENDED_BY,
    REVISION,
    SPAN_KINDS,
    STATUS_CODES,
    EventRecord,
    LinkRecord,
    ResourceRecord,
    ScopeRecord,
    SpanRecord,
)
from otel_agenttrace.stores.api import AttributeFilter, Operator, Order, SpanQuery
from otel_agenttrace.testing.spans import START

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue, Attributes

TRACE_IDS = tuple(f"0199c2f4{number:024x}" for number in range(4))
SPAN_IDS = tuple(f"a77f14b0{number:08x}" for number in range(3))
STARTS = (0, START, START + 1, START + 60_000_000_000, 2**63 - 1)
DURATIONS = (None, -5, 0, 7, 1_000_000, 999_999_999, 1_000_000_000)
NAMES = ("invoke_agent booking", "chat gpt-4.1", "execute_tool search", "")
SERVICES = ("booking-agent", "search agent", "")
SESSIONS = ("sess-1", "sess-2", TRACE_IDS[0])
KEYS = (
    "task.id",
    "a",
    "b c",
    'q"uote',
    "x=y",
    "",
    "k\x01k",
    "'; DROP TABLE spans; --",
    "größe",
    "{[\\",
    "service.name",
)
TEXTS = (
    "",
    "hello",
    "Hello, World! 100%",
    "3",
    "3.0",
    "true",
    "null",
    "AAE=",
    "Grüße aus ZÜRICH",
    "straße K \u0130 ΑΣ ας",
    "e\u0301clair ✅done 🤖robot don\u2019t 北京",
    "line\nbreak\ttab\x00after nul \x1b[31m",
    "C:\\new\\temp snake_case camelCase",
    '{"role":"user","content":"Gr\\u00fc\\u00df dich\\nWelt","n":42,"deep":"{\\"x\\":\\"tief \\\\u00c4\\"}"}',
    '["not closed',
    '[{"a":1e400}, "listed"]',
    "x" * 100 + " one",
    "x" * 100 + " two",
    "long " * 60 + "tail",
    '["a","b"]',
    "'; DROP TABLE spans; --",
    "<script>alert(1)</script>",
)
NUMBERS = (
    0, 3, -3, 42, 2**63 - 1, 2**63, 2**64 - 1, 2**70, 3.0, 0.1, 0.1 + 0.2, 1e22, -0.0, float("inf"), float("nan"),
)  # fmt: skip
WORDS = (
    "hello", "WORLD", "100%", "%", "_", "3", "42", "grüße", "GRÜSS", "zürich", "welt", "nwelt", "break", "nul", "after",
    "done", "robot", "don", "case", "new", "tief", "ä", "listed", "tail", "K", "straße", "strasse", "ας", "éclair",
    "E\u0301CLAIR", "北京", "booking", "chat", "role", "drop tables", "script alert", "event", "boom", "hello world",
)  # fmt: skip

_scalars = st.one_of(st.sampled_from(TEXTS), st.sampled_from(NUMBERS), st.booleans(), st.none(), st.just(b"\x00\x01"))
values: st.SearchStrategy[AnyValue] = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from([*KEYS, "intValue"]), inner, max_size=2)
    ),
    max_leaves=4,
)
"""Attribute values that stores, indexes and JSON may get wrong."""

_plain_attributes = st.dictionaries(st.sampled_from(KEYS), values, max_size=3)


@st.composite
def attributes(draw: st.DrawFn) -> Attributes:
    """Attributes, some of which mean something to stores."""
    found = dict(draw(_plain_attributes))
    known: dict[str, st.SearchStrategy[AnyValue]] = {
        SESSION_ID: st.sampled_from(SESSIONS),
        GEN_AI_CONVERSATION_ID: st.sampled_from(SESSIONS),
        FAILURE_TYPE: st.sampled_from(("timeout", "exception")),
        REVISION: st.integers(0, 2),
        ENDED_BY: st.just("watchdog"),
    }
    for key in draw(st.sets(st.sampled_from(sorted(known)), max_size=2)):
        found[key] = draw(known[key])
    return found


_events = st.builds(
    EventRecord,
    name=st.sampled_from(("an event", "exception", "")),
    time_unix_nano=st.sampled_from(STARTS),
    attributes=_plain_attributes,
)
_links = st.builds(
    LinkRecord, trace_id=st.sampled_from(TRACE_IDS), span_id=st.sampled_from(SPAN_IDS), attributes=_plain_attributes
)
_resources = st.builds(
    ResourceRecord,
    attributes=st.builds(
        lambda service, more: more | ({"service.name": service} if service else {}),
        st.sampled_from(SERVICES),
        st.dictionaries(st.sampled_from(KEYS), values, max_size=1),
    ),
)


@st.composite
def spans(draw: st.DrawFn) -> SpanRecord:
    """Spans of few traces that often have the same identity."""
    start, duration = draw(st.sampled_from(STARTS)), draw(st.sampled_from(DURATIONS))
    return SpanRecord(
        trace_id=draw(st.sampled_from(TRACE_IDS)),
        span_id=draw(st.sampled_from(SPAN_IDS)),
        name=draw(st.sampled_from(NAMES)),
        start_time_unix_nano=start,
        end_time_unix_nano=None if duration is None else min(start + duration, STARTS[-1]),
        parent_span_id=draw(st.none() | st.sampled_from(SPAN_IDS)),
        kind=draw(st.sampled_from(SPAN_KINDS)),
        status_code=draw(st.sampled_from(STATUS_CODES)),
        status_message=draw(st.sampled_from(("", "boom 404"))),
        attributes=draw(attributes()),
        events=tuple(draw(st.lists(_events, max_size=2))),
        links=tuple(draw(st.lists(_links, max_size=1))),
        resource=draw(_resources),
        scope=ScopeRecord(draw(st.sampled_from(("tests", "")))),
    )


batches = st.lists(st.lists(spans(), max_size=5), max_size=4)
"""Spans as they come in."""

_filters = st.builds(
    AttributeFilter,
    key=st.sampled_from(KEYS),
    operator=st.sampled_from(get_args(Operator)),
    value=st.sampled_from(TEXTS) | st.sampled_from(NUMBERS) | st.booleans(),
)
_times = st.none() | st.sampled_from((*STARTS, START + 2, -(2**70), 2**70))
_durations = st.none() | st.sampled_from((-1, 0, 1, 8, 1_000_000, 10**9, -(2**70), 2**70))

queries = st.builds(
    SpanQuery,
    trace_id=st.none() | st.sampled_from(TRACE_IDS),
    span_id=st.none() | st.sampled_from(SPAN_IDS),
    session_id=st.none() | st.sampled_from((*SESSIONS, TRACE_IDS[1])),
    service_name=st.none() | st.sampled_from(SERVICES),
    name=st.none() | st.sampled_from(NAMES),
    kind=st.none() | st.sampled_from(SPAN_KINDS),
    status_code=st.none() | st.sampled_from((*STATUS_CODES, "NONSENSE")),
    failing=st.none() | st.booleans(),
    open=st.none() | st.booleans(),
    started_from=_times,
    started_to=_times,
    min_duration_nano=_durations,
    max_duration_nano=_durations,
    attributes=st.lists(_filters, max_size=2).map(tuple),
    text=st.just("") | st.sampled_from(WORDS) | st.sampled_from(TEXTS),
    order=st.sampled_from(get_args(Order)),
    limit=st.sampled_from((0, 1, 2, 5, 100)),
)
"""Any query; most combine many conditions and find nothing, so also use `narrow_queries`."""


@st.composite
def narrow_queries(draw: st.DrawFn) -> SpanQuery:
    """Queries with one or two conditions."""
    full = draw(queries)
    conditions = [name for name in SpanQuery.__slots__ if name not in ("order", "limit", "after")]
    kept = draw(st.sets(st.sampled_from(conditions), max_size=2))
    return SpanQuery(order=full.order, limit=full.limit, **{name: getattr(full, name) for name in sorted(kept)})
