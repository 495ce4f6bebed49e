"""Makes a check and reads its answer: whatever it does, there is an outcome, and nothing raises."""

from __future__ import annotations

import asyncio
import inspect
import traceback
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, get_args

from otel_agenttrace.instrument.faults import message_of, told
from otel_agenttrace.instrument.time_limit import OverdueError, call_within
from otel_agenttrace.model.gate import Evidence, GateVerdict
from otel_agenttrace.model.plain import plain_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable


class Outcome(Protocol):
    """What a check says, such as `workflow.outcome.CheckOutcome`."""

    @property
    def result(self) -> GateVerdict:
        """Whether what was checked is in order; `skipped` where there was nothing to check."""

    @property
    def reason(self) -> str:
        """Why it is no pass; of a pass, what was checked."""

    @property
    def next_action(self) -> str:
        """What to do about it."""

    @property
    def evidence(self) -> Iterable[Evidence]:
        """What was looked at."""


if TYPE_CHECKING:
    Answer: TypeAlias = Outcome | bool
    Check: TypeAlias = Callable[[], Answer] | Callable[[], Awaitable[Answer]]

MAX_EVIDENCE = 50
"""Pieces of evidence that are kept of one check."""

MAX_TEXT = 1000
"""Characters that are kept of a reason, and of a next action."""

MAX_EVIDENCE_TEXT = 500
"""Characters that are kept of each text of a piece of evidence."""

_VERDICTS = frozenset(get_args(GateVerdict))


class Found(NamedTuple):
    """What a check has found, bounded and in plain text.

    Attributes:
        hint: what to do about it where neither the check nor the gate says so.
    """

    result: GateVerdict
    reason: str = ""
    next_action: str = ""
    evidence: tuple[Evidence, ...] = ()
    hint: str = ""


_PASSED, _FAILED = Found("pass"), Found("fail", "the check returned False")


def make_check(check: Check, timeout_s: float | None, meanwhile: Callable[[], object]) -> Found:
    """Make the check and return what it found. One that raises, hangs or answers something else has failed.

    Args:
        check: what it returns is awaited if it can be, on an event loop of its own.
        timeout_s: seconds after which it counts as failed; None makes it on this thread, without a limit.
        meanwhile: called once, before the check ends; never raises.

    Raises:
        KeyboardInterrupt: while the check was made.
    """
    try:
        if timeout_s is not None:
            return call_within(lambda: _answered(check()), timeout_s, meanwhile)
        meanwhile()
        answer = check()
        # This thread may have an event loop that is running.
        return call_within(lambda: _answered(answer), None) if inspect.isawaitable(answer) else _read(answer)
    except OverdueError:
        return _overdue(timeout_s)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a check is anybody's, and one that raises has failed
        return raised(error)


def raised(error: BaseException) -> Found:
    """The outcome of a check that raised `error`."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    frames = traceback.extract_tb(error.__traceback__, limit=-1)
    place = f" at {frames[0].filename}:{frames[0].lineno} in {frames[0].name}" if frames else ""
    evidence = Evidence(type="exception", ref=name, description=cut(f"{message_of(error)}{place}", MAX_EVIDENCE_TEXT))
    return Found(
        "fail", cut(f"the check raised {told(error)}"), "", (evidence,), "mend the check, or what it could not read"
    )


def cut(text: str, most: int = MAX_TEXT) -> str:
    """The text, as UTF-8 can say it and no longer than `most` characters."""
    text = plain_text(text)
    return text if len(text) <= most else text[: most - 1] + "…"


def _answered(answer: Answer | Awaitable[Answer]) -> Found:
    return _read(asyncio.run(_awaited(answer)) if inspect.isawaitable(answer) else answer)


async def _awaited(answer: Awaitable[Answer]) -> Answer:
    return await answer


def _read(answer: object) -> Found:
    if answer is True:
        return _PASSED
    if answer is False:
        return _FAILED
    verdict = getattr(answer, "result", None)
    if verdict not in _VERDICTS:
        what = type(answer).__name__ if verdict is None else f"{type(answer).__name__} with the result {verdict!r:.50}"
        said = cut(f"the check returned {what}, expected True, False or a CheckOutcome")
        return Found("fail", said, hint="have the check return what it found")
    evidence = tuple(_bounded(item) for item in tuple(answer.evidence)[:MAX_EVIDENCE])  # type: ignore[attr-defined]
    return Found(verdict, cut(answer.reason), cut(answer.next_action), evidence)  # type: ignore[arg-type, attr-defined]


def _bounded(item: Evidence) -> Evidence:
    texts = (item.type, item.ref, item.description)
    if all(len(text) <= MAX_EVIDENCE_TEXT for text in texts):
        return item
    type_, ref, description = (cut(text, MAX_EVIDENCE_TEXT) for text in texts)
    return Evidence(type=type_, ref=ref, description=description)


def _overdue(timeout_s: float | None) -> Found:
    limit = f"{timeout_s:g} s"
    evidence = Evidence(type="time", ref="timeout_s", description=f"expected an answer within {limit}, found none")
    hint = "find out what the check waits for, or give it more time"
    return Found("fail", f"the check gave no answer within {limit}", "", (evidence,), hint)
