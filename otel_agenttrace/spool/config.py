"""SpoolConfig: where the spool is, how much of the disk it may take, and what a power cut may cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from otel_agenttrace.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

Durability = Literal["process", "power", "batch"]
DURABILITIES = get_args(Durability)

MIN_BYTES = 1 << 12
DEFAULT_MAX_BYTES = 1 << 30
MAX_RECORD_BYTES = 1 << 25


@dataclass(frozen=True, slots=True)
class SpoolConfig:
    """Settings of one process's spool.

    Attributes:
        directory: where the logs of all processes lie; on a local file system.
        durability: `process`: an appended record survives `kill -9`. `power`: and a power cut. `batch`: it is written
            in the background, and what is still waiting is lost with the process.
        max_bytes: disk quota of one process's log; records beyond it are refused.
        segment_bytes: size at which a new segment is begun.
        is_left_behind: whether what is not delivered waits on disk once the process is gone; else its files have no
            names, and nothing of a record is there then.
        max_queued: with `batch`, how many records may wait.
        max_queued_bytes: with `batch`, and of what size together.

    Raises:
        ConfigError: a setting is not accepted.
    """

    directory: Path
    durability: Durability = "process"
    max_bytes: int = DEFAULT_MAX_BYTES
    segment_bytes: int = 1 << 23
    is_left_behind: bool = True
    max_queued: int = 8192
    max_queued_bytes: int = 1 << 24

    def __post_init__(self) -> None:
        if self.durability not in DURABILITIES:
            raise ConfigError(f"durability: {self.durability!r} is none of {', '.join(DURABILITIES)}")
        for name in ("max_bytes", "segment_bytes", "max_queued_bytes"):
            if getattr(self, name) < MIN_BYTES:
                raise ConfigError(f"{name}: {getattr(self, name)} is less than {MIN_BYTES}")
        if self.max_queued < 1:
            raise ConfigError(f"max_queued: {self.max_queued} is less than 1")

    @property
    def max_record_bytes(self) -> int:
        """A larger record is refused, so that the quota has room for a segment that is read and one that is written."""
        return min(MAX_RECORD_BYTES, self.max_bytes // 4)

    @property
    def rotate_at_bytes(self) -> int:
        """Size at which a new segment is begun, so that the quota holds several, and reading them makes room."""
        return min(self.segment_bytes, self.max_bytes // 4)
