"""What every store must pass: `class TestMyStore(SpanStoreContract)` with a fixture `new_store`, and pytest runs it.

Each test has one promise of `stores.api` for its docstring. Where promises are many, the answers expected are those of
MemorySpanStore, which is simple enough to be believed.
"""

from __future__ import annotations

import sys

import pytest

_PARTS = ("store_cases", "store_queries", "store_sessions", "store_upkeep", "store_writing")
_NAMES = [f"otel_agenttrace.testing.{part}" for part in _PARTS]
# A module that a test has imported by itself before stays as it is; naming it would only warn.
pytest.register_assert_rewrite(*(name for name in _NAMES if name not in sys.modules))

from otel_agenttrace.testing.store_queries import QueryContract  # noqa: E402
from otel_agenttrace.testing.store_sessions import SessionContract  # noqa: E402
from otel_agenttrace.testing.store_upkeep import UpkeepContract  # noqa: E402
from otel_agenttrace.testing.store_writing import WritingContract  # noqa: E402


class SpanStoreContract(WritingContract, QueryContract, SessionContract, UpkeepContract):
    """All promises. A subclass has a fixture `new_store`: a function that makes a new, empty store."""
