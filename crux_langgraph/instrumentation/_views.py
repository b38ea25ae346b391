"""What a run shows of a value: JSON within a number of bytes, made without walking through what is not shown."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from typing import Any, cast

from crux_langgraph._contract import EndlessError, refuse_endless
from crux_langgraph.instrumentation._sizes import json_bytes, json_text, rough_bytes

Plain = Callable[[Any], Any]
"""Gives a value of any class as a mapping, a list, or a JSON scalar."""

_REST = "…"
_ITEM_BYTES = 24
_VALUE = 2
"""Bytes that a value takes at least in JSON, with the comma behind it; a text or a key takes what it says besides."""
_LITTLE = 2048
"""Of data that goes on without end so many bytes say as much as more would."""
_MOST_KEY = 192
_MOST_NESTED = 64
_FRAME = 12
_PIECE = 65_536
_CONTAINERS = (dict, list)  # a union in its place takes several times as long to ask


class Sums:
    """SHA-256 sums that are made once: the same text often stands in the input and in the output."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[Any, str]] = {}

    def of(self, value: Any) -> str:
        """Give the sum of a text's UTF-8 bytes, or of the JSON text of other plain data."""
        # The value is kept beside its sum, so no other can come by its id.
        kept = self._made.get(id(value))
        if kept is None:
            kept = self._made[id(value)] = (value, _sum_of(value))
        return kept[1]


def _sum_of(value: Any) -> str:
    if not isinstance(value, str):
        return sha256(json_bytes(value)).hexdigest()
    summed = sha256()
    for start in range(0, len(value), _PIECE):  # no copy of the whole: its memory would take as long to get as the sum
        summed.update(value[start : start + _PIECE].encode("utf-8", "surrogatepass"))
    return summed.hexdigest()


def capped(value: Any, most_bytes: int, *, plain: Plain | None = None, sums: Sums | None = None) -> Any:
    """Give `value` as JSON data of at most `most_bytes` bytes: heads and tails of texts, first items and counts.

    `plain` reads values that are no JSON data; without it `value` must be such data already. With `sums` everything
    that is cut carries the SHA-256 sum of what it was.
    """
    is_larger = rough_bytes(value, most_bytes) > most_bytes
    if plain is None and not is_larger and _json_length(value) <= most_bytes:
        return value
    # Of what is too large anyway, quotes and brackets take the rest, so that few views are made twice.
    budget = most_bytes - most_bytes // 16 if is_larger or plain is None else most_bytes
    while True:
        try:
            view = _View(plain, sums, most_bytes if budget else sys.maxsize).of(value, budget, _MOST_NESTED)
            if _json_length(view) <= most_bytes or budget == 0:
                return view
        except _TooMuchError:
            if most_bytes > _LITTLE and _is_endless(value):
                return capped(value, _LITTLE, plain=plain, sums=sums)
        budget //= 2


def _is_endless(value: Any) -> bool:
    try:
        refuse_endless(value)
    except EndlessError:
        return True
    return False


def _json_length(value: Any) -> float:
    text = json_text(value)
    return float("inf") if text is None else len(text)


class _TooMuchError(Exception):
    """A view is too large, whatever else comes: what contains itself would go on and on."""


class _View:
    def __init__(self, plain: Plain | None, sums: Sums | None, most_bytes: int) -> None:
        self._plain = plain
        self._sums = sums
        self._left = most_bytes + 1  # behind the whole stands no comma

    def of(self, value: Any, budget: int, depth: int) -> Any:
        self._write(_VALUE)
        if self._plain is not None:
            value = self._plain(value)
        if isinstance(value, str):
            return self._text(value, budget)
        if not isinstance(value, _CONTAINERS):
            return value
        if (depth == 0 or budget <= 0) and value:
            return f"{_REST}[{self._told(value, len(cast('list[Any]', value)), 'items')}]"
        if isinstance(value, dict):
            return self._mapping(cast("dict[Any, Any]", value), budget, depth)
        return self._list(cast("list[Any]", value), budget, depth)

    def _write(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise _TooMuchError

    def _text(self, text: str, budget: int) -> str:
        shown = self._cut(text, budget)
        self._write(len(shown))
        return shown

    def _cut(self, text: str, budget: int) -> str:
        if len(text) <= budget and (text.isascii() or len(text.encode("utf-8", "surrogatepass")) <= budget):
            return text if text.isascii() else _sound(text)
        told = self._told(text, len(text), "characters")
        kept = max(budget - len(told) - _FRAME, 0) // (2 if text.isascii() else 8)
        return _sound(f"{text[:kept]}{_REST}[{told}]{_REST}{text[len(text) - kept :]}")

    def _mapping(self, value: dict[Any, Any], budget: int, depth: int) -> dict[str, Any]:
        shown = {
            self._text(str(key), _MOST_KEY): self.of(item, share, depth - 1)
            for key, item, share in _shares(value.items(), len(value), budget)
        }
        if len(shown) < len(value):
            shown[_REST] = self._more(value, len(shown), "keys")
        return shown

    def _list(self, value: list[Any], budget: int, depth: int) -> list[Any]:
        numbered = enumerate(value)
        shown = [self.of(item, share, depth - 1) for _, item, share in _shares(numbered, len(value), budget)]
        if len(shown) < len(value):
            shown.append({_REST: self._more(value, len(shown), "items")})
        return shown

    def _more(self, value: Any, shown: int, kind: str) -> str:
        return f"{len(value) - shown:,} more, of " + self._told(value, len(value), kind)

    def _told(self, value: Any, count: int, kind: str) -> str:
        told = f"{count:,} {kind}"
        return told if self._sums is None else f"{told}, sha256 {self._sums.of(value)}"


def _sound(text: str) -> str:
    # A lone surrogate, also one that a cut made, is no UTF-8: LangSmith's client would drop the whole run.
    return text.encode("utf-8", "replace").decode()


def _shares(items: Iterable[tuple[Any, Any]], count: int, budget: int) -> Iterator[tuple[Any, Any, int]]:
    """Give the items that are shown, each with its share of the bytes: what one does not use goes to those after it."""
    shown = min(count, max(budget // _ITEM_BYTES, 1))
    left, to_come = budget, shown
    for key, item in islice(items, shown):
        width = len(key) if isinstance(key, str) else len(str(key))
        share = max(left // to_come - width, 0)
        yield key, item, share
        left -= width + min(share, len(item) if isinstance(item, str) else _rough_bytes(item))
        to_come -= 1


def _rough_bytes(item: Any) -> int:
    return _ITEM_BYTES * len(cast("Sequence[Any]", item)) if isinstance(item, _CONTAINERS) else _ITEM_BYTES
