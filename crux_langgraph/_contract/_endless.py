"""Data that would never end when it is written: it contains itself, or holds the same parts inside of each other.

Sixty lists, each of which holds the next one twice, are more JSON than there is paper; whatever walks through all of
it, pydantic included, does not come back. So this is asked before anything is dumped.
"""

import dataclasses
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from operator import methodcaller
from typing import Any, cast

from pydantic import BaseModel

from crux_langgraph._contract._json_faults import Found

ITSELF: Found = ((), "data that does not contain itself", "endless nesting")
_SCALARS = frozenset({str, int, float, bool, type(None)})
_SERIES = (list, tuple, set, frozenset, deque)
MOST_AT_ONCE = 100_000
"""Values that are walked through before it is asked whether they repeat."""
_MOST_WRITTEN = 1_000_000
_MOST_REPEATS = 1_000
_UNCOUNTED = 10**15
_OPEN = 0
_kind: Callable[[Any], Any] = type
_values = methodcaller("values")


class EndlessError(ValueError):
    """A value cannot be written in full. Who read it turns this into an error of its own."""

    def __init__(self, fault: Found) -> None:
        super().__init__(f"expected {fault[1]}, found {fault[2]}")
        self.fault = fault


def refuse_endless(value: Any) -> None:
    """Raise `EndlessError` when `value` contains itself, or makes over a million values by repeating a few.

    Ordinary data is walked through as it would be written, and what repeats a part at a time. So the time is linear in
    what is there.
    """
    for _ in walked(value):
        pass


def walked(value: Any) -> Iterator[Any]:
    """Give `value` and everything in it that may hold more, as often as it would be written.

    Raises `EndlessError` as `refuse_endless` does.
    """
    found: list[Any] = [value]
    most = MOST_AT_ONCE
    for one in found:  # it grows while it is walked through
        kind = _kind(one)
        if kind in _SCALARS:
            continue
        yield one
        found += one.values() if kind is dict else one if kind is list else _parts(one)
        if len(found) > most:
            refuse_repeated(value, found)
            most = 2 * len(found)


def refuse_repeated(value: Any, found: Iterable[Any]) -> None:
    """Do what `refuse_endless` does when much was found in a value. Only what repeats can be without end."""
    numbers = [id(one) for one in found if type(one) not in _SCALARS]
    if 2 * len(set(numbers)) > len(numbers):
        return
    fault = _Walk(value).fault()
    if fault is not None:
        raise EndlessError(fault)


def _parts(one: Any) -> Collection[Any]:
    """Give what stands in a value; nothing for what is no container."""
    return _reader(cast("Any", type(one)))(one)


@lru_cache(maxsize=1024)
def _reader(kind: Any) -> Callable[[Any], Collection[Any]]:
    """Give what reads the values of a class: to ask each of them what it is takes several times as long."""
    if issubclass(kind, _SERIES):
        return _itself
    if issubclass(kind, Mapping):
        return _values
    if issubclass(kind, BaseModel):
        return _of_model
    return _of_dataclass if dataclasses.is_dataclass(kind) else _nothing


def _itself(one: Any) -> Collection[Any]:
    return cast("Collection[Any]", one)


def _of_model(one: Any) -> Collection[Any]:
    extra: dict[str, Any] | None = one.__pydantic_extra__
    return [*one.__dict__.values(), *extra.values()] if extra else one.__dict__.values()


def _of_dataclass(one: Any) -> Collection[Any]:
    return [getattr(one, field.name, None) for field in dataclasses.fields(one)]


def _nothing(_: Any) -> Collection[Any]:
    return ()


class _Walk:
    """A walk in depth that enters each container once. It does not call itself: data may be nested deeper than calls."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._sizes: dict[int, int] = {}
        self._there = 0
        self._kept: list[Any] = []  # so that nothing else is given the number of what was made for this walk
        self._waiting: list[tuple[Any, tuple[Any, ...] | None]] = [(root, None)]

    def fault(self) -> Found | None:
        """Give what is wrong with the whole."""
        while self._waiting:
            one, parts = self._waiting.pop()
            if parts is not None:
                self._sizes[id(one)] = min(_UNCOUNTED, 1 + sum(self._sizes.get(id(part), 1) for part in parts))
            elif id(one) not in self._sizes and not self._enter(one):
                return ITSELF
        written = self._sizes[id(self._root)]
        if written <= max(_MOST_WRITTEN, _MOST_REPEATS * self._there):
            return None
        many = f"{written:,}" if written < _UNCOUNTED else f"over {_UNCOUNTED:,}"
        return (), "data that can be written in full", f"{self._there:,} values that repeat to {many}"

    def _enter(self, one: Any) -> bool:
        """Look into a container; not into one that what it is in is in it."""
        parts = tuple(_parts(one))
        inside = [part for part in parts if type(part) not in _SCALARS]
        self._kept.append((one, parts))
        self._there += len(parts)
        self._sizes[id(one)] = _OPEN
        self._waiting.append((one, parts))
        self._waiting.extend((part, None) for part in inside)
        return not any(self._sizes.get(id(part)) == _OPEN for part in inside)
