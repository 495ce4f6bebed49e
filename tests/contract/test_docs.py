"""docs/contract.md is what the registry says."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from otel_agenttrace.contract.docs import contract_markdown

if TYPE_CHECKING:
    from otel_agenttrace.contract.registry import Registry

DOCUMENT = Path(__file__).parents[2] / "docs" / "contract.md"


def test_the_documentation_is_up_to_date(registry: Registry) -> None:
    """Whoever changes the registry runs `agenttrace contract docs`."""
    assert DOCUMENT.read_text(encoding="utf-8") == contract_markdown(registry), "run `agenttrace contract docs`"


def test_the_documentation_names_everything(registry: Registry) -> None:
    """Every attribute, event and phase is there."""
    text = contract_markdown(registry)

    for name in (*registry.attributes, *registry.events, *registry.phases):
        assert f"`{name}`" in text


def test_every_table_is_whole(registry: Registry) -> None:
    """Rows of one table have as many cells as its heading."""
    widths = [line.count("|") for line in contract_markdown(registry).splitlines()]

    assert all(width == following for width, following in pairwise(widths) if width and following)
