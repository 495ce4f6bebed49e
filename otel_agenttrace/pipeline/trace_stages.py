"""What is done to a trace that has settled: here for all who do it, so that they get the same verdict."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from otel_agenttrace.grounding import ground
from otel_agenttrace.pipeline.flags import find_flags
from otel_agenttrace.pipeline.grounded import judge_output
from otel_agenttrace.pipeline.judgements import grounding_event
from otel_agenttrace.pipeline.verdict import make_verdict

if TYPE_CHECKING:
    from otel_agenttrace.grounding import GroundingChecker
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.model.tree import SpanTree
    from otel_agenttrace.pipeline.grounded import Judgement

_LOG = logging.getLogger("otel_agenttrace")

_warned: set[tuple[str, str]] = set()


def judged(tree: SpanTree, grounding: bool | GroundingChecker = True) -> SpanRecord | None:
    """The verdict of a trace as far as it is known; None where it tells of no agent.

    Args:
        tree: what is known of the trace.
        grounding: what holds its answer against its sources; True for `ground`, False for nothing. If it raises, or
            returns anything else than a report, the verdict is made without, and the log says so once.
    """
    checker = ground if grounding is True else grounding

    def judge(tree: SpanTree) -> Judgement | None:
        try:
            judgement = judge_output(tree, checker) if checker else None
            if judgement is not None:
                grounding_event(judgement, 0)  # what is no report shows here
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a checker may be anybody's, and the verdict stands without it
            _warn_once(checker, error)
            return None
        return judgement

    return make_verdict(tree, judge=judge, find_flags=find_flags)


def _warn_once(checker: object, error: BaseException) -> None:
    """Log the first error of each kind of each checker: a model that is away fails for every trace."""
    name = str(getattr(checker, "__qualname__", type(checker).__qualname__))
    kind = type(error).__name__
    if (name, kind) not in _warned:
        _warned.add((name, kind))
        _LOG.warning(
            "answers could not be checked against their sources, %s raised %s: %s; verdicts are made without",
            name,
            kind,
            error,
        )
