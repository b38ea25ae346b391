"""What is JSON-like data through and through, without messages in it: that is read as it is."""

from collections.abc import Sequence
from itertools import chain, repeat
from operator import contains
from typing import Any

from crux_langgraph._contract._endless import MOST_AT_ONCE, refuse_repeated
from crux_langgraph.compression._dumping import DEEPEST, SCALARS
from crux_langgraph.compression._levels import CONTAINERS, level_of

_NAMES = frozenset({str})
_MANY_LEVELS = 8


class Plainness:
    """Tells of the values of one payload whether they are plain.

    Where one is not, neither is anything that it stands in, and each of those is asked. Where it stands deep inside,
    they are not walked through again and again: then the answers for all that was walked through are remembered.
    """

    def __init__(self) -> None:
        self._deepest: dict[int, int] = {}
        self._kept: list[Any] = []  # so that no other value is given the number of one that is remembered

    def of(self, value: Any, depth: int) -> bool:
        """Whether a value is plain and, from this depth on, not nested too deep."""
        known = self._deepest.get(id(value))
        if known is not None:
            return depth <= known
        levels = _plain_levels(value, depth)
        if levels is not None and levels > _MANY_LEVELS:
            self._remember(value, depth)
        return levels is None

    def _remember(self, value: Any, depth: int) -> None:
        levels: list[list[Any]] = [[value]]
        for _ in range(depth, DEEPEST):
            levels.append([node for node in level_of(levels[-1]).inside() if type(node) in CONTAINERS])
        self._kept.append(levels)
        for node in chain.from_iterable(reversed(levels)):
            self._deepest[id(node)] = self._deepest_of(node)

    def _deepest_of(self, node: Any) -> int:
        """Give the depth down to which a record or list may stand and be plain; less than 0 when it is plain nowhere."""
        records, lists = level_of((node,))
        if not _are_data(records):
            return -1
        inside = chain.from_iterable(lists or (records[0].values(),))
        inner = [self._deepest.get(id(one), -1) - 1 for one in inside if type(one) not in SCALARS]
        return min(inner) if inner else DEEPEST


def _plain_levels(value: Any, depth: int) -> int | None:
    """Give how many levels of a value, which stands at this depth, are plain; None when all of them are.

    They are looked at level by level and not value by value: everything there is is looked at.
    """
    level: list[Any] = [value]
    first = depth
    seen, most = 0, MOST_AT_ONCE
    while level:
        here = level_of(level)
        if depth > DEEPEST or len(here.records) + len(here.lists) < len(level) or not _are_data(here.records):
            return depth - first
        seen += sum(map(len, here.records)) + sum(map(len, here.lists))
        if seen > most:
            refuse_repeated(value, level)
            most = 2 * seen
        level = [node for node in here.inside() if type(node) not in SCALARS]
        depth += 1
    return None


def _are_data(records: Sequence[dict[Any, Any]]) -> bool:
    named = _NAMES.issuperset(map(type, chain.from_iterable(records)))
    return named and not any(map(contains, records, repeat("content")))
