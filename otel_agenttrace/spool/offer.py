"""Offering records to a target: whatever it does, it is known which of them it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.spool.target import Delivery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_agenttrace.spool.target import Item, SpoolTarget


class Offered(NamedTuple):
    """What became of records that were offered.

    Attributes:
        done: how many of them, from the first on, need not be offered again.
        rejected: how many of those the target will never take.
        is_complete: whether that is all of them.
        is_doubtful: whether nobody knows why the others were not taken.
        message: what the target said last.
        retry_after_s: how long it asks to be left alone.
    """

    done: int
    rejected: int = 0
    is_complete: bool = True
    is_doubtful: bool = False
    message: str = ""
    retry_after_s: float | None = None


def offer(target: SpoolTarget, items: Sequence[Item]) -> Offered:
    """Offer records once; those that are refused together in halves, until the ones to blame are found."""
    done = rejected = 0
    message = ""
    waiting = [items] if items else []
    while waiting:
        part = waiting.pop()
        delivery = _deliver(target, part)
        message = delivery.message or message
        if delivery.outcome == "refused" and len(part) > 1:
            middle = len(part) // 2
            waiting += [part[middle:], part[:middle]]
        elif delivery.outcome in ("taken", "refused"):
            done += len(part)
            rejected += 1 if delivery.outcome == "refused" else delivery.rejected
        else:
            is_doubtful = delivery.outcome == "failed"
            return Offered(done, rejected, False, is_doubtful, message, delivery.retry_after_s)
    return Offered(done, rejected, message=message)


def _deliver(target: SpoolTarget, items: Sequence[Item]) -> Delivery:
    try:
        delivery = target.deliver(items)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody else's code
        return Delivery("failed", message=f"{type(error).__name__}: {error}")
    if not isinstance(delivery, Delivery):
        return Delivery("failed", message=f"it answered {type(delivery).__name__}")
    if not 0 <= delivery.rejected <= len(items):
        return Delivery("taken", min(max(delivery.rejected, 0), len(items)), delivery.message)
    return delivery
