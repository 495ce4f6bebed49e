"""Where the candidates of a query come from, in the order of the query: which index, of the store or beside it.

The planner of SQLite does not know how common a value is; we do, or can look.
"""

from __future__ import annotations

import heapq
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.stores.sql.queries import DURATION, Condition, all_of, behind, column_conditions, order_by
from otel_agenttrace.stores.sql.rows import json_array

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from otel_agenttrace.stores.api import SpanQuery
    from otel_agenttrace.stores.sql.index import Progress
    from otel_agenttrace.stores.sql.queries import Position

_MAX_MERGED = 20
"""Operations that are read side by side; of more, one is bound to come soon."""

_MAX_SORTED = 5_000
"""Candidates that are fetched whole and sorted; where there are more, those met first in the order will do."""
