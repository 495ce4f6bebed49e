"""The arguments of a call by name."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from otel_agenttrace.instrument.capture import capture

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.model.record import AnyValue

_RECEIVERS = ("self", "cls")


class Parameters:
    """The parameters of a function; a method's `self` or `cls` is none of them."""

    def __init__(self, function: Callable[..., Any]) -> None:
        try:
            self._signature: inspect.Signature | None = inspect.signature(function)
        except (TypeError, ValueError):  # some builtins have none
            self._signature = None
        first = next(iter(self._signature.parameters), None) if self._signature is not None else None
        self._receiver = first if first in _RECEIVERS else None

    def capture(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> AnyValue:
        """The arguments as one attribute value, those that are left to their default included.

        What does not fit the signature, so that the call itself will raise, is kept under `args` and `kwargs`.
        """
        named = self._bind(args, kwargs)
        return capture({name: value for name, value in named.items() if name != self._receiver})

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        if self._signature is not None:
            try:
                bound = self._signature.bind(*args, **kwargs)
            except TypeError:
                args = args[1:] if self._receiver else args
            else:
                bound.apply_defaults()
                return bound.arguments
        return {name: given for name, given in (("args", args), ("kwargs", kwargs)) if given}
