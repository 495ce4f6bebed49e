"""What happens while agents run, one thing at a time: what `Follower` tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.pipeline.failures import LocalFailure
    from otel_agenttrace.pipeline.root_cause import Failure
    from otel_agenttrace.pipeline.summary import TraceSummary

RunEventKind: TypeAlias = Literal["run_started", "span_started", "span_ended", "run_ended"]

_BAD = ("failed", "hallucinated")


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One thing that happened.

    A run is a trace. Its start is told when the first of its spans is seen, which is not the root where an emitter
    records spans only when they end; its end when its verdict is stored, or when nothing more has come for a while.

    Attributes:
        span: what started or ended; of a run its root, or where that is not known what is nearest to it.
        short_trace_id: the trace id cut as far as it is unique, 12 digits at least.
        time_unix_nano: when it happened, in nanoseconds since the Unix epoch.
        depth: how many spans are above this one, as far as they are known.
        failure: how the span that ended failed, by its own account.
        is_repeated: a span below it has told the same failure.
        summary: the run that ended.
        cause: the failure that tells most of what became of the run; None if it passed.
    """

    kind: RunEventKind
    span: SpanRecord
    short_trace_id: str
    time_unix_nano: int
    depth: int = 0
    failure: LocalFailure | None = None
    is_repeated: bool = False
    summary: TraceSummary | None = None
    cause: Failure | None = None

    @property
    def is_bad(self) -> bool:
        """Whether it is a failure: of a span, which the run may recover from, or of the whole run."""
        return self.failure is not None or (self.summary is not None and self.summary.status in _BAD)
