"""Drafts: frozen dataclasses while they are being filled."""

from __future__ import annotations

from dataclasses import MISSING, fields, make_dataclass
from dataclasses import field as dataclass_field
from typing import Any


def draft_of(kind: type[Any]) -> Any:
    """A dataclass with the same slots that is not frozen, since a frozen one takes five times as long to fill.

    Made as `kind` would be, an object becomes one by `made.__class__ = kind`.
    """
    name = f"_{kind.__name__}Draft"
    return make_dataclass(name, [_field(each) for each in fields(kind)], slots=True, eq=False, repr=False)


def _field(declared: Any) -> Any:
    if declared.default_factory is not MISSING:
        return declared.name, Any, dataclass_field(default_factory=declared.default_factory)
    if declared.default is not MISSING:
        return declared.name, Any, dataclass_field(default=declared.default)
    return declared.name, Any
