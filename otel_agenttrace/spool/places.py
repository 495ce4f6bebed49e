"""Where the spool of a store is, and what the store is called in it."""

from __future__ import annotations

import logging
import os
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from otel_agenttrace.private import make_private_directory
from otel_agenttrace.spool.target import STORE_PREFIX

_LOG = logging.getLogger("otel_agenttrace")

DEFAULT_DIRECTORY = Path("~/.agenttrace/spool")
"""Of stores that are no files on this machine, and where there is no store at all."""

_SQLITE = "sqlite:///"


class SpoolPlace(NamedTuple):
    """A spool directory, as seen by those who write to one store.

    Attributes:
        directory: where the logs lie; it need not exist.
        store_name: name of the store as a target, the same in every process that writes to it.
    """

    directory: Path
    store_name: str


def spool_place(store_url: str | None, spool_dir: Path | None = None) -> SpoolPlace:
    """The spool beside a store that is a file, else that of the user; a directory that is given comes first.

    Args:
        store_url: as the store says it (`SpanStore.url`); None where there is no store.
        spool_dir: the directory from the settings.
    """
    name = STORE_PREFIX if store_url is None else f"{STORE_PREFIX}:{without_credentials(store_url)}"
    if spool_dir is not None:
        return SpoolPlace(spool_dir.expanduser(), name)
    if store_url is not None and store_url.startswith(_SQLITE):
        path = Path(store_url.removeprefix(_SQLITE)).expanduser()
        # Not by its path: a store may be moved, and its spool with it.
        return SpoolPlace(path.with_name(f"{path.name}.spool"), STORE_PREFIX)
    return SpoolPlace(DEFAULT_DIRECTORY.expanduser(), name)


def without_credentials(url: str) -> str:
    """The URL without a user, a password and options."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.netloc or parts.path else url


def fallback_of(directory: Path) -> Path:
    """Where the logs are of those who could not write to a spool directory: in the system's temporary directory."""
    own = f"agenttrace-{os.geteuid()}"
    return Path(tempfile.gettempdir(), own, sha256(str(directory.absolute()).encode()).hexdigest()[:16])


def spool_directories(directory: Path) -> tuple[Path, ...]:
    """A spool directory, and its fallback, where that is this user's own: anybody may make one of that name."""
    fallback = fallback_of(directory)
    if any(each.exists() and _is_strange(each) for each in (fallback.parent, fallback)):
        return (directory,)
    return directory, fallback


def usable(place: SpoolPlace) -> SpoolPlace:
    """The place, made ready; where it cannot be written to, its fallback, which is told.

    A spool that refuses everything would take every span even from targets that are well.
    """
    problem = _problem(place.directory)
    if problem is None:
        return place
    fallback = fallback_of(place.directory)
    problem_there = _problem(fallback.parent) or _closed(fallback.parent) or _problem(fallback)
    if problem_there is not None:
        _LOG.error("no span can be kept: the spool %s %s, %s %s", place.directory, problem, fallback, problem_there)
        return place
    _LOG.error("the spool %s %s; spans wait in %s instead", place.directory, problem, fallback)
    return place._replace(directory=fallback)


def _problem(directory: Path) -> str | None:
    """What keeps this user from having a log of their own there, of which nobody else can take hold."""
    try:
        make_private_directory(directory)
        if _is_strange(directory):
            return "belongs to another user"
        if not os.access(directory, os.W_OK | os.X_OK):
            return "cannot be written"
    except OSError as error:
        return f"cannot be made: {error.strerror or error}"
    return None


def _is_strange(directory: Path) -> bool:
    """Whether it is another user's, be it as a link."""
    return directory.lstat().st_uid != os.geteuid()


def _closed(directory: Path) -> str | None:
    """Let nobody else look into a directory of ours; what is wrong if that cannot be."""
    try:
        directory.chmod(0o700)
    except OSError as error:
        return f"is open to others: {error.strerror or error}"
    return None
