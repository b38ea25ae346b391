"""States of three kinds, seen as one: TypedDict, pydantic model, dataclass."""

import dataclasses
from collections.abc import Mapping
from typing import Any, cast

from pydantic import BaseModel
from typing_extensions import TypedDict

from crux_langgraph._states import MAPPINGS


def as_mapping(state: Any) -> Mapping[str, Any]:
    """Give a state of any kind as a mapping of its keys; a model's unset fields count as its defaults."""
    if isinstance(state, MAPPINGS):
        return cast("Mapping[str, Any]", state)
    if _is_dataclass(state):
        return {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}
    return dict(getattr(state, "__dict__", {}))


def needs_raw_view(schema: Any) -> bool:
    """Say whether LangGraph would build an instance of this state class before a node starts, and fail there."""
    return isinstance(schema, type) and (issubclass(schema, BaseModel) or _is_dataclass(schema))


def is_mixed_dataclass(schema: Any) -> bool:
    """Say whether this is a dataclass over a TypedDict: Python allows it and makes a dict, which no field can be set on."""
    return isinstance(schema, type) and _is_dataclass(schema) and issubclass(schema, dict)


def _is_dataclass(value: Any) -> bool:
    return dataclasses.is_dataclass(value)


def raw_view(schema: type, keys: Mapping[str, Any]) -> type:
    """Make a state class with the same keys, annotated as `keys` says, that LangGraph hands over unconverted.

    A state that it fails to convert never reaches the node: no retry, no error handler, and with a checkpointer a
    thread that can no longer be read. So the node takes the raw values and checks them in its body.
    """
    return TypedDict(f"Raw{schema.__name__}", dict(keys), total=False)  # type: ignore[operator, no-any-return] # pyright: ignore[reportArgumentType, reportUnknownVariableType, reportCallIssue] - keys known at run time only


def as_schema(schema: Any, state: Any) -> Any:
    """Give raw values as an instance of the user's state class, unvalidated, for functions that expect one."""
    if not isinstance(state, Mapping) or not needs_raw_view(schema):
        return cast("Any", state)
    values = cast("Mapping[str, Any]", state)
    if issubclass(schema, BaseModel):
        return schema.model_construct(None, **values)
    blank = object.__new__(schema)
    for field in dataclasses.fields(schema):
        value = values.get(field.name, _default(field))
        object.__setattr__(blank, field.name, value)
    return blank


def _default(field: "dataclasses.Field[Any]") -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return None if field.default is dataclasses.MISSING else field.default
