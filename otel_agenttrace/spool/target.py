"""SpoolTarget: a place that the records of a spool go to, and what it says of those it was given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.spool.frames import Kind

Outcome = Literal["taken", "refused", "failed", "away"]

STORE_PREFIX = "store"
"""The names of stores begin so, and no others: what waits for a store is never given up for want of room."""


class Item(NamedTuple):
    """A record as targets get it: decoded and staged.

    Attributes:
        seq: its place in its log.
        kind: SPAN for one that has ended, START for one that is open.
        record: the span; shared with other targets.
    """

    seq: int
    kind: Kind
    record: SpanRecord


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of the records that a target was given.

    Attributes:
        outcome: `taken`: the target has them, for good, except for `rejected` of them. `refused`: as they are it will
            never take them together; they are offered again in halves, until those are found that it takes. `away`:
            nothing is wrong with them, they are offered again later. `failed`: it is not known why; they are offered
            again later, and a record that fails while others are taken is given up in the end.
        rejected: of those taken, how many the target said it will never keep.
        message: why, in the target's words.
        retry_after_s: how long the target asks to be left alone.
    """

    outcome: Outcome
    rejected: int = 0
    message: str = ""
    retry_after_s: float | None = None


TAKEN = Delivery("taken")


class SpoolTarget(Protocol):
    """Where records go. One thread at a time calls `deliver`; it may hang or raise without harm to other targets.

    Attributes:
        name: under which its place is kept on disk; the same in every process, and without credentials.
        takes_open: whether it is given the records of spans that are still open, too.
        seems_away: whether what is being delivered right now was not taken at first, and is tried again by the target
            itself, for which it is not waited at a flush.
        is_lasting: whether it outlives the process. One that does not, such as a console, keeps no place on disk,
            where nothing waits for it, and gets nothing of other processes.
    """

    @property
    def name(self) -> str:
        """See above."""
        ...

    @property
    def takes_open(self) -> bool:
        """See above."""
        ...

    @property
    def seems_away(self) -> bool:
        """See above."""
        ...

    @property
    def is_lasting(self) -> bool:
        """See above."""
        ...

    def deliver(self, items: Sequence[Item]) -> Delivery:
        """Take records, at least one, oldest first; some may have been delivered before."""
        ...

    def survive_power_cuts(self) -> None:
        """From now on, take records only once they survive one; for the logs of processes that were promised that."""
        ...

    def renew(self) -> None:
        """Begin anew in a forked child: what is open belongs to the parent."""
        ...

    def close(self) -> None:
        """Release what is open; nothing more will be delivered."""
        ...


def is_store(name: str) -> bool:
    """Whether a target is a store, by its name."""
    return name == STORE_PREFIX or name.startswith(f"{STORE_PREFIX}:")
