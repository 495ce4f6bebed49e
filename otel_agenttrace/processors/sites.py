"""What is known of the code behind spans of one name, so that not every one of them has to be followed.

Noting the caller at every attribute of a span costs as much as half the span. Spans of one name nearly always come
from one place in the code, so a few of them tell it for the rest.
"""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

from otel_agenttrace.processors.locations import NO_LOCATIONS, resolve
from otel_agenttrace.processors.origins import STARTED, encode_origins

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType
    from typing import TypeAlias

    from otel_agenttrace.processors.locations import Locations

    Note: TypeAlias = tuple[CodeType, int]

FOLLOWED_FIRST = 64
FOLLOWED_THEN_ONE_IN = 17
"""A prime, so that it does not keep step with a pattern of spans."""

_MAX_SITES = 4096
_MAX_NOTES = 256


class Sites:
    """Decides which spans are followed, and learns from them. May be used from several threads.

    The first 64 spans of a name are followed; of the others, whatever their names, one in 17. One that is not is taken
    to come from the same lines as those of its name that were, as long as these agree; where they differ, from the
    line that all were started at, if there is one, and else from no line at all.
    """

    def __init__(self) -> None:
        self._sites: dict[str, Site] = {}
        self._turns = cycle([True, *[False] * (FOLLOWED_THEN_ONE_IN - 1)])

    def is_followed(self, name: str) -> bool:
        """Decide whether to follow a span that starts."""
        site = self._sites.get(name)
        return next(self._turns) if site is not None and site.is_known else True

    def origin(self, name: str, followed: Locations) -> bytes:
        """What is known of a span that has ended: what was noted of it if it was followed, else what its site knows.

        Returns:
            As `origins.encode_origins`; the same object again where nothing new was learnt.
        """
        site = self._sites.get(name) or self._new_site(name)
        if followed is NO_LOCATIONS:
            return site.origin
        return site.learn(followed)

    def _new_site(self, name: str) -> Site:
        if len(self._sites) >= _MAX_SITES:
            self._sites.clear()
        return self._sites.setdefault(name, Site())


class Site:
    """Where spans of one name come from, as far as all that were followed agree.

    Attributes:
        is_known: enough of them were followed that not every other has to be.
    """

    __slots__ = ("_differ", "_followed", "_notes", "_origin", "is_known")

    def __init__(self) -> None:
        self.is_known = False
        self._followed = 0
        self._notes: dict[str, Note] = {}
        self._differ: set[str] = set()
        self._origin: bytes | None = None

    def learn(self, followed: Locations) -> bytes:
        """Compare what was noted of one span with what is known of the others; return the origin of that span."""
        self._followed += 1
        self.is_known = self._followed >= FOLLOWED_FIRST
        start = {} if followed.start is None else {STARTED: followed.start}
        notes = {**start, **followed.notes}
        for what, note in notes.items():
            self._learn(what, note)
        is_as_known = not self._differ and notes == self._notes
        return self.origin if is_as_known else _encoded(notes)

    @property
    def origin(self) -> bytes:
        """The lines that have always set the attributes, and the one that has always started the span."""
        if self._origin is None:
            self._origin = _encoded({what: note for what, note in self._notes.items() if what not in self._differ})
        return self._origin

    def _learn(self, what: str, note: Note) -> None:
        known = self._notes.get(what)
        if known is None and len(self._notes) < _MAX_NOTES:
            self._notes[what] = note
            self._origin = None
        elif known != note and what not in self._differ:
            self._differ.add(what)
            self._origin = None


def _encoded(notes: Mapping[str, Note]) -> bytes:
    return encode_origins({what: resolve(*note) for what, note in notes.items()})
