"""From any value to JSON-like data, with a mark in place of what is private."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import is_dataclass
from functools import lru_cache, partial
from typing import Any, cast, get_origin

from pydantic import BaseModel, TypeAdapter
from pydantic_core import to_jsonable_python

from crux_langgraph.fields import MASK_KEY

GONE = "\x00crux-private\x00"
DEEPEST = 60
SCALARS = frozenset({str, int, float, bool, type(None)})
_MASKED = {MASK_KEY: GONE}


def as_data(value: Any, kind: Any = None) -> Any:
    """Dump a value as JSON-like data, with what is private replaced by a mark; a record as one of `kind`, or of its own."""
    if not is_record(value):
        return _jsonable(value)
    dump = (
        value.model_dump
        if isinstance(value, BaseModel)
        else partial(_adapter(kind or cast("Any", type(value))).dump_python, value)
    )
    return written_by(dump)


def written_by(dump: Callable[..., Any]) -> Any:
    """Call one of pydantic's dumps for JSON-like data, with what is private replaced by a mark."""
    try:
        return dump(mode="json", context=_MASKED, warnings=False, fallback=str, by_alias=False, round_trip=True)
    except UnicodeError:  # pydantic writes no key that holds a lone surrogate, and no bytes that are not UTF-8
        return _jsonable(dump(context=_MASKED, warnings=False, by_alias=False, round_trip=True))


def is_record(value: Any) -> bool:
    """Whether it is an instance of a class that declares its fields."""
    kind = cast("Any", type(value))
    return isinstance(value, BaseModel) or is_dataclass(kind) or is_named_tuple(kind)


def is_named_tuple(kind: Any) -> bool:
    """Whether this type is one, also with arguments."""
    origin: Any = get_origin(kind) or kind
    return isinstance(origin, type) and issubclass(origin, tuple) and hasattr(cast("Any", origin), "_fields")


@lru_cache(maxsize=256)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def is_series(value: Any) -> bool:
    """Whether it holds items in a row, or in a set, and is no text."""
    return isinstance(value, Sequence | AbstractSet) and not isinstance(
        value, str | bytes | bytearray | memoryview | range
    )


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _jsonable(item) for name, item in cast("Mapping[Any, Any]", value).items()}
    if is_series(value):
        return [_jsonable(item) for item in cast("Iterable[Any]", value)]
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "backslashreplace")
    if type(value) in SCALARS:
        return value
    return to_jsonable_python(value, context=_MASKED, fallback=str)
