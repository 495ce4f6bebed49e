"""The shape of a dialect."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Which attributes hold each canonical field, the preferred one first; see `Canonical` for the fields.

    `input` and `output` are looked up on the span, then on its events, where older conventions put them.
    """

    operation: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    provider: tuple[str, ...] = ()
    tool_name: tuple[str, ...] = ()
    agent_name: tuple[str, ...] = ()
    input_tokens: tuple[str, ...] = ()
    output_tokens: tuple[str, ...] = ()
    cost_usd: tuple[str, ...] = ()
    input: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
