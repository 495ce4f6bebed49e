"""Running stages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from otel_agenttrace.pipeline.stage import run_stages
from otel_agenttrace.testing.spans import make_span

if TYPE_CHECKING:
    from otel_agenttrace.pipeline.stage import Stage


def test_stages_run_in_order() -> None:
    """Each gets what the one before it made; without stages the record stays the object that it was."""

    def append(letter: str) -> Stage:
        return lambda record: replace(record, name=record.name + letter)

    record = make_span(name="")

    assert run_stages(record, [append("a"), append("b")]).name == "ab"
    assert run_stages(record, []) is record
