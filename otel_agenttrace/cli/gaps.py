"""What a command that reads cannot show: spans that are in the spool, or that it refused."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from otel_agenttrace.delivering import place_of
from otel_agenttrace.model.record import ENDED_BY
from otel_agenttrace.model.verdicts import is_verdict
from otel_agenttrace.pipeline.summary import last_known_unix_nano
from otel_agenttrace.spool.places import spool_directories
from otel_agenttrace.views.warnings import parent_warnings, refusal_warnings, unreadable_warning, waiting_warnings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from otel_agenttrace.spool.trace_records import SpanKey, TraceRecords
    from otel_agenttrace.stores.api import StoredTrace
    from otel_agenttrace.views.warnings import ViewWarning

_MAX_BYTES = 1 << 25
"""Of records that are looked at: a tenth of a second."""


class Gaps:
    """What of some traces is in the spool. Made before they are read from the store, so that nothing slips through.

    Args:
        store_url: of the store that they are read from, as for `open_store`.
        trace_ids: of the traces.
        session_id: and all traces in which a spooled record names this session.
    """

    def __init__(self, store_url: str | None, trace_ids: Iterable[str], session_id: str | None = None) -> None:
        self._what = "trace" if session_id is None else "session"
        self._records: TraceRecords | None = None
        self._error: OSError | None = None
        self._place = place_of(store_url)
        self._directories: list[Path] = []
        try:
            self._directories += [each for each in spool_directories(self._place.directory) if each.exists()]
            if self._directories:
                self._records = self._read(trace_ids, session_id)
        except OSError as error:
            self._error = error

    def warnings(self, traces: Sequence[StoredTrace], *, tells_parents: bool = False) -> list[ViewWarning]:
        """Return what the traces, as they were then read from the store, lack.

        Args:
            traces: of at least one span each.
            tells_parents: whether the view itself tells of parents that are not there.
        """
        return [*self._of_spool(traces), *(() if tells_parents else parent_warnings(traces))]

    def _read(self, trace_ids: Iterable[str], session_id: str | None) -> TraceRecords:
        from otel_agenttrace.spool.trace_records import read_trace_records  # noqa: PLC0415  takes 20 ms

        return read_trace_records(
            self._directories,
            trace_ids,
            session_id=session_id,
            waiting_for=self._place.store_name,
            max_bytes=_MAX_BYTES,
        )

    def _of_spool(self, traces: Sequence[StoredTrace]) -> Iterator[ViewWarning]:
        if self._error is not None:
            yield unreadable_warning(self._what, self._error.strerror or str(self._error))
            return
        if self._records is None:
            return
        from otel_agenttrace.spool.refusals import Ran, find_refused  # noqa: PLC0415  as above
        from otel_agenttrace.spool.trace_records import missing  # noqa: PLC0415  as above

        waiting = missing(self._records.records, stored_spans(traces))
        yield from waiting_warnings(len(waiting), self._what, is_complete=self._records.is_complete)
        refused = find_refused(self._directories, [Ran(*each) for trace in traces for each in _ran(trace)])
        yield from refusal_warnings(refused, self._what)


def stored_spans(traces: Iterable[StoredTrace]) -> dict[SpanKey, bool]:
    """The spans of traces without their verdicts, and whether they have ended."""
    return {
        (span.trace_id, span.span_id): span.end_time_unix_nano is not None
        for span in chain.from_iterable(trace.spans for trace in traces)
        if not is_verdict(span)
    }


def _ran(trace: StoredTrace) -> Iterator[tuple[str, int, int, bool, bool]]:
    """Whose trace it is, from when to when it ran, in unix nanoseconds, and whether it is open or was abandoned."""
    start, end = min(span.start_time_unix_nano for span in trace.spans), last_known_unix_nano(trace.spans)
    is_open = any(span.end_time_unix_nano is None for span in trace.spans)
    is_abandoned = any(ENDED_BY in span.attributes for span in trace.spans)
    for service_name in {span.resource.service_name for span in trace.spans}:
        yield service_name, start, end, is_open, is_abandoned
