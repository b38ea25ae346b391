"""Validating an instance anew from its innermost parts, where a dump would not tell which member of a union they are."""

from collections.abc import Mapping
from typing import Any, cast

from pydantic import BaseModel

_SEQUENCES = (list, tuple, set, frozenset)


def rebuilt(value: BaseModel, model: type[BaseModel]) -> BaseModel:
    """Give `value` as a valid `model`, every model in it validated as the class that it is."""
    fields = {name: _part(item) for name, item in {**value.__dict__, **(value.model_extra or {})}.items()}
    whole = fields["root"] if model.__pydantic_root_model__ else fields
    return model.model_validate(whole, by_alias=False, by_name=True)


def _part(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return rebuilt(value, type(value))
    if type(value) in _SEQUENCES:
        return type(value)(map(_part, value))
    if type(value) is dict:
        return {key: _part(item) for key, item in cast("Mapping[Any, Any]", value).items()}
    return value
