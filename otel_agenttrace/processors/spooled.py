"""From what a spool holds to the staged record that stores and exporters get, whichever process recorded it."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from otel_agenttrace.contract.registry import load_registry
from otel_agenttrace.contract.validate import Contract
from otel_agenttrace.errors import ConfigError
from otel_agenttrace.model.codec import deserialize
from otel_agenttrace.pipeline.contract import check_record
from otel_agenttrace.pipeline.stages import staged
from otel_agenttrace.processors.origins import decode_origins

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.spool.about import About
    from otel_agenttrace.spool.segment_reader import Entry

_LOG = logging.getLogger("otel_agenttrace")


def decode_spooled(entry: Entry, about: About) -> SpanRecord:
    """Decode, check and stage what a process has recorded, against the contract that it was recorded under.

    Args:
        entry: one of its records; without an origin, it is not checked.
        about: what is known of that process.

    Raises:
        DecodeError: the record cannot be read.
    """
    record = deserialize(entry.span)
    if entry.origin:
        record = check_record(_contract(about.contract_file), decode_origins(entry.origin), record)
    return staged(record)


@lru_cache(maxsize=8)
def _contract(path: str) -> Contract:
    """The contract with a project's own part, or without where that cannot be had any more, which is told."""
    try:
        return Contract(load_registry(Path(path) if path else None))
    except ConfigError as error:
        _LOG.error("spans are checked against the contract without a project's own part: %s", error)
        return Contract(load_registry())
