"""The proof: what agents said of their spans, held against what the store and the endpoint have."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from otel_agenttrace.spool.status import read_status
from otel_agenttrace.stores.open import open_store
from tests.crash.agent import SORTS, text_of
from tests.crash.draining import LAST
from tests.crash.endpoint import KEY_BYTES
from tests.crash.store_file import read_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from otel_agenttrace.spool.status import TargetStatus
    from tests.crash.outside import Lane, SpanKey
    from tests.crash.store_file import Row

_MUST_BE_ZERO = (
    "hung",
    "lost",
    "doubled",
    "altered",
    "strange",
    "uncounted",
    "unresolved",
    "untold",
    "waiting_at_last",
)
_VERDICT = "agenttrace.verdict"


@dataclass
class Counts:
    """What came of some kills. Spans, unless it says otherwise.

    Attributes:
        kills: how often SIGKILL was sent: to one process, or to a group at once.
        killed: processes that it ended.
        hung: kills whose victims had recorded nothing for a minute.
        left_behind: kills after which the store did not have all that had been acknowledged.
        waiting: how much it did not have then.
        acknowledged: spans whose `end()` had returned.
        stored: of those, in the store in the end, once, as they were ended.
        lost: of those, not in the store, or not with their own end.
        doubled: in the store more than once.
        altered: in the store, but not with what they were recorded with.
        strange: in the store, though no agent can have made them.
        forwarded: of the acknowledged ones, received by the endpoint at least once.
        not_forwarded: of the acknowledged ones, never received.
        given_up: of those, counted as dropped for want of room.
        refused: spans whose `end()` returned after the spool had told that it refuses.
        uncounted: of those, not in the store, and not in the count of refusals either.
        interrupted: begun when their process was killed.
        abandoned: of those, in the store as abandoned.
        unresolved: of those, not in the store, or still open there.
        untold: traces with an abandoned span, but without a failure that says so.
        waiting_at_last: records that still wait on disk after the last draining.
    """

    kills: int = 0
    killed: int = 0
    hung: int = 0
    left_behind: int = 0
    waiting: int = 0
    acknowledged: int = 0
    stored: int = 0
    lost: int = 0
    doubled: int = 0
    altered: int = 0
    strange: int = 0
    forwarded: int = 0
    not_forwarded: int = 0
    given_up: int = 0
    refused: int = 0
    uncounted: int = 0
    interrupted: int = 0
    abandoned: int = 0
    unresolved: int = 0
    untold: int = 0
    waiting_at_last: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(Counts)))

    @property
    def broken(self) -> dict[str, int]:
        """What must not be, and is: the names and numbers of broken promises."""
        broken = {name: count for name in _MUST_BE_ZERO if (count := getattr(self, name))}
        if self.not_forwarded > self.given_up:
            broken["not_forwarded"] = self.not_forwarded - self.given_up
        return broken


def prove(store: Path, spool_dir: Path, received: Path, lanes: Sequence[Lane], *, has_quota: bool) -> Counts:
    """Compare, once everything has been drained. With a quota that is too small, refusals are to be counted instead."""
    rows = read_rows(store)
    status = read_status(spool_dir)
    acknowledged = _all(lane.ended for lane in lanes)
    refused = _all(lane.refused for lane in lanes)
    interrupted = _all(lane.begun for lane in lanes) - acknowledged - refused
    keys_received = _received(received)
    lost = {key for key in acknowledged if key not in rows or _is_cut_short(rows[key])}
    own = {key: found for key, found in rows.items() if found[0].name not in {_VERDICT, LAST}}
    refusals = sum(count for name, count in (status.ledger or {}).items() if name.startswith("refused_"))
    not_refused = sum(1 for key in refused if key not in rows or _is_cut_short(rows[key]))
    abandoned = {key for key in own if "agenttrace.ended_by" in own[key][0].attributes}
    return Counts(
        acknowledged=len(acknowledged),
        stored=len(acknowledged - lost),
        lost=len(lost),
        doubled=sum(len(found) > 1 for found in rows.values()),
        altered=sum(
            not _is_whole(found[0]) and not (key in refused and _is_short(found[0])) for key, found in own.items()
        ),
        strange=_strange(own, lanes, acknowledged | refused | interrupted) + _strange_verdicts(rows),
        forwarded=len(acknowledged & keys_received),
        not_forwarded=len(acknowledged - keys_received),
        given_up=sum(target.dropped for target in status.targets if not target.name.startswith("store")),
        refused=len(refused),
        uncounted=max(0, not_refused - refusals),
        interrupted=len(interrupted),
        abandoned=len(interrupted & abandoned),
        unresolved=sum(not any(row.has_ended for row in rows.get(key, ())) for key in interrupted) * (not has_quota),
        untold=_untold(store, {key[:32] for key in abandoned}),
        waiting_at_last=_waiting(status.targets),
    )


def _all(sets: Iterable[set[SpanKey]]) -> set[SpanKey]:
    return set().union(*sets)


def _received(path: Path) -> set[SpanKey]:
    data = path.read_bytes()
    return {data[at : at + KEY_BYTES].hex() for at in range(0, len(data), KEY_BYTES)}


def _is_cut_short(found: list[Row]) -> bool:
    return not any(row.has_ended and "agenttrace.ended_by" not in row.attributes for row in found)


def _identity(row: Row) -> tuple[str, str]:
    """The lane of a span and its number there, as it says itself."""
    for sort in SORTS:
        lane, _, number = str(row.attributes.get(sort.id_attribute, "")).partition("-")
        if number.isdecimal():
            return lane, number
    return "", "0"


def _is_whole(row: Row) -> bool:
    texts = [row.attributes[sort.text_attribute] for sort in SORTS if sort.text_attribute in row.attributes]
    lane, number = _identity(row)
    return texts == [text_of(lane, int(number))]


def _is_short(row: Row) -> bool:
    """Whether it is what is kept of a span whose end was refused."""
    return "agenttrace.truncated" in row.attributes


def _strange(own: dict[SpanKey, list[Row]], lanes: Sequence[Lane], known: set[SpanKey]) -> int:
    """Spans that nobody spoke of. A lane may have one: recorded when it began, and killed before that was said."""
    names = {lane.name for lane in lanes}
    unheard = Counter(_identity(own[key][0])[0] for key in own.keys() - known)
    return sum(count - (name in names) for name, count in unheard.items())


def _strange_verdicts(rows: dict[SpanKey, list[Row]]) -> int:
    """Verdicts about traces that are not there, or more than one about a trace."""
    traces = {key[:32] for key, found in rows.items() if found[0].name != _VERDICT}
    verdicts = Counter(key[:32] for key, found in rows.items() if found[0].name == _VERDICT)
    return sum(count - (trace_id in traces) for trace_id, count in verdicts.items())


def _untold(store: Path, trace_ids: set[str]) -> int:
    with open_store(f"sqlite:///{store}") as opened:
        failures = opened.list_failures(failure_type="abandoned", recovered=True, limit=1_000_000)
    return len(trace_ids - {failure.failure_id[:32] for failure in failures})


def _waiting(targets: Sequence[TargetStatus]) -> int:
    return sum(target.waiting for target in targets)
