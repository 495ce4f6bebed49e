"""Directories that nobody but this user can look into."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def make_private_directory(path: Path) -> None:
    """Make a directory, and those above it that are missing, for this user alone; one that is there stays as it is.

    Raises:
        OSError: it cannot be made.
    """
    missing = []
    for each in (path, *path.parents):
        if each.is_dir():
            break
        missing.append(each)
    for each in reversed(missing or [path]):  # `parents=True` would make all but the last with the mode of the umask
        each.mkdir(mode=0o700, exist_ok=True)
