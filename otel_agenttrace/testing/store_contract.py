"""What every store must pass: `class TestMyStore(SpanStoreContract)` with a fixture `new_store`, and pytest runs it.

Each test has one promise of `stores.api` for its docstring. Where promises are many, the answers expected are those of
MemorySpanStore, which is simple enough to be believed.
"""

from __future__ import annotations

from otel_agenttrace.testing.store_queries import QueryContract
from otel_agenttrace.testing.store_sessions import SessionContract
from otel_agenttrace.testing.store_upkeep import UpkeepContract
from otel_agenttrace.testing.store_writing import WritingContract


class SpanStoreContract(WritingContract, QueryContract, SessionContract, UpkeepContract):
    """All promises. A subclass has a fixture `new_store`: a function that makes a new, empty store and opens it."""
