"""At run time: what a type cannot promise. `Any` must hold JSON values, and numbers and texts must be ones JSON has."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import PurePath
from typing import Any, NamedTuple, cast, get_origin

from pydantic import BaseModel
from typing_extensions import is_typeddict

from crux_langgraph._contract._annotations import UNIONS, arguments, bare, is_alias, is_root, members
from crux_langgraph._contract._json_faults import (
    NUMBERS,
    QUICK,
    Found,
    Guard,
    first,
    json_fault,
    json_items,
    lone_surrogate,
    odd_key,
    odd_text_key,
    pairs,
)

_HOLDERS = (list, tuple, dict, set, frozenset, Sequence, Mapping, AbstractSet)


class Places(NamedTuple):
    """What of a model only its values can tell."""

    guard: Guard | None
    """Finds the first value that JSON cannot hold; None when there is no place for one."""
    nests: bool
    """The model may contain itself, so its instances have no greatest depth."""
    holds_any: bool
    """Somewhere it holds anything, so also objects that a dump would quietly turn into JSON."""
    blurs: bool
    """A union in it has several alternatives that a dump writes alike, as mappings."""


def places_of(model: type[BaseModel]) -> Places:
    """Find all places of a model where a value may be what its type does not tell."""
    builder = _Builder()
    guard = builder.build(model)
    return Places(guard if builder.guards else None, builder.nests, builder.holds_any, builder.blurs)


class _Builder:
    def __init__(self) -> None:
        self.nests = False
        self.guards = False
        self.holds_any = False
        self.blurs = False
        self._built: dict[Any, list[Guard | None]] = {}
        self._open: set[Any] = set()

    def build(self, annotation: Any) -> Guard | None:
        if is_alias(annotation):
            return self._once(annotation, lambda: self._of_kind(bare(annotation)))
        return self._of_kind(bare(annotation))

    def _once(self, kind: Any, make: Callable[[], Guard | None]) -> Guard | None:
        if kind in self._open:
            self.nests = True
            known = self._built[kind]
            return lambda value: known[0](value) if known[0] else None
        if kind not in self._built:
            self._open.add(kind)
            cell = self._built[kind] = [None]
            cell[0] = make()
            self._open.remove(kind)
        return self._built[kind][0]

    def _of_kind(self, kind: Any) -> Guard | None:
        if (leaf := _of_leaf(kind)) is not None:
            self.guards = True
            self.holds_any |= leaf is json_fault
            return leaf
        fields = members(kind)
        return self._of_members(kind, fields) if fields is not None else self._of_arguments(kind)

    def _of_arguments(self, kind: Any) -> Guard | None:
        origin: Any = get_origin(kind) or kind
        if origin in UNIONS:
            return self._of_union(kind)
        if not isinstance(origin, type) or issubclass(origin, str | bytes):
            return None
        if issubclass(origin, Mapping):
            return self._of_mapping(arguments(kind))
        return self._of_items(origin, kind) if issubclass(origin, Sequence | AbstractSet) else None

    def _of_mapping(self, types: tuple[Any, ...]) -> Guard | None:
        values = _over(self.build(types[-1]), pairs) if types else None
        self.guards = True
        keys = odd_key if not types or bare(types[0]) in (Any, object) else odd_text_key
        return lambda value: keys(value) or (values(value) if values else None)

    def _of_items(self, origin: Any, kind: Any) -> Guard | None:
        items = arguments(kind)
        if origin is tuple and len(items) > 1:
            guards = enumerate(self.build(item) for item in items)
            return _of_fields({index: guard for index, guard in guards if guard}, _indexed)
        return _over(self.build(items[0]), _numbered) if items else None

    def _of_members(self, kind: Any, fields: Mapping[str, Any]) -> Guard | None:
        def make() -> Guard | None:
            guards = {name: guard for name, annotation in fields.items() if (guard := self.build(annotation))}
            whole = _of_root(guards.get("root")) if is_root(kind) else _of_fields(guards, _named)
            if not _is_open(kind):
                return whole
            self.guards = self.holds_any = True
            return _with_extras(whole)

        return self._once(kind, make)

    def _of_union(self, kind: Any) -> Guard | None:
        alternatives = [(_runtime_type(bare(argument)), self.build(argument)) for argument in arguments(kind)]
        self.blurs |= sum(_is_mapping(bare(argument)) for argument in arguments(kind)) > 1
        guarded = [(plain, guard) for plain, guard in alternatives if guard]
        if not guarded:
            return None
        # A list may come from either of two lists, so only what holds nothing is free by its type alone.
        free = tuple(plain for plain, guard in alternatives if guard is None and plain not in _HOLDERS)

        def of_union(value: Any) -> Found | None:
            if isinstance(value, free):
                return None
            found = (guard(value) for plain, guard in guarded if isinstance(value, plain))
            return next((fault for fault in found if fault), None)

        return of_union


def _of_leaf(kind: Any) -> Guard | None:
    if kind in (Any, object):
        return json_fault
    if kind is str:
        return lone_surrogate
    if isinstance(kind, type) and issubclass(kind, PurePath):
        return lambda value: lone_surrogate(str(value))
    return NUMBERS.get(kind)


def _is_mapping(kind: Any) -> bool:
    plain: Any = get_origin(kind) or kind
    return (
        kind in (Any, object) or members(kind) is not None or (isinstance(plain, type) and issubclass(plain, Mapping))
    )


def _is_open(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel) and kind.model_config.get("extra") == "allow"


def _runtime_type(kind: Any) -> Any:
    if kind in (Any, None):
        return object if kind is Any else type(None)
    origin: Any = get_origin(kind) or kind
    if is_typeddict(origin):
        return dict
    return origin if isinstance(origin, type) else ()


def _over(guard: Guard | None, entries: Callable[[Any], Iterable[tuple[Any, Any]]]) -> Guard | None:
    if guard is None:
        return None
    quick = QUICK.get(guard) if not isinstance(guard, _Fields) else guard.all_pass
    if quick is None or entries is not _numbered:
        return lambda value: first(entries(value), guard)
    return lambda value: None if quick(value) else first(_numbered(value), guard)


class _Fields:
    """The guard of a value with named or numbered parts."""

    def __init__(self, guards: Mapping[Any, Guard], pick: Callable[[Any, Any], Any]) -> None:
        self._guards = tuple(guards.items())
        self._pick = pick
        self._columns = tuple((name, QUICK[guard]) for name, guard in guards.items() if guard in QUICK)

    def __call__(self, value: Any) -> Found | None:
        pick = self._pick
        for key, guard in self._guards:
            if (found := guard(pick(value, key))) is not None:
                return (key, *found[0]), found[1], found[2]
        return None

    def all_pass(self, values: Any) -> bool:
        """Say whether none of many models needs a closer look, a field at a time."""
        if len(self._columns) < len(self._guards):
            return False
        try:
            fields = [item.__dict__ for item in values]
            for name, quick in self._columns:
                if not quick([field[name] for field in fields]):
                    return False
        except (AttributeError, KeyError, TypeError):
            return False
        return True


def _of_fields(guards: Mapping[Any, Guard], pick: Callable[[Any, Any], Any]) -> Guard | None:
    return _Fields(guards, pick) if guards else None


def _of_root(guard: Guard | None) -> Guard | None:
    return None if guard is None else lambda value: guard(getattr(value, "root", value))


def _with_extras(guard: Guard | None) -> Guard:
    def with_extras(value: Any) -> Found | None:
        extras: dict[str, Any] = getattr(value, "model_extra", None) or {}
        return (guard(value) if guard else None) or json_items(extras, 0)

    return with_extras


def _numbered(value: Any) -> Iterable[tuple[Any, Any]]:
    plain = isinstance(value, Sequence | AbstractSet) and not isinstance(value, str | bytes)
    return enumerate(cast("Sequence[Any]", value)) if plain else ()


def _named(value: Any, name: Any) -> Any:
    return cast("dict[Any, Any]", value).get(name) if isinstance(value, dict) else getattr(value, name, None)


def _indexed(value: Any, index: Any) -> Any:
    items = cast("Sequence[Any]", value) if isinstance(value, Sequence) else ()
    return items[index] if index < len(items) else None
