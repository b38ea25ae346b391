"""What a field of a payload may lose and who may see it: metadata for `Annotated`, read by contexts, errors and logs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal, cast

from pydantic import GetCoreSchemaHandler, SerializationInfo, SerializerFunctionWrapHandler
from pydantic_core import CoreSchema, core_schema

__all__ = ["Fit", "Omit", "Pin", "Private"]

MASK_KEY = "crux_private"
LEAVE_OUT_KEY = "crux_leave_out"
MASK = "[private]"


@dataclass(frozen=True, slots=True)
class Pin:
    """Keep a field byte for byte in every context: `question: Annotated[str, Pin()]`.

    A pinned field is never shortened or summarised. When the pins alone do not fit into the budget that is an error
    which names each of them.
    """


@dataclass(frozen=True, slots=True)
class Fit:
    """Say how much a field matters when not everything fits: `sources: Annotated[list[Source], Fit(weight=3)]`.

    `weight` is relative to 1.0, the weight of a field without it; inside a weighted field weights multiply. `order`
    keeps a list or text from its `"first"` or its `"last"` item on, instead of by content. `summarize=True` lets a
    summarising model shorten the field and `False` keeps it from one; None leaves it to the handoff.
    """

    weight: float = 1.0
    order: Literal["first", "last"] | None = None
    summarize: bool | None = None

    def __post_init__(self) -> None:
        """Refuse a weight that orders nothing."""
        if not 0 < self.weight < float("inf"):
            msg = f"Fit(weight={self.weight}): give a positive number; to leave a field out use Omit()."
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Omit:
    """Leave a field out of every context: `raw_html: Annotated[str, Omit()]`. It stays readable on demand."""


def _serialized(function: Callable[..., Any], source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    schema = handler(source)
    masked = core_schema.wrap_serializer_function_ser_schema(function, info_arg=True, schema=schema)
    return cast("CoreSchema", {**schema, "serialization": masked})


def _mask(value: Any, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> Any:
    context: object = info.context
    if isinstance(context, dict) and MASK_KEY in context:
        return cast("dict[str, Any]", context)[MASK_KEY]
    return handler(value)


def _mask_or_leave_out(value: Any, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> Any:
    context: object = info.context
    if isinstance(context, dict) and LEAVE_OUT_KEY in context:
        return cast("dict[str, Any]", context)[LEAVE_OUT_KEY]
    return _mask(value, handler, info)


class _Serializing:
    """Gives pydantic the serializer that answers with the mask; on the class itself as on an instance."""

    def __get__(
        self, mark: "Private | None", owner: type["Private"]
    ) -> Callable[[Any, GetCoreSchemaHandler], CoreSchema]:
        return partial(_serialized, _mask if mark is None or mark.in_state else _mask_or_leave_out)


@dataclass(frozen=True, slots=True)
class Private:
    """Keep a field out of everything that is shown: `token: Annotated[str, Private()]`.

    A private field travels in `payload.data` (and so in graph state and in the envelope) and nowhere else: it is never
    rendered into a context, and it is masked in every repr, error, log and trace of this package. It works at any depth:
    on a field, on the items of a list, on the values of a mapping, on a whole nested model.

    With `in_state=False` it is not in the envelope either, so not in graph state, in a store or in a tool's artifact:
    who reads the payload from there gets the field's default, which it must have. That stands on the field of a model.
    """

    in_state: bool = True

    __get_pydantic_core_schema__: ClassVar[_Serializing] = _Serializing()


MASKING = (_mask, _mask_or_leave_out)
"""By these serializers a private place is known in the schema that pydantic builds of a model."""
LEAVING_OUT = _mask_or_leave_out
"""By this one that it stays out of the state too."""
