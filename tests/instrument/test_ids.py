"""Ids that sort by time."""

from __future__ import annotations

import os
import random
import time
import uuid

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBased, Sampler, TraceIdRatioBased
from opentelemetry.trace import TraceFlags

from otel_agenttrace.instrument.ids import TimeOrderedIdGenerator, new_run_id


def test_a_trace_id_starts_with_the_time_in_milliseconds() -> None:
    """The first 48 bits of a trace id are the milliseconds since the Unix epoch at which it was made."""
    before = time.time_ns() // 1_000_000
    trace_id = TimeOrderedIdGenerator().generate_trace_id()
    after = time.time_ns() // 1_000_000

    assert before <= trace_id >> 80 <= after


def test_the_rest_of_a_trace_id_is_random() -> None:
    """Each of the low 80 bits is set in about half of all trace ids."""
    ids = TimeOrderedIdGenerator()
    trace_ids = [ids.generate_trace_id() for _ in range(4000)]

    shares = [sum(trace_id >> bit & 1 for trace_id in trace_ids) / len(trace_ids) for bit in range(80)]

    assert all(0.4 < share < 0.6 for share in shares)


def test_no_id_comes_twice() -> None:
    """Trace ids and span ids of one process differ from each other."""
    ids = TimeOrderedIdGenerator()

    assert len({ids.generate_trace_id() for _ in range(20_000)}) == 20_000
    assert len({ids.generate_span_id() for _ in range(20_000)}) == 20_000


def test_seeding_the_random_module_does_not_repeat_ids() -> None:
    """An agent that seeds `random` to be reproducible still gets new ids."""
    ids = TimeOrderedIdGenerator()
    random.seed(0)
    first = ids.generate_span_id()
    random.seed(0)

    assert ids.generate_span_id() != first


@pytest.mark.parametrize("wrap", [lambda sampler: sampler, ParentBased], ids=["plain", "parent-based"])
@pytest.mark.parametrize("ratio", [0.1, 0.5, 0.9])
def test_the_ratio_samplers_keep_what_they_should(ratio: float, wrap: type[Sampler]) -> None:
    """The SDK's ratio samplers keep 10, 50 and 90 % (within 2) of 10,000 root spans."""
    provider = TracerProvider(
        sampler=wrap(TraceIdRatioBased(ratio)),  # type: ignore[call-arg]
        id_generator=TimeOrderedIdGenerator(),
        shutdown_on_exit=False,
    )
    tracer = provider.get_tracer("tests")

    kept = sum(tracer.start_span("root").is_recording() for _ in range(10_000))

    assert kept / 10_000 == pytest.approx(ratio, abs=0.02)


def test_the_random_flag_is_set() -> None:
    """A root span tells other processes, by the W3C random flag, that its trace id can be sampled by."""
    provider = TracerProvider(id_generator=TimeOrderedIdGenerator(), shutdown_on_exit=False)

    context = provider.get_tracer("tests").start_span("root").get_span_context()

    assert context.trace_flags & TraceFlags.RANDOM_TRACE_ID


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_makes_ids_of_its_own() -> None:
    """Parent and child of a fork do not go on with the same random numbers."""
    ids = TimeOrderedIdGenerator()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, ids.generate_span_id().to_bytes(8, "big"))
        os._exit(0)
    mine = ids.generate_span_id()
    theirs = int.from_bytes(os.read(reader, 8), "big")
    os.waitpid(child, 0)
    os.close(reader)
    os.close(writer)

    assert theirs != mine


def test_a_run_id_is_a_uuid_of_version_7() -> None:
    """A run id has the version, the variant and the time of an RFC 9562 UUIDv7."""
    before = time.time_ns() // 1_000_000
    run_id = uuid.UUID(new_run_id())
    after = time.time_ns() // 1_000_000

    assert (run_id.version, run_id.variant) == (7, uuid.RFC_4122)
    assert before <= run_id.int >> 80 <= after
    assert new_run_id() != str(run_id)
