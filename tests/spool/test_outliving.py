"""Spans that outlive the process that wrote them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.delivering import deliver_dead_logs
from otel_agenttrace.model.record import ENDED_BY, OUTLIVES_PROCESS
from otel_agenttrace.stores.open import open_store
from otel_agenttrace.testing.spans import TRACE_ID, make_span
from tests.cli.spooled import leave

if TYPE_CHECKING:
    from pathlib import Path


def test_a_span_that_outlives_its_process_is_left_open(tmp_path: Path) -> None:
    """Whoever adopts the log ends the other open span, leaves this one as it is, and keeps nothing of the log."""
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    spool_dir = tmp_path / "runs.db.spool"
    driven = make_span(span_id="1" * 16, end_time_unix_nano=None, attributes={OUTLIVES_PROCESS: True})
    claims = make_span(span_id="2" * 16, end_time_unix_nano=None, attributes={OUTLIVES_PROCESS: "true"})
    leave(spool_dir, [driven, claims])

    drained = deliver_dead_logs(url, 30.0)

    with open_store(url) as store:
        spans = {span.span_id: span for span in store.spans.get_trace(TRACE_ID).spans}
    assert spans[driven.span_id] == driven
    assert spans[claims.span_id].attributes[ENDED_BY] == "spool"
    assert drained == (1, 0)
