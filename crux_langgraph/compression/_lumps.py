"""JSON text in lumps: a tree is written once, and cut where it can be read piece by piece."""

from collections.abc import Collection, Iterator
from itertools import islice
from json import JSONEncoder
from typing import Any, NamedTuple, cast

from crux_langgraph.compression._tree import Marked, as_json

WANTED = 300
"""Characters of a lump, about."""
LONGEST = 1200
_MOST_ENTRIES = 64
_TRIED = 4
_CONTAINERS = frozenset({dict, list})
_encode = JSONEncoder(ensure_ascii=False).encode


class Lump(NamedTuple):
    """Neighbouring entries of one record or list, the first at `start`, and their JSON without brackets around it.

    There is no text where it is one entry that is too long for a lump, or holds more than JSON.
    """

    start: int
    entries: Any
    text: str | None


class Dump:
    """Writes trees as JSON, and keeps the lumps of their records and lists."""

    def __init__(self) -> None:
        self._lumps: dict[int, tuple[object, list[Lump]]] = {}

    def lumps(self, node: object) -> list[Lump] | None:
        """Give the lumps of a record or list that was written; None for what is too small, or no such thing."""
        kept = self._lumps.get(id(node))
        return None if kept is None else kept[1]

    def text(self, node: Any) -> str:
        """Give a node as JSON text that keeps every character."""
        if type(node) is Marked:
            return self.text(node.value)
        if type(node) not in _CONTAINERS or not node:
            return as_json(node)
        lumps: list[Lump] = []
        self._lumps[id(node)] = node, lumps  # with the node itself, so that no other one is given its number
        written: list[str] = []
        at = 0
        for entries in _cut(node, _step(node)):
            written.extend(self._written(entries, at, lumps))
            at += len(entries)
        return _closed(node, ", ".join(written))

    def _written(self, entries: Any, at: int, lumps: list[Lump]) -> Iterator[str]:
        """Write some entries as one lump, or one by one when that is too long."""
        text = _text(entries)
        if text is not None and len(text) <= LONGEST:
            lumps.append(Lump(at, entries, text))
            yield text
        elif len(entries) > 1:
            for number, one in enumerate(_cut(entries, 1), at):
                yield from self._written(one, number, lumps)
        else:
            lumps.append(Lump(at, entries, None))
            yield self._alone(entries)

    def _alone(self, entries: Any) -> str:
        if type(entries) is list:
            return self.text(entries[0])
        ((name, entry),) = entries.items()
        return f"{_encode(name)}: {self.text(entry)}"


def _closed(node: Any, body: str) -> str:
    return f"{{{body}}}" if type(node) is dict else f"[{body}]"


def _step(node: Any) -> int:
    """Say how many entries make a lump, by the first of them."""
    first = next(_cut(node, _TRIED))
    text = _text(first)
    return 1 if text is None else max(1, min(_MOST_ENTRIES, WANTED * len(first) // len(text)))


def _cut(node: Any, step: int) -> Iterator[Any]:
    """Give the entries of a record or list in records or lists of `step` entries."""
    if type(node) is list:
        items = cast("list[Any]", node)
        for at in range(0, len(items), step):
            yield items[at : at + step]
    else:
        fields = iter(cast("dict[str, Any]", node).items())
        while part := dict(islice(fields, step)):
            yield part


def _text(entries: Any) -> str | None:
    """Write entries without brackets; None for what is plainly too much, or holds more than JSON."""
    if _is_wide(entries):
        return None
    try:
        return _encode(entries)[1:-1]
    except TypeError:
        return None


def _is_wide(node: Any) -> bool:
    """Whether a record or list has many entries at any level: it is not written only to be thrown away."""
    inner: Collection[Any] = cast("dict[str, Any]", node).values() if type(node) is dict else node
    nested = [entry for entry in inner if type(entry) in _CONTAINERS]
    return len(inner) > _MOST_ENTRIES or any(map(_is_wide, nested))
