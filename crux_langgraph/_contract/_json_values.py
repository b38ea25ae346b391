"""At run time: what a type cannot promise. `Any` must hold JSON values, and JSON has no infinite numbers."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, cast, get_origin

from pydantic import BaseModel

from crux_langgraph._contract._annotations import UNIONS, arguments, bare, is_root, members

Found = tuple[tuple[str | int, ...], str, str]
"""Where, what was expected there, and the name of the type that was found."""

Guard = Callable[[Any], Found | None]

MAX_DEPTH = 100
_SCALARS = (str, int, float, bool, type(None))


def guard_for(model: type[BaseModel]) -> Guard | None:
    """Build the check of all places of a model where a value may not be JSON; None when there is no such place."""
    return _Builder().build(model)


class _Builder:
    def __init__(self) -> None:
        self._built: dict[Any, list[Guard | None]] = {}

    def build(self, annotation: Any) -> Guard | None:
        kind = bare(annotation)
        if kind in (Any, object):
            return json_fault
        if kind is float:
            return _infinite
        fields = members(kind)
        return self._of_members(kind, fields) if fields is not None else self._of_arguments(kind)

    def _of_arguments(self, kind: Any) -> Guard | None:
        origin: Any = get_origin(kind) or kind
        if origin in UNIONS:
            return self._of_union(kind)
        if not isinstance(origin, type) or issubclass(origin, str | bytes):
            return None
        if issubclass(origin, Mapping):
            return _over(self.build(arguments(kind)[-1]), _pairs)
        return self._of_items(origin, kind) if issubclass(origin, Sequence | AbstractSet) else None

    def _of_items(self, origin: Any, kind: Any) -> Guard | None:
        items = arguments(kind)
        if origin is tuple and len(items) > 1:
            guards = enumerate(self.build(item) for item in items)
            return _of_fields({index: guard for index, guard in guards if guard}, _indexed)
        return _over(self.build(items[0]), _numbered) if items else None

    def _of_members(self, kind: Any, fields: Mapping[str, Any]) -> Guard | None:
        if kind in self._built:
            known = self._built[kind]
            return lambda value: known[0](value) if known[0] else None
        cell: list[Guard | None] = [None]
        self._built[kind] = cell
        guards = {name: guard for name, annotation in fields.items() if (guard := self.build(annotation))}
        cell[0] = _of_root(guards.get("root")) if is_root(kind) else _of_fields(guards, _named)
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind.model_config.get("extra") == "allow":
            cell[0] = _with_extras(cell[0])
        return cell[0]

    def _of_union(self, kind: Any) -> Guard | None:
        alternatives = [(bare(argument), self.build(argument)) for argument in arguments(kind)]
        guards = [guard for _, guard in alternatives if guard]
        if not guards:
            return None
        free = tuple(_runtime_type(plain) for plain, guard in alternatives if guard is None)

        def of_union(value: Any) -> Found | None:
            if isinstance(value, free):
                return None
            found = [guard(value) for guard in guards]
            return found[0] if all(found) else None

        return of_union


def json_fault(value: Any, depth: int = 0) -> Found | None:
    """Find the first thing in `value` that is not a JSON value; None when all of it is."""
    kind = cast("type[Any]", type(value))
    if kind in (list, dict):
        too_deep = ((), f"nesting of at most {MAX_DEPTH} levels", "deeper nesting")
        return too_deep if depth >= MAX_DEPTH else _json_items(value, depth + 1)
    if kind not in _SCALARS:
        return (), "a JSON value (str, int, float, bool, None, list or dict)", kind.__name__
    return _lone_surrogate(value) if kind is str else _infinite(value)


def _json_items(value: Any, depth: int) -> Found | None:
    entries: Iterable[tuple[Any, Any]]
    if isinstance(value, list):
        entries = enumerate(cast("list[Any]", value))
    else:
        entries = cast("dict[Any, Any]", value).items()
        for key in cast("dict[Any, Any]", value):
            if type(key) is not str:
                return (), "string keys", f"a {type(key).__name__} key"
    return _first(entries, lambda item: json_fault(item, depth))


def _first(entries: Iterable[tuple[Any, Any]], guard: Guard) -> Found | None:
    for key, item in entries:
        if (found := guard(item)) is not None:
            return (key, *found[0]), found[1], found[2]
    return None


def _lone_surrogate(text: str) -> Found | None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return (), "text that UTF-8 can write", "str with a lone surrogate"
    return None


def _infinite(value: Any) -> Found | None:
    if isinstance(value, float) and not math.isfinite(value):
        return (), "a finite number", "inf or nan"
    return None


def _runtime_type(kind: Any) -> Any:
    origin: Any = get_origin(kind) or kind
    return origin if isinstance(origin, type) else type(None)


def _over(guard: Guard | None, entries: Callable[[Any], Iterable[tuple[Any, Any]]]) -> Guard | None:
    return None if guard is None else lambda value: _first(entries(value), guard)


def _of_fields(guards: Mapping[Any, Guard], pick: Callable[[Any, Any], Any]) -> Guard | None:
    if not guards:
        return None

    def of_fields(value: Any) -> Found | None:
        for key, guard in guards.items():
            if (found := guard(pick(value, key))) is not None:
                return (key, *found[0]), found[1], found[2]
        return None

    return of_fields


def _of_root(guard: Guard | None) -> Guard | None:
    return None if guard is None else lambda value: guard(getattr(value, "root", value))


def _with_extras(guard: Guard | None) -> Guard:
    def with_extras(value: Any) -> Found | None:
        extras: dict[str, Any] = getattr(value, "model_extra", None) or {}
        return (guard(value) if guard else None) or _json_items(extras, 0)

    return with_extras


def _pairs(value: Any) -> Iterable[tuple[Any, Any]]:
    return cast("Mapping[Any, Any]", value).items() if isinstance(value, Mapping) else ()


def _numbered(value: Any) -> Iterable[tuple[Any, Any]]:
    plain = isinstance(value, Sequence | AbstractSet) and not isinstance(value, str | bytes)
    return enumerate(cast("Sequence[Any]", value)) if plain else ()


def _named(value: Any, name: Any) -> Any:
    return cast("dict[Any, Any]", value).get(name) if isinstance(value, dict) else getattr(value, name, None)


def _indexed(value: Any, index: Any) -> Any:
    items = cast("Sequence[Any]", value) if isinstance(value, Sequence) else ()
    return items[index] if index < len(items) else None
