"""What every store must pass: `class TestMyStore(SpanStoreContract)` with a fixture `new_store`, and pytest runs it.

Each test has one promise of `stores.api` for its docstring. Where they are many, the answers expected are those of
MemorySpanStore, which is simple enough to be believed.
"""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_agenttrace.contract.attributes import FAILURE_TYPE, GEN_AI_CONVERSATION_ID, SESSION_ID
from otel_agenttrace.errors import StoreRejectedError, StoreUnavailableError, TraceNotFoundError
from otel_agenttrace.model.codec import SerializedSpan, serialize_record
from otel_agenttrace.model.merge import canonical_form
from otel_agenttrace.model.record import ENDED_BY, REVISION, EventRecord, ResourceRecord, SpanRecord
from otel_agenttrace.stores.api import AttributeFilter, Deleted, Operation, SpanQuery, span_cursor
from otel_agenttrace.stores.memory import MemorySpanStore
from otel_agenttrace.testing import store_strategies
from otel_agenttrace.testing.spans import SECOND, SPAN_ID, START, TRACE_ID, make_span
from otel_agenttrace.testing.strategies import span_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from otel_agenttrace.stores.api import SpanStore

NewStore: TypeAlias = "Callable[[], SpanStore]"
Batches: TypeAlias = "list[list[SpanRecord]]"

OTHER_TRACE_ID = "0199c2f4a0b17c3d8e5f607182ffffff"

_property = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
