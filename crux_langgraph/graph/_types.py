"""Can a value of this type be a value of that one? Answered only where the answer is sure; unknown is not wrong."""

from collections.abc import Mapping, Sequence
from typing import Any, cast, get_args, get_origin

from pydantic import BaseModel
from typing_extensions import TypeIs

from crux_langgraph._contract import UNIONS, bare

_NUMBERS = (int, float, bool)


def contradicts_model(given: Any, model: type[BaseModel]) -> bool:
    """Say whether no value annotated `given` can be read as a whole `model`; instances of other models cannot."""
    given = bare(given)
    if get_origin(given) in UNIONS:
        return all(contradicts_model(one, model) for one in get_args(given) if one is not type(None))
    kind = get_origin(given) or given
    return isinstance(kind, type) and not converts(model) and _class_contradicts(kind, model)


def _class_contradicts(given: type[Any], model: type[BaseModel]) -> bool:
    if _is_model(given):
        return not issubclass(given, model) and not issubclass(model, given)
    return given is not str and _kinds_differ(given, model)  # a str may hold JSON text


def contradicts_field(given: Any, model: type[BaseModel], name: str) -> bool:
    """Say whether no value annotated `given` can be the field `name` of a `model`."""
    return not _field_converts(model, name) and _contradicts(given, model.model_fields[name].annotation)


def converts(model: type[BaseModel]) -> bool:
    """Say whether a model may take more than its fields say: by its root, from attributes, or by its own validators."""
    own = model.__pydantic_decorators__.model_validators.values()
    return (
        model.__pydantic_root_model__
        or bool(model.model_config.get("from_attributes"))
        or any(validator.info.mode != "after" for validator in own)
    )


def _field_converts(model: type[BaseModel], name: str) -> bool:
    own = model.__pydantic_decorators__.field_validators.values()
    return (
        converts(model)
        or bool(model.model_config.get("coerce_numbers_to_str"))
        or any(_is_opaque(part) for part in model.model_fields[name].metadata)
        or any(one.info.mode != "after" and not {name, "*"}.isdisjoint(one.info.fields) for one in own)
    )


def _contradicts(given: Any, wanted: Any) -> bool:
    if any(_is_opaque(part) for part in getattr(wanted, "__metadata__", ())):
        return False
    given, wanted = bare(given), bare(wanted)
    if get_origin(given) in UNIONS:
        return all(_contradicts(one, wanted) for one in get_args(given) if one is not type(None))
    if get_origin(wanted) in UNIONS:
        return all(_contradicts(given, one) for one in get_args(wanted) if one is not type(None))
    given, wanted = get_origin(given) or given, get_origin(wanted) or wanted
    return isinstance(given, type) and isinstance(wanted, type) and _classes_disjoint(given, wanted)


def _is_opaque(metadata: object) -> bool:
    # A validator in Annotated, Json and the like: any of them may take what the type alone would not.
    return hasattr(metadata, "__get_pydantic_core_schema__")


def _classes_disjoint(given: type[Any], wanted: type[Any]) -> bool:
    if issubclass(wanted, given) or (_is_model(wanted) and converts(wanted)):
        return False
    if _is_model(given) and _is_model(wanted):
        # Inside a mapping an instance is read by its fields, so one of another class with the same fields will do.
        return not issubclass(given, wanted) and not _required(wanted) <= given.model_fields.keys()
    return (wanted is str and given in _NUMBERS) or _kinds_differ(given, wanted)


def _kinds_differ(given: type[Any], wanted: type[Any]) -> bool:
    kinds = {_kind(given), _kind(wanted)}
    return None not in kinds and len(kinds) > 1


def _required(model: type[BaseModel]) -> set[str]:
    return {name for name, field in model.model_fields.items() if field.is_required()}


def _kind(kind: type[Any]) -> str | None:
    if _is_model(kind):
        return None if kind.__pydantic_root_model__ else "mapping"
    if issubclass(kind, Mapping):
        return "mapping"
    if issubclass(kind, Sequence | set | frozenset) and not issubclass(kind, str | bytes):
        return None if issubclass(str, cast("type[Any]", kind)) else "sequence"
    return "scalar" if kind in (str, *_NUMBERS) else None


def _is_model(kind: type[Any]) -> TypeIs[type[BaseModel]]:
    return issubclass(kind, BaseModel)
