"""Logs in a temporary spool directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.log import SpoolLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def spool_dir(tmp_path: Path) -> Path:
    """Where the spool is to be; nothing is there yet."""
    return tmp_path / "new" / "spool"


@pytest.fixture
def spool(spool_dir: Path) -> Iterator[SpoolLog]:
    """A log with default settings."""
    log = SpoolLog(SpoolConfig(spool_dir))
    yield log
    log.close()
