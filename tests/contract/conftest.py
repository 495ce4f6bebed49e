"""The package's own contract, loaded once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.contract.registry import load_registry
from otel_agenttrace.contract.validate import Contract

if TYPE_CHECKING:
    from otel_agenttrace.contract.registry import Registry


@pytest.fixture(scope="session")
def registry() -> Registry:
    """What is declared."""
    return load_registry()


@pytest.fixture
def contract(registry: Registry) -> Contract:
    """A contract that has seen no span yet."""
    return Contract(registry)
