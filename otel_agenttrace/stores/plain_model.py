"""What a user's model says, as attribute values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticSerializationError, to_jsonable_python

from otel_agenttrace.errors import StoreRejectedError

if TYPE_CHECKING:
    from pydantic import BaseModel


def plain_model(model: BaseModel) -> dict[str, Any]:
    """Return the fields of a model as JSON has them, and infinities and NaN.

    Raises:
        StoreRejectedError: it holds something that JSON cannot say.
    """
    try:
        fields: dict[str, Any] = to_jsonable_python(model.model_dump(), inf_nan_mode="constants")
    except (PydanticSerializationError, UnicodeError) as error:
        raise StoreRejectedError(f"{type(model).__name__} cannot be stored: {error}") from error
    return fields
