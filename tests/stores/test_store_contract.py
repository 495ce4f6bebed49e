"""One suite, every store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.stores.memory import MemorySpanStore
from otel_agenttrace.stores.sql.sqlite import SqliteSpanStore
from otel_agenttrace.testing.store_contract import SpanStoreContract

if TYPE_CHECKING:
    from pathlib import Path

    from otel_agenttrace.testing.store_cases import NewStore


class TestMemorySpanStore(SpanStoreContract):
    """The memory store keeps every promise, and is what the others are compared with."""

    @pytest.fixture
    def new_store(self) -> NewStore:
        """A new store each time."""
        return MemorySpanStore


class TestSqliteSpanStore(SpanStoreContract):
    """The SQLite store keeps every promise."""

    @pytest.fixture
    def new_store(self, tmp_path: Path) -> NewStore:
        """A new file each time."""
        made = iter(range(1_000_000))
        return lambda: SqliteSpanStore(tmp_path / f"{next(made)}" / "traces.db")
