"""At run time: what a type cannot promise. `Any` must hold JSON values, and numbers and texts must be ones JSON has."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import PurePath
from typing import Any, NamedTuple, get_origin

from pydantic import BaseModel
from typing_extensions import is_typeddict

from crux_langgraph._contract._annotations import UNIONS, arguments, bare, is_alias, is_root, members
from crux_langgraph._contract._guards import indexed, named, numbered, of_fields, of_root, over, with_extras
from crux_langgraph._contract._json_faults import (
    NUMBERS,
    Found,
    Guard,
    json_fault,
    lone_surrogate,
    odd_key,
    odd_text_key,
    pairs,
)


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
        values = over(self.build(types[-1]), pairs) if types else None
        self.guards = True
        keys = odd_key if not types or bare(types[0]) in (Any, object) else odd_text_key
        return lambda value: keys(value) or (values(value) if values else None)

    def _of_items(self, origin: Any, kind: Any) -> Guard | None:
        items = arguments(kind)
        if origin is tuple and len(items) > 1:
            guards = enumerate(self.build(item) for item in items)
            return of_fields({index: guard for index, guard in guards if guard}, indexed)
        return over(self.build(items[0]), numbered) if items else None

    def _of_members(self, kind: Any, fields: Mapping[str, Any]) -> Guard | None:
        def make() -> Guard | None:
            guards = {name: guard for name, annotation in fields.items() if (guard := self.build(annotation))}
            whole = of_root(guards.get("root")) if is_root(kind) else of_fields(guards, named)
            if not _is_open(kind):
                return whole
            self.guards = self.holds_any = True
            return with_extras(whole)

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
    return NUMBERS.get(kind) if isinstance(kind, type) else None  # what holds others may not be hashable


def _is_mapping(kind: Any) -> bool:
    plain: Any = get_origin(kind) or kind
    return (
        kind in (Any, object) or members(kind) is not None or (isinstance(plain, type) and issubclass(plain, Mapping))
    )


def _is_open(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel) and kind.model_config.get("extra") == "allow"


_HOLDERS = (list, tuple, dict, set, frozenset, Sequence, Mapping, AbstractSet)


def _runtime_type(kind: Any) -> Any:
    if kind in (Any, None):
        return object if kind is Any else type(None)
    origin: Any = get_origin(kind) or kind
    if is_typeddict(origin):
        return dict
    return origin if isinstance(origin, type) else ()
