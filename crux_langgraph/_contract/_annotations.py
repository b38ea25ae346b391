"""Taking type annotations apart: the same three questions for every walk over a payload model."""

import dataclasses
import types
from collections.abc import Mapping
from typing import Annotated, Any, NotRequired, Required, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel
from typing_extensions import (
    ReadOnly,
    TypeAliasType,
    get_type_hints,
    is_typeddict,
)

UNIONS = (Union, types.UnionType)
_WRAPPERS = (NotRequired, Required, ReadOnly)


def bare(annotation: Any) -> Any:
    """Give the type itself: without `Annotated`, aliases, `Required`; a type variable stands for its bound or `Any`."""
    origin = get_origin(annotation)
    if origin is Annotated or origin in _WRAPPERS:
        return bare(get_args(annotation)[0])
    if isinstance(annotation, TypeAliasType) or isinstance(origin, TypeAliasType):
        return bare((origin or annotation).__value__)
    if isinstance(annotation, TypeVar):
        return bare(annotation.__bound__ or Any)
    if hasattr(annotation, "__supertype__"):
        return bare(annotation.__supertype__)
    return annotation


def metadata(annotation: Any) -> tuple[Any, ...]:
    """Give what `Annotated` carries, from the outside in."""
    return get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()


def members(kind: Any) -> Mapping[str, Any] | None:
    """Give the fields of a model, TypedDict, dataclass or NamedTuple with their annotations; None for other types."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {name: _of_field(info) for name, info in kind.model_fields.items()}
    origin = cast("Any", get_origin(kind) or kind)
    if not (is_typeddict(origin) or dataclasses.is_dataclass(origin) or hasattr(origin, "_fields")):
        return None
    return get_type_hints(origin, include_extras=True)


def is_root(kind: Any) -> bool:
    """Say whether this is a RootModel, whose single field has no name in paths."""
    return bool(getattr(kind, "__pydantic_root_model__", False))


def arguments(kind: Any) -> tuple[Any, ...]:
    """Give the types that a union or a container holds; a bare `list` or `dict` holds anything."""
    given = tuple(arg for arg in get_args(kind) if arg is not ...)
    return given or ((Any,) if kind in (list, dict, tuple, set, frozenset) else ())


def _of_field(info: Any) -> Any:
    return Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
