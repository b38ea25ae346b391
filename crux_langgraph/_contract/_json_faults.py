"""What of a value JSON cannot hold: faults of one value, of keys, texts and numbers, and quick looks at many at once."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

Found = tuple[tuple[str | int, ...], str, str]
"""Where, what was expected there, and the name of the type that was found."""

Guard = Callable[[Any], Found | None]
"""Gives the first fault of a value, or None."""

MAX_DEPTH = 100
_SCALARS = (str, int, float, bool, type(None))
_HOLDERS = frozenset({list, dict})
_NAMES = frozenset({str})
_LEAST, _MOST = -(2**63), 2**64 - 1


def json_fault(value: Any, depth: int = 0) -> Found | None:
    """Find the first thing in `value` that is not a JSON value; None when all of it is."""
    kind = cast("type[Any]", type(value))
    if kind in (list, dict):
        if depth == 0 and _is_json(value):
            return None
        too_deep = ((), f"nesting of at most {MAX_DEPTH} levels", "deeper nesting")
        return too_deep if depth >= MAX_DEPTH else json_items(value, depth + 1)
    if kind not in _SCALARS:
        return (), "a JSON value (str, int, float, bool, None, list or dict)", kind.__name__
    return lone_surrogate(value) if kind is str else NUMBERS[kind](value) if kind in NUMBERS else None


def _is_json(value: Any) -> bool:
    """Say whether a list or a dict is without fault, level by level and without looking where one is: most are."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        inside: list[Any] = []
        for holder in level:
            if type(holder) is dict and not _NAMES.issuperset(map(type, cast("dict[Any, Any]", holder))):
                return False
            inside += cast("Any", holder) if type(holder) is list else cast("Any", holder).values()
        if not all(_PASSES.get(type(one), _never)(one) for one in inside):
            return False
        level = [one for one in inside if type(one) in _HOLDERS]
        if not level:
            return True
    return False


def json_items(value: Any, depth: int) -> Found | None:
    """Find the first fault in a list or a dict at this depth."""
    entries: Iterable[tuple[Any, Any]]
    if isinstance(value, list):
        entries = enumerate(cast("list[Any]", value))
    else:
        entries = cast("dict[Any, Any]", value).items()
        if (found := odd_key(value)) is not None:
            return found
    return first(entries, lambda item: json_fault(item, depth))


def odd_key(value: Any) -> Found | None:
    """Find a key that is no text."""
    for key, _ in pairs(value):
        if type(key) is not str:
            return (), "string keys", f"a {type(key).__name__} key"
    return None


def odd_text_key(value: Any) -> Found | None:
    """Find a key whose text cannot be written."""
    return lone_surrogate("".join(key for key, _ in pairs(value) if isinstance(key, str)))


def first(entries: Iterable[tuple[Any, Any]], guard: Guard) -> Found | None:
    """Find the first fault among entries, and put its key before its place."""
    for key, item in entries:
        if (found := guard(item)) is not None:
            return (key, *found[0]), found[1], found[2]
    return None


def lone_surrogate(text: Any) -> Found | None:
    """Find half of a character, which UTF-8 cannot write."""
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


def pairs(value: Any) -> Iterable[tuple[Any, Any]]:
    """Give the items of a mapping, and none of anything else."""
    return cast("Mapping[Any, Any]", value).items() if isinstance(value, Mapping) else ()


def _is_text(text: Any) -> bool:
    return text.isascii() or lone_surrogate(text) is None


def _always(_: Any) -> bool:
    return True


def _never(_: Any) -> bool:
    return False


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


QUICK: dict[Any, Callable[[Any], bool]] = {lone_surrogate: _all_ascii, _too_long: _all_short, _infinite: _all_finite}
"""Whether many values at once need no closer look, at the speed of C; a list may be long."""

QUICK_ONE: dict[Any, Callable[[Any], bool]] = {
    lone_surrogate: str.isascii,
    _too_long: _is_short,
    _infinite: math.isfinite,
}
"""Whether one value needs no closer look. One that is not validated yet may make them raise."""

_PASSES: dict[Any, Callable[[Any], bool]] = {
    str: _is_text,
    int: _is_short,
    float: math.isfinite,
    **dict.fromkeys((list, dict, bool, type(None)), _always),
}
"""Whether one value is JSON, by what it is; of a list or dict its contents are asked themselves."""
