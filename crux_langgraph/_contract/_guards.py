"""Guards: what JSON cannot hold, found in a value. Each gives the first fault in what it is asked about, or None.

Where one can, it asks the whole of a value, or many values at once, at the speed of C, and looks closer only then.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from operator import attrgetter, itemgetter
from typing import Any, cast

Found = tuple[tuple[str | int, ...], str, str]
"""Where, what was expected there, and the name of the type that was found."""

Guard = Callable[[Any], Found | None]

MAX_DEPTH = 100
_SCALARS = (str, int, float, bool, type(None))
_LEAST, _MOST = -(2**63), 2**64 - 1
_ODD = (AttributeError, LookupError, TypeError, ValueError, ArithmeticError)
"""What quick questions raise about values that are not validated yet: there may be anything in them."""


def json_fault(value: Any, depth: int = 0) -> Found | None:
    """Find the first thing in `value` that is not a JSON value; None when all of it is."""
    kind = cast("type[Any]", type(value))
    if kind in (list, dict):
        too_deep = ((), f"nesting of at most {MAX_DEPTH} levels", "deeper nesting")
        return too_deep if depth >= MAX_DEPTH else _json_items(value, depth + 1)
    if kind not in _SCALARS:
        return (), "a JSON value (str, int, float, bool, None, list or dict)", kind.__name__
    return lone_surrogate(value) if kind is str else NUMBERS[kind](value) if kind in NUMBERS else None


def _json_items(value: Any, depth: int) -> Found | None:
    entries: Iterable[tuple[Any, Any]]
    if isinstance(value, list):
        entries = enumerate(cast("list[Any]", value))
    else:
        entries = cast("dict[Any, Any]", value).items()
        if (found := odd_key(value)) is not None:
            return found
    return _first(entries, lambda item: json_fault(item, depth))


def odd_key(value: Any) -> Found | None:
    """Find a key that is no string."""
    for key, _ in pairs(value):
        if type(key) is not str:
            return (), "string keys", f"a {type(key).__name__} key"
    return None


def odd_text_key(value: Any) -> Found | None:
    """Find a text among the keys that UTF-8 cannot write; other keys have been checked as what they are."""
    return lone_surrogate("".join(key for key, _ in pairs(value) if isinstance(key, str)))


def _first(entries: Iterable[tuple[Any, Any]], guard: Guard) -> Found | None:
    for key, item in entries:
        if (found := guard(item)) is not None:
            return (key, *found[0]), found[1], found[2]
    return None


def lone_surrogate(text: Any) -> Found | None:
    """Find what is no text to UTF-8."""
    if not isinstance(text, str) or text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        return (), "text that UTF-8 can write", "str with a lone surrogate"
    return None


def _infinite(value: Any) -> Found | None:
    if isinstance(value, float) and not math.isfinite(value):
        return (), "a finite number", "inf or nan"
    return None


def _too_long(value: Any) -> Found | None:
    # Checkpoints cannot write more than 64 bits, and neither can most readers of JSON.
    if isinstance(value, int) and not _LEAST <= value <= _MOST:
        return (), "an integer of at most 64 bits (write a longer one as str or Decimal)", "a longer int"
    return None


NUMBERS: dict[Any, Guard] = {float: _infinite, int: _too_long}
"""The guards of numbers, by type."""


def over(guard: Guard | None, entries: Callable[[Any], Iterable[tuple[Any, Any]]]) -> Guard | None:
    """Give the guard of a value that holds others, each of which `guard` looks at."""
    if guard is None:
        return None
    quick = guard.all_pass if isinstance(guard, Fields) else _ALL.get(guard)
    if quick is None or entries is not numbered:
        return lambda value: _first(entries(value), guard)
    return _Items(guard, quick)


class _Items:
    """The guard of a list whose items can be asked all at once."""

    def __init__(self, guard: Guard, passes: Callable[[Any], bool]) -> None:
        self._guard = guard
        self.passes = passes

    def __call__(self, value: Any) -> Found | None:
        return None if self.passes(value) else _first(numbered(value), self._guard)


def _all_ascii(values: Any) -> bool:
    try:
        return "".join(values).isascii()
    except TypeError:  # not yet validated: there may be anything in it
        return False


def _all_short(values: Any) -> bool:
    try:
        return not values or (min(values) >= _LEAST and max(values) <= _MOST)
    except (TypeError, ValueError):
        return False


def _all_finite(values: Any) -> bool:
    try:
        return math.isfinite(sum(values))
    except (TypeError, ValueError, OverflowError):
        return False


def _is_short(value: Any) -> bool:
    return bool(_LEAST <= value <= _MOST)


_ONE: dict[Any, Callable[[Any], bool]] = {lone_surrogate: str.isascii, _too_long: _is_short, _infinite: math.isfinite}
_ALL: dict[Any, Callable[[Any], bool]] = {lone_surrogate: _all_ascii, _too_long: _all_short, _infinite: _all_finite}
"""Whether one value, or many, need no closer look; a list may be long."""

_fields_of = attrgetter("__dict__")


class Fields:
    """The guard of a value with named or numbered parts."""

    def __init__(self, guards: Mapping[Any, Guard], pick: Callable[[Any, Any], Any]) -> None:
        """Take the guard of each part, and how a part is picked."""
        self._pick = pick
        self._guards = tuple(guards.items())
        self._parts = tuple((key, _quick(guard), guard) for key, guard in self._guards)
        self._columns = tuple((itemgetter(key), _ALL[guard]) for key, guard in self._guards if guard in _ALL)

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
    return guard.passes if isinstance(guard, _Items) else _ONE.get(guard)


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
        return (guard(value) if guard else None) or _json_items(extras, 0)

    return with_extras


def pairs(value: Any) -> Iterable[tuple[Any, Any]]:
    """Give the entries of a mapping."""
    return cast("Mapping[Any, Any]", value).items() if isinstance(value, Mapping) else ()


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
