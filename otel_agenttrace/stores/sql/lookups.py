"""What a query asks that is in no column: for the deferred index as terms, without it as conditions on the body.

Both let more through than the query asks for, so each span that is found must still be matched.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.model.codec import load_fields
from otel_agenttrace.stores.matching import matches_value
from otel_agenttrace.stores.sql.queries import RARE_STATUS, Condition
from otel_agenttrace.stores.sql.rows import STATUS_NUMBERS, json_array
from otel_agenttrace.stores.sql.terms import (
    OPEN_TERM,
    all_of,
    attribute_terms,
    duration_terms,
    operation_term,
    origin_term,
    status_term,
    word_term,
)
from otel_agenttrace.stores.text import is_indexable, words

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from otel_agenttrace.model.record import AnyValue
    from otel_agenttrace.stores.api import AttributeFilter, SpanQuery

_MAX_TERMS = 200
"""Origins, or operations, that are looked up one by one; what more of them have in common is not rare."""

_PLAIN_KEY = re.compile("[A-Za-z0-9_.-]+")
_PLAIN_WORD = re.compile("[a-z0-9]+")


class Lookup(NamedTuple):
    """FTS5 queries for the two tables of the index; empty where there is nothing to look up."""

    words: str
    pairs: str


def index_lookup(connection: sqlite3.Connection, query: SpanQuery, operations: Sequence[int] | None) -> Lookup:
    """What to look up in the index for a query; `operations` are the ids of those that it allows."""
    groups = [[word_term(word)] for word in sorted(words(query.text)) if is_indexable(word)]
    return Lookup(all_of(groups), all_of(_pair_groups(connection, query, operations)))


def body_conditions(connection: sqlite3.Connection, query: SpanQuery) -> list[Condition]:
    """Conditions that most rows that do not match can be told by without reading them in Python."""
    conditions = [
        # An escape in JSON inside a string may spell any letter.
        Condition("(body LIKE ? OR instr(body, '\\\\u00') > 0)", (f"%{word}%",))
        for word in sorted(words(query.text))
        if _PLAIN_WORD.fullmatch(word)
    ]
    for attribute in query.attributes:
        origins = _origins_with(connection, attribute)
        if origins is not None and _PLAIN_KEY.fullmatch(attribute.key):
            conditions.append(
                Condition(
                    "(instr(body, ?) > 0 OR origin_id IN (SELECT value FROM json_each(?)))",
                    (f'"{attribute.key}"', json_array(origins)),
                )
            )
    return conditions


def _pair_groups(connection: sqlite3.Connection, query: SpanQuery, operations: Sequence[int] | None) -> list[list[str]]:
    groups = []
    for attribute in query.attributes:
        origins = _origins_with(connection, attribute)
        if origins is not None:
            groups.append([*attribute_terms(connection, attribute), *map(origin_term, origins)])
    if query.min_duration_nano is not None or query.max_duration_nano is not None:
        groups.append(duration_terms(query.min_duration_nano, query.max_duration_nano))
    elif query.open:
        groups.append([OPEN_TERM])
    if operations is not None and len(operations) <= _MAX_TERMS:
        groups.append([operation_term(operation) for operation in operations])
    if query.status_code == RARE_STATUS or (groups and query.status_code in STATUS_NUMBERS):
        groups.append([status_term(STATUS_NUMBERS[query.status_code])])
    return groups


def _origins_with(connection: sqlite3.Connection, condition: AttributeFilter) -> list[int] | None:
    """The origins whose resource meets a condition; None if there are too many to be worth looking up."""
    found = []
    for origin_id, resource in connection.execute("SELECT id, resource FROM origins"):
        attributes = _resource_attributes(resource)
        if condition.key in attributes and matches_value(attributes[condition.key], condition):
            found.append(origin_id)
            if len(found) > _MAX_TERMS:
                return None
    return found


@lru_cache(maxsize=1024)
def _resource_attributes(resource: str) -> Mapping[str, AnyValue]:
    attributes: Mapping[str, AnyValue] = load_fields(resource.encode()).get("attributes", {})
    return attributes
