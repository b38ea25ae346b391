"""Data by its levels of nesting: all values of one level are looked at together, which is quicker than one by one."""

from collections.abc import Iterator, Sequence
from itertools import chain
from operator import methodcaller
from typing import Any, NamedTuple

CONTAINERS = frozenset({dict, list})
_VALUES = methodcaller("values")


class Level(NamedTuple):
    """The records and the lists of one level."""

    records: list[dict[Any, Any]]
    lists: list[list[Any]]

    def inside(self) -> Iterator[Any]:
        """Give everything in them: the next level, and what is no container."""
        return chain.from_iterable(chain(map(_VALUES, self.records), self.lists))


def level_of(nodes: Sequence[Any]) -> Level:
    """Part values into records and lists; what is neither is in none of the two."""
    return Level([node for node in nodes if type(node) is dict], [node for node in nodes if type(node) is list])
