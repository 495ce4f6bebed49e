"""Which spans are followed attribute by attribute, so that following them costs next to nothing where all is well."""

from __future__ import annotations

_FIRST = 64
_ONE_IN = 16
_MIN_SPACING = 1024
_MAX_SITES = 4096


class Sites:
    """Decides by name which spans have the line of each of their attributes noted, not just that of their start.

    The first 64 spans of a name, then one in 16. A span that breaks the contract without having been followed has the
    next 64 followed, once in a thousand spans: so what keeps being wrong is located to the line, at a bounded cost.
    Thread-safe: what races lose is a count.
    """

    def __init__(self) -> None:
        self._sites: dict[str, _Site] = {}

    def is_followed(self, name: str) -> bool:
        """Count a span that starts; whether to follow it."""
        site = self._sites.get(name)
        if site is None:
            if len(self._sites) >= _MAX_SITES:
                self._sites.clear()
            site = self._sites[name] = _Site()
        site.count = count = site.count + 1
        return count <= site.followed_to or not count % _ONE_IN

    def note_violation(self, name: str) -> None:
        """Take note of a violation in a span that was not followed."""
        site = self._sites.get(name)
        if site is not None and site.count >= site.followed_to + _MIN_SPACING:
            site.followed_to = site.count + _FIRST


class _Site:
    __slots__ = ("count", "followed_to")

    def __init__(self) -> None:
        self.count = 0
        self.followed_to = _FIRST
