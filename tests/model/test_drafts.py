"""Drafts of frozen dataclasses."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from otel_agenttrace.model.drafts import draft_of
from otel_agenttrace.model.record import EventRecord


def test_a_draft_becomes_what_its_class_would_have_made() -> None:
    """With the same defaults, and frozen from then on."""
    made = draft_of(EventRecord)("told", 7)
    made.__class__ = EventRecord

    assert made == EventRecord("told", 7)
    assert (repr(made), made.attributes) == (repr(EventRecord("told", 7)), {})
    with pytest.raises(FrozenInstanceError):
        made.name = "other"


def test_defaults_that_can_be_changed_are_not_shared() -> None:
    """As in any dataclass with a default factory."""
    draft = draft_of(EventRecord)

    assert draft("one", 1).attributes is not draft("other", 2).attributes
