"""What a field of a payload may be shown to: metadata for `Annotated`, read by contexts, errors and logs."""

from dataclasses import dataclass
from typing import Any, cast

from pydantic import GetCoreSchemaHandler, SerializationInfo, SerializerFunctionWrapHandler
from pydantic_core import CoreSchema, core_schema

__all__ = ["Private"]

MASK_KEY = "crux_private"
MASK = "[private]"


@dataclass(frozen=True, slots=True)
class Private:
    """Keep a field out of everything that is shown: `token: Annotated[str, Private()]`.

    A private field travels in `payload.data` (and so in graph state and in the envelope) and nowhere else: it is never
    rendered into a context, and it is masked in every repr, error and log of this package. It works at any depth:
    on a field, on the items of a list, on the values of a mapping, on a whole nested model.
    """

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Make the field's serializer answer with the mask when a masked dump asks for it."""
        schema = handler(source)
        masked = core_schema.wrap_serializer_function_ser_schema(_mask, info_arg=True, schema=schema)
        return cast("CoreSchema", {**schema, "serialization": masked})


def _mask(value: Any, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> Any:
    context: object = info.context
    if isinstance(context, dict) and MASK_KEY in context:
        return cast("dict[str, Any]", context)[MASK_KEY]
    return handler(value)


MASKING = _mask
"""By this serializer a private place is known in the schema that pydantic builds of a model."""
