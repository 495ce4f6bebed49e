"""Where the spool is when it cannot be where it should."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.spool import places
from otel_agenttrace.spool.places import SpoolPlace, fallback_of, spool_directories, usable

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SpoolPlace:
    """A spool that cannot be made, and a temporary directory of the test's own."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "file").touch()
    return SpoolPlace(tmp_path / "file" / "spool", "store")


def test_the_stand_in_is_for_this_user_alone(place: SpoolPlace) -> None:
    """With the directory that it is in; one that was open to others is closed."""
    fallback = fallback_of(place.directory)
    fallback.parent.mkdir(mode=0o755)
    fallback.parent.chmod(0o755)

    assert usable(place).directory == fallback
    assert {path.stat().st_mode & 0o777 for path in (fallback, fallback.parent)} == {0o700}
    assert spool_directories(place.directory) == (place.directory, fallback)


@pytest.mark.parametrize("strange", ["parent", "itself"])
def test_a_stand_in_that_somebody_else_made_is_not_used(
    place: SpoolPlace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, strange: str
) -> None:
    """Neither written to nor read, be the strange one the stand-in or what it is in."""
    fallback = fallback_of(place.directory)
    fallback.mkdir(parents=True)
    made = {"parent": fallback.parent, "itself": fallback}[strange]
    is_strange = places._is_strange
    monkeypatch.setattr(places, "_is_strange", lambda path: path == made or is_strange(path))

    assert usable(place) == place
    assert f"{fallback} belongs to another user" in caplog.text
    assert spool_directories(place.directory) == (place.directory,)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give directories away")
def test_another_users_directory_is_known(place: SpoolPlace) -> None:
    """By its owner, and a link by its own."""
    fallback = fallback_of(place.directory)
    fallback.mkdir(parents=True)
    os.chown(fallback.parent, 12345, 12345)

    assert usable(place) == place
    assert spool_directories(place.directory) == (place.directory,)
