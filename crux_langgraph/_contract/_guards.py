"""The guard of a model: it finds what JSON cannot hold in an instance, and asks the whole of it at once where it can."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from operator import attrgetter, itemgetter
from typing import Any, cast

from crux_langgraph._contract._json_faults import QUICK, QUICK_ONE, Found, Guard, first, json_items

_ODD = (AttributeError, LookupError, TypeError, ValueError, ArithmeticError)
"""What quick questions raise about values that are not validated yet: there may be anything in them."""


def over(guard: Guard | None, entries: Callable[[Any], Iterable[tuple[Any, Any]]]) -> Guard | None:
    """Give the guard of a value that holds others, each of which `guard` looks at."""
    if guard is None:
        return None
    quick = guard.all_pass if isinstance(guard, Fields) else QUICK.get(guard)
    if quick is None or entries is not numbered:
        return lambda value: first(entries(value), guard)
    return _Items(guard, quick)


class _Items:
    """The guard of a list whose items can be asked all at once."""

    def __init__(self, guard: Guard, passes: Callable[[Any], bool]) -> None:
        self._guard = guard
        self.passes = passes

    def __call__(self, value: Any) -> Found | None:
        return None if self.passes(value) else first(numbered(value), self._guard)


_fields_of = attrgetter("__dict__")


class Fields:
    """The guard of a value with named or numbered parts."""

    def __init__(self, guards: Mapping[Any, Guard], pick: Callable[[Any, Any], Any]) -> None:
        """Take the guard of each part, and how a part is picked."""
        self._pick = pick
        self._guards = tuple(guards.items())
        self._parts = tuple((key, _quick(guard), guard) for key, guard in self._guards)
        self._columns = tuple((itemgetter(key), QUICK[guard]) for key, guard in self._guards if guard in QUICK)

    def __call__(self, value: Any) -> Found | None:
        """Give the first fault in a part."""
        pick = self._pick
        for key, guard in self._in_doubt(value):
            if (found := guard(pick(value, key))) is not None:
                return (key, *found[0]), found[1], found[2]
        return None

    def _in_doubt(self, value: Any) -> Iterable[tuple[Any, Guard]]:
        try:
            fields = value.__dict__
            return [(key, guard) for key, passes, guard in self._parts if passes is None or not passes(fields[key])]
        except _ODD:
            return self._guards

    def all_pass(self, values: Any) -> bool:
        """Say whether none of many models needs a closer look, a field at a time."""
        if len(self._columns) < len(self._guards):
            return False
        try:
            rows = list(map(_fields_of, values))
            for pick, quick in self._columns:
                if not quick(list(map(pick, rows))):
                    return False
        except _ODD:
            return False
        return True


def _quick(guard: Guard) -> Callable[[Any], bool] | None:
    return guard.passes if isinstance(guard, _Items) else QUICK_ONE.get(guard)


def of_fields(guards: Mapping[Any, Guard], pick: Callable[[Any, Any], Any]) -> Guard | None:
    """Give the guard of a value with parts, each with a guard of its own."""
    return Fields(guards, pick) if guards else None


def of_root(guard: Guard | None) -> Guard | None:
    """Give the guard of a `RootModel`, whose one field stands in no path."""
    return None if guard is None else lambda value: guard(getattr(value, "root", value))


def with_extras(guard: Guard | None) -> Guard:
    """Give the guard of a model that takes fields it does not declare, which hold anything."""

    def with_extras(value: Any) -> Found | None:
        extras: dict[str, Any] = getattr(value, "model_extra", None) or {}
        return (guard(value) if guard else None) or json_items(extras, 0)

    return with_extras


def numbered(value: Any) -> Iterable[tuple[Any, Any]]:
    """Give the items of a list or a set with their numbers."""
    plain = isinstance(value, Sequence | AbstractSet) and not isinstance(value, str | bytes)
    return enumerate(cast("Sequence[Any]", value)) if plain else ()


def named(value: Any, name: Any) -> Any:
    """Give the field of a model or the key of a mapping."""
    return cast("dict[Any, Any]", value).get(name) if isinstance(value, dict) else getattr(value, name, None)


def indexed(value: Any, index: Any) -> Any:
    """Give the item of a tuple."""
    items = cast("Sequence[Any]", value) if isinstance(value, Sequence) else ()
    return items[index] if index < len(items) else None
