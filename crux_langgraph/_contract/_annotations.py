"""Taking type annotations apart: the same three questions for every walk over a payload model."""

import dataclasses
import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NotRequired, Required, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, JsonValue
from typing_extensions import ReadOnly, get_type_hints, is_typeddict

from crux_langgraph.fields import Omit, Pin

UNIONS = (Union, types.UnionType)
_INIT_VAR = cast("Any", dataclasses.InitVar)
_WRAPPERS = (NotRequired, Required, ReadOnly)


def bare(annotation: Any) -> Any:
    """Give the type itself: without `Annotated`, aliases, `Required`; a type variable stands for its bound or `Any`."""
    while (inner := _inside(annotation)) is not annotation:
        annotation = inner
    return annotation


def metadata(annotation: Any) -> tuple[Any, ...]:
    """Give what `Annotated` carries, from the inside out, also through aliases and `Required`."""
    found: tuple[Any, ...] = ()
    while (inner := _inside(annotation)) is not annotation:
        if get_origin(annotation) is Annotated:
            found = (*get_args(annotation)[1:], *found)
        annotation = inner
    return found


def metadata_of_members(annotation: Any) -> Iterator[Any]:
    """Give what `Annotated` carries on an annotation, and on each member of a union."""
    yield from metadata(annotation)
    kind = bare(annotation)
    if get_origin(kind) in UNIONS:
        for member in arguments(kind):
            yield from metadata_of_members(member)


def is_alias(annotation: Any) -> bool:
    """Say whether this is a named alias of a type, which may name itself again inside."""
    # By name: the one of typing_extensions and that of the `type` statement are different classes before Python 3.14.
    return type(get_origin(annotation) or annotation).__name__ == "TypeAliasType" and annotation is not JsonValue


def _inside(annotation: Any) -> Any:
    origin = get_origin(annotation)
    if origin is Annotated or origin in _WRAPPERS:
        return get_args(annotation)[0]
    if annotation is JsonValue:
        return Any
    if is_alias(annotation):
        alias = origin or annotation
        return _filled(alias.__value__, alias.__type_params__, get_args(annotation))
    if isinstance(annotation, TypeVar):
        return annotation.__bound__ or Any
    return getattr(annotation, "__supertype__", annotation)


def _filled(annotation: Any, parameters: tuple[Any, ...], given: tuple[Any, ...]) -> Any:
    chosen = dict(zip(parameters, given, strict=False))
    if isinstance(annotation, TypeVar):
        return chosen.get(annotation, annotation)
    free: tuple[Any, ...] = getattr(annotation, "__parameters__", ())
    if isinstance(annotation, type) or not free:
        return cast("Any", annotation)
    return annotation[tuple(chosen.get(parameter, parameter) for parameter in free)]


def members(kind: Any) -> Mapping[str, Any] | None:
    """Give the fields of a model, TypedDict, dataclass or NamedTuple with their annotations; None for other types."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {name: _of_field(info) for name, info in kind.model_fields.items()}
    origin = cast("Any", get_origin(kind) or kind)
    if not (is_typeddict(origin) or dataclasses.is_dataclass(origin) or hasattr(origin, "_fields")):
        return None
    hints: dict[str, Any] = get_type_hints(origin, include_extras=True)
    if dataclasses.is_dataclass(origin):
        kept = {one.name for one in dataclasses.fields(origin)}
        hints = {name: hint for name, hint in hints.items() if name in kept or isinstance(hint, _INIT_VAR)}
    parameters = getattr(origin, "__parameters__", ())
    return {name: _filled(hint, parameters, get_args(kind)) for name, hint in hints.items()}


def is_root(kind: Any) -> bool:
    """Say whether this is a RootModel, whose single field has no name in paths."""
    return bool(getattr(kind, "__pydantic_root_model__", False))


def arguments(kind: Any) -> tuple[Any, ...]:
    """Give the types that a union or a container holds; a bare `list` or `dict` holds anything.

    A callable holds what it returns: its parameters are a list.
    """
    given = tuple(arg for arg in get_args(kind) if arg is not ... and not isinstance(arg, list))
    return given or ((Any,) if kind in (list, dict, tuple, set, frozenset) else ())


def _of_field(info: Any) -> Any:
    return Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation


def is_mark(item: object, mark: type) -> bool:
    """Say whether metadata is this mark; `Pin` without parentheses is meant as `Pin()`."""
    return item is mark or isinstance(item, mark)


def is_marked(annotation: Any, seen: tuple[Any, ...] = ()) -> bool:
    """Say whether `Pin()` or `Omit()` stands on a type, on what it holds, or on a field of a model in it."""
    if any(is_mark(item, Pin) or is_mark(item, Omit) for item in metadata(annotation)):
        return True
    kind = bare(annotation)
    if kind in seen:
        return False
    parts = members(kind)
    inner = arguments(kind) if parts is None else parts.values()
    return any(is_marked(part, (*seen, kind)) for part in inner)
