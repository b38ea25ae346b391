"""A document of which little is read yet: of a payload far larger than its budget, walking every value costs most.

What is not read stands in it in lumps of some hundred characters, as the text that it has in JSON. That tells which
lumps are worth reading, and those are walked as in a small payload.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any, cast

from crux_langgraph.compression._lumps import LONGEST, WANTED, Dump, Lump
from crux_langgraph.compression._scalars import is_empty, opens_json, parsed
from crux_langgraph.compression._tree import Marked
from crux_langgraph.compression._turns import Conversation
from crux_langgraph.compression._units import KIND, LINE, Document, Kind, Row
from crux_langgraph.compression._walking import Walker, fill

_LARGEST = 2 * WANTED
_SENTENCE_END = re.compile(r"\n|[.!?;](?=\s+[A-Z\"'(\[])|[\u3002\uff01\uff1f]")


class _Held(str):
    """A text that holds JSON which is not parsed yet."""

    __slots__ = ()


class _Sketcher(Walker):
    """Walks the outlines of a tree, and leaves in lumps what is inside."""

    def __init__(self, document: Document, dump: Dump) -> None:
        super().__init__(document)
        self._dump = dump
        self._asks = True

    def value(self, node: Any, label: str, part: int) -> None:
        """Walk any value; of a record or list that was written in lumps, each lump is for later."""
        if type(node) is Marked:
            node, part = self._unmarked(node, label, part)
        lumps = None if self._pinned(part) else self._dump.lumps(node)
        if type(node) is _Held:
            self.document.defer(node, part, (Walker.text, (str(node), f"{label}: " if label else "", label, part)))
        elif lumps is None:
            super().value(node, label, part)
        elif type(node) is dict:
            self._sketch_record(lumps, f"{label}." if label else "", part)
        else:
            self._sketch_list(node, lumps, label, part)

    def _sketch_record(self, lumps: list[Lump], label: str, part: int) -> None:
        self.document.structured = True
        for _, entries, text in lumps:
            if text is None or _says_nothing(entries):
                self.record(entries, label, part)
            else:
                self.document.defer(_read(text), part, (Walker.record, (entries, label, part)))

    def _sketch_list(self, items: list[Any], lumps: list[Lump], label: str, part: int) -> None:
        self.document.structured = True
        shape = self._shape(items, part)
        for start, entries, text in lumps:
            if text is None or (shape is None and all(map(_says_nothing, entries))):
                self.items(entries, start, shape, label, part)
            else:
                self.document.defer(_read(text), part, (Walker.items, (entries, start, shape, label, part)))

    def conversation(self, turns: Conversation, label: str, part: int) -> None:
        """Walk messages; what is JSON in them is only asked where nothing else says that they are more than talk."""
        self._asks = not any(turn.calls for turn in turns)
        super().conversation(turns, label, part)
        self._asks = True

    def held(self, text: str) -> Any:
        """Give what a text holds as JSON, not parsed when it is short; None when it holds none."""
        if len(text) <= LONGEST:
            return _Held(text) if opens_json(text) and (not self._asks or _is_json(text)) else None
        held = parsed(text)
        if held is not None:
            self._dump.text(held)
        return held

    def prose(self, text: str, label: str, part: int, kind: Kind, glue: str | None = None) -> None:
        """Leave lines and sentences for later; what is pinned is walked."""
        if self._pinned(part):
            super().prose(text, label, part, kind, glue)
            return
        for between, piece in _slices(text):
            self.document.defer(piece, part, (Walker.prose, (piece, label, part, kind, between)))


def sketch_of(root: Any, dump: Dump) -> Document:
    """Cut a tree that was written by `dump` into units, most of them unread."""
    document = Document()
    fill(document, _Sketcher(document, dump), root)
    return document


def read_units(sketch: Document, chosen: Collection[int]) -> tuple[Document, list[int]]:
    """Give the document with some of its units read, and the new place of each unit, with one more behind the last."""
    document, walker = _empty_copy(sketch)
    rows = document.rows
    places: list[int] = []
    for at, row in enumerate(sketch.rows):
        places.append(len(rows))
        if row[KIND] != "unread" or at not in chosen:
            rows.append(row)
            continue
        document.line = row[LINE]
        _walk(sketch, at, walker)
    places.append(len(rows))
    for at, needed in sketch.needs.items():
        document.needs.update(dict.fromkeys(range(places[at], places[at + 1]), places[needed]))
    document.results.update({places[call]: places[first] for call, first in sketch.results.items()})
    return document, places


def read_alone(sketch: Document, units: Iterable[int]) -> Iterator[Row]:
    """Give what some units are when they are read, each when it is asked for."""
    document, walker = _empty_copy(sketch)
    for at in units:
        if at in sketch.unread:
            document.rows.clear()
            _walk(sketch, at, walker)
            yield from document.rows
        else:
            yield sketch.rows[at]


def _walk(sketch: Document, at: int, walker: Walker) -> None:
    walks, arguments = sketch.unread[at]
    walks(walker, *arguments)


def _empty_copy(sketch: Document) -> tuple[Document, Walker]:
    """Give a document with the fields and lines of a sketch and no units, and what fills it."""
    document = Document(
        parts=sketch.parts,
        lines=sketch.lines,
        keys=set(sketch.keys),
        structured=sketch.structured,
        spoken=sketch.spoken,
    )
    return document, Walker(document)


def _read(text: str) -> str:
    """Give JSON text with words that are not glued to the signs for new lines."""
    return text.replace("\\n", " ")


def _says_nothing(node: Any) -> bool:
    """Whether nothing but void units comes of it: what is nowhere shown takes no gap, and no room in what is read."""
    return is_empty(node) or (type(node) is dict and all(map(_says_nothing, cast("dict[str, Any]", node).values())))


def _is_json(text: str) -> bool:
    try:
        return bool(json.loads(text))
    except (ValueError, RecursionError):
        return False


def _slices(text: str) -> Iterator[tuple[str | None, str]]:
    """Cut text at the ends of lines and sentences into `(glue, slice)`; there is no glue where a line begins."""
    at, glue = 0, None
    while at < len(text):
        end, behind = _end(text, at)
        piece = text[at:end]
        if not piece.isspace():
            yield glue, piece
        at, glue = end, behind


def _end(text: str, at: int) -> tuple[int, str | None]:
    if len(text) - at <= _LARGEST:
        return len(text), None
    end = _SENTENCE_END.search(text, at + WANTED, at + _LARGEST)
    if end is not None:
        sign = end.group()
        return end.end(), None if "\n" in (sign, text[end.end()]) else " " if sign.isascii() else ""
    space = text.rfind(" ", at + 1, at + _LARGEST + 1)
    if space > 0:
        return space, " "
    around = text[at + _LARGEST - 1 : at + _LARGEST + 1]
    return at + _LARGEST, None if "\n" in around else " " if any(map(str.isspace, around)) else ""
