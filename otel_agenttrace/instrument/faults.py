"""Where an error of telemetry itself ends: counted and logged, never passed on to the agent."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

logger = logging.getLogger("otel_agenttrace")

_LOGGED_PER_ACTION = 3

fault_counts: Counter[str] = Counter()
"""How often each action failed, by its name; the actions are a fixed few."""


def note_fault(action: str) -> None:
    """Count that `action` failed with the exception being handled; the first few of each are logged."""
    fault_counts[action] += 1
    if fault_counts[action] <= _LOGGED_PER_ACTION:
        logger.warning("could not %s; the agent goes on", action, exc_info=sys.exc_info())


def message_of(error: BaseException) -> str:
    """The error's message, empty if it has none."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an exception of the user's, whose text may be code
        return "<not readable>"


def told(error: BaseException) -> str:
    """The error in words: its class, and its message if it has one."""
    name, message = type(error).__name__, message_of(error)
    return f"{name}: {message}" if message else name


def contained(action: str) -> AbstractContextManager[None, bool]:
    """Keep an Exception raised in the block from leaving it; what is no Exception (Ctrl-C, exit) passes."""
    return _Contained(action)


class _Contained:
    # A class, as `contextlib.contextmanager` takes three times as long, and every span passes this a few times.

    __slots__ = ("_action",)

    def __init__(self, action: str) -> None:
        self._action = action

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> bool:
        if not isinstance(error, Exception):
            return False
        note_fault(self._action)
        return True
