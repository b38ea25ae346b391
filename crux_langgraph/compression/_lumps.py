"""JSON text in lumps: a tree is written once, and cut where it can be read piece by piece."""

from collections.abc import Collection, Iterator
from itertools import islice, repeat
from json import JSONEncoder
from typing import Any, cast

from crux_langgraph.compression._levels import CONTAINERS
from crux_langgraph.compression._tree import Marked, as_json

WANTED = 300
"""Characters of a lump, about."""
LONGEST = 1200
_MOST_ENTRIES = 64
_MOST_LEVELS = 16
_TRIED = 4
_TOGETHER = 64
_BETWEEN = "\x00"
_SEAM = ', "\\u0000", '
# A tree is never deeper than its reader goes, so no cycle is in it: to look for one takes a fifth of the time.
_encode = JSONEncoder(ensure_ascii=False, check_circular=False).encode


Lump = tuple[int, Any, str | None]
"""Neighbouring entries of a record or list, with where the first stands, and their JSON without brackets around it.

There is no text where it is one entry that is too long for a lump, or holds more than JSON.
"""


class Dump:
    """Writes trees as JSON, and keeps the lumps of their records and lists."""

    def __init__(self) -> None:
        self._lumps: dict[int, tuple[object, list[Lump]]] = {}

    def lumps(self, node: object) -> list[Lump] | None:
        """Give the lumps of a record or list that was written; None for what is too small, or no such thing."""
        kept = self._lumps.get(id(node))
        return None if kept is None else kept[1]

    def text(self, node: Any, depth: int = 0) -> str:
        """Give a node as JSON text that keeps every character; what is nested too deep has no lumps."""
        if type(node) is Marked:
            return self.text(node.value, depth)
        if type(node) not in CONTAINERS or not node or depth > _MOST_LEVELS:
            return as_json(node)
        lumps: list[Lump] = []
        self._lumps[id(node)] = node, lumps  # with the node itself, so that no other one is given its number
        written: list[str] = []
        at = 0
        for entries, text in _texts(_cut(node, _step(node))):
            if text is None:
                written.extend(self._apart(entries, at, lumps, depth + 1))
            else:
                lumps.append((at, entries, text))
                written.append(text)
            at += len(entries)
        return _closed(node, ", ".join(written))

    def _apart(self, entries: Any, at: int, lumps: list[Lump], depth: int) -> Iterator[str]:
        """Write entries that are too long for one lump one by one."""
        for number, entry in enumerate(_cut(entries, 1), at):
            text = _text(entry) if len(entries) > 1 else None
            lumps.append((number, entry, text))
            yield self._alone(entry, depth) if text is None else text

    def _alone(self, entries: Any, depth: int) -> str:
        if type(entries) is list:
            return self.text(entries[0], depth)
        ((name, entry),) = entries.items()
        return f"{_encode(name)}: {self.text(entry, depth)}"


def _closed(node: Any, body: str) -> str:
    return f"{{{body}}}" if type(node) is dict else f"[{body}]"


def _step(node: Any) -> int:
    """Say how many entries make a lump, by some of them: where the first are long, others may not be."""
    entries = cast("list[Any]", node) if type(node) is list else list(cast("dict[str, Any]", node).items())
    return max(_fitting(entries[at : at + _TRIED]) for at in (0, len(entries) // 2))


def _fitting(sample: list[Any]) -> int:
    """Say how many such entries make a lump; no more of them are written than make one."""
    size = tried = 0
    while tried < len(sample) and size < WANTED:
        text = _text(sample[tried : tried + 1])
        size += LONGEST if text is None else len(text) + len(", ")
        tried += 1
    return max(1, min(_MOST_ENTRIES, WANTED * tried // size))


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


def _texts(cut: Iterator[Any]) -> Iterator[tuple[Any, str | None]]:
    """Give all entries with their text, written together as long as they are as short as those before them."""
    short = False
    while several := list(islice(cut, _TOGETHER if short else 1)):
        texts = _written(several) if short else [_text(several[0])]
        short = None not in texts
        yield from zip(several, texts, strict=True)


def _written(several: list[Any]) -> list[str | None]:
    """Write entries at once, and part them again at what is put between them; a payload may hold that, too."""
    parted: list[Any] = [_BETWEEN] * (2 * len(several) - 1)
    parted[::2] = several
    try:
        texts = _encode(parted)[1:-1].split(_SEAM)
    except TypeError:
        texts = []
    if len(texts) != len(several):
        return list(map(_text, several))
    return [text[1:-1] if len(text) <= LONGEST else None for text in texts]


def _text(entries: Any) -> str | None:
    """Write entries without brackets; None for what is too long, or holds more than JSON."""
    if _is_wide(entries):
        return None
    try:
        text = _encode(entries)
    except TypeError:
        return None
    return text[1:-1] if len(text) <= LONGEST else None


def _is_wide(node: Any, depth: int = 0) -> bool:
    """Whether a record or list has many entries at any level, or many levels: it is not written to be thrown away."""
    inner: Collection[Any] = cast("dict[str, Any]", node).values() if type(node) is dict else node
    nested = [entry for entry in inner if type(entry) in CONTAINERS]
    return max(len(inner), depth) > _MOST_ENTRIES or any(map(_is_wide, nested, repeat(depth + 1)))
