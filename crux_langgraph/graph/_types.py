"""Can a value of this type be a value of that one? Answered only where the answer is sure; unknown is not wrong."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from typing_extensions import TypeIs

from crux_langgraph._contract import UNIONS, bare

_NUMBERS = (int, float, bool)


def contradicts(given: Any, wanted: Any) -> bool:
    """Say whether no value annotated `given` can be valid where `wanted` is."""
    given, wanted = bare(given), bare(wanted)
    if get_origin(given) in UNIONS:
        return all(contradicts(one, wanted) for one in get_args(given) if one is not type(None))
    if get_origin(wanted) in UNIONS:
        return all(contradicts(given, one) for one in get_args(wanted))
    return _disjoint(get_origin(given) or given, get_origin(wanted) or wanted)


def _disjoint(given: Any, wanted: Any) -> bool:
    return isinstance(given, type) and isinstance(wanted, type) and _classes_disjoint(given, wanted)


def _classes_disjoint(given: type[Any], wanted: type[Any]) -> bool:
    if _is_model(given) and _is_model(wanted):
        return not issubclass(given, wanted) and not _required(wanted) <= given.model_fields.keys()
    if wanted is str and given in _NUMBERS:
        return True
    if given is str and _is_model(wanted):
        return False  # it may hold JSON text
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
        return "sequence"
    return "scalar" if kind in (str, *_NUMBERS) else None


def _is_model(kind: type[Any]) -> TypeIs[type[BaseModel]]:
    return issubclass(kind, BaseModel)
