"""Field types that the pydantic projections share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator

from otel_agenttrace.model.times import from_rfc3339, to_rfc3339, to_unix_nano


def _normal_time(value: object) -> object:
    try:
        if isinstance(value, datetime):
            return to_rfc3339(to_unix_nano(value))
        return to_rfc3339(from_rfc3339(value)) if isinstance(value, str) else value
    except OverflowError:  # which pydantic takes for a fault of ours, not of the value
        raise ValueError("beyond the years 1 to 9999 in UTC") from None


Timestamp = Annotated[str, BeforeValidator(_normal_time)]
"""An RFC 3339 time in UTC with six decimals; any other offset, or an aware datetime, is turned into that."""
