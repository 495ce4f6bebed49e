"""Why a record is not taken."""

from __future__ import annotations

QUOTA = "quota"
DISK = "disk"
TOO_LARGE = "too_large"
QUEUE_FULL = "queue_full"
FAULT = "fault"
"""A fault of ours."""

REASONS = (QUOTA, DISK, TOO_LARGE, QUEUE_FULL, FAULT)


class RefusedError(Exception):
    """A record is not taken; never leaves the spool.

    Attributes:
        reason: one of REASONS.
    """

    def __init__(self, reason: str, message: str, cause: BaseException | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.__cause__ = cause
