"""A run of the shipped pipeline, made once by the pilot; each test gets a copy of its own."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.workflow.pilot.run import run_pilot
from tests.workflow.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def pilot_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run without defects; not to be changed."""
    root = tmp_path_factory.mktemp("pilot") / "run"
    run_pilot(root).raise_unless_completed()
    return root


@pytest.fixture
def clean_run(pilot_run: Path, tmp_path: Path) -> RunFolder:
    """A copy of it, to be changed."""
    return RunFolder(shutil.copytree(pilot_run, tmp_path / "run"))
