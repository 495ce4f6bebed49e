"""Ids that sort by time: trace ids for the SDK, and run ids.

A trace id is 48 bits of milliseconds and then 80 random bits, so that a store's index grows at one end. Nothing but
the time is fixed in it: the variant bits that RFC 9562 puts into a UUIDv7 stand where the SDK's ratio samplers look,
and make them keep all traces or none.
"""

from __future__ import annotations

import os
import random
import time
import uuid

from opentelemetry.sdk.trace.id_generator import IdGenerator

_MILLIS_MASK = (1 << 48) - 1

_random = random.Random()  # noqa: S311 - ids have to be unique, not secret
"""Ours alone: an agent that calls `random.seed(0)` to be reproducible must not repeat the ids of its last run."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)


class TimeOrderedIdGenerator(IdGenerator):
    """Trace ids that sort by the millisecond they were made in, random span ids. Safe in threads and after a fork.

    The low 80 bits of a trace id are random, more than the 56 that W3C Trace Context Level 2 asks for
    (https://www.w3.org/TR/trace-context-2/#random-trace-id-flag), so its random flag is set and ratio samplers keep
    what they should.
    """

    def generate_span_id(self) -> int:
        """Return 64 random bits; all zero, which OTel takes for no id, becomes 1."""
        return _random.getrandbits(64) or 1

    def generate_trace_id(self) -> int:
        """Return 48 bits of milliseconds since the Unix epoch, then 80 random bits."""
        return _millis() << 80 | _random.getrandbits(80)

    def is_trace_id_random(self) -> bool:
        """Return True: at least the low 56 bits of a trace id are random."""
        return True


def new_run_id() -> str:
    """Return a UUIDv7 (https://www.rfc-editor.org/rfc/rfc9562#section-5.7) in its usual 36 characters."""
    bits = _millis() << 80 | 0x7 << 76 | _random.getrandbits(12) << 64 | 0b10 << 62 | _random.getrandbits(62)
    return str(uuid.UUID(int=bits))


def _millis() -> int:
    return time.time_ns() // 1_000_000 & _MILLIS_MASK
