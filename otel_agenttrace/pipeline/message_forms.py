"""Messages in any of the forms that emitters write."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue
    from otel_agenttrace.pipeline.messages import Message, Role


def read_messages(value: AnyValue, role: Role) -> tuple[Message, ...]:
    """Read messages; empty where the value holds none. `role` is that of a message which does not say."""
    del value, role
    return ()
