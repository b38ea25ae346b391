"""From a tree to units in document order: labelled values, rows of tables, lines and sentences."""

import re
from typing import Any, Literal, cast

from crux_langgraph.compression._prose import pieces
from crux_langgraph.compression._scalars import Number, cells, is_empty, key, parsed, scalar
from crux_langgraph.compression._talking import Talk
from crux_langgraph.compression._tree import Marked, Marks
from crux_langgraph.compression._turns import Conversation
from crux_langgraph.compression._units import Document, Kind, Part

_TEXTS = frozenset({str, Number})
_ATOMS = _TEXTS | {int, float, bool}
_BARE = frozenset({Number, int, float, bool, type(None)})
_INDEX = re.compile(r"\[\d+\]")
_PACK = 20
_LIST_PACK = 100
_LONG = 200
_MOST_FIELDS = 64
_MOST_LEVELS = 3
_FEWEST_ROWS = 2


Shape = tuple[str, ...] | Literal["series"] | None
"""What a list is: records with these keys, short values, or anything."""


class _Names(dict[str, str]):
    """What stands before a value for its name, made once; the names are kept as the document's keys."""

    def __init__(self, keys: set[str]) -> None:
        super().__init__()
        self._keys = keys

    def __missing__(self, name: str) -> str:
        self._keys.add(name)
        opening = self[name] = f"{key(name)}: "
        return opening


class Walker:
    """Fills a document with the units of a tree."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._parts: dict[str, int] = {}
        self._names = _Names(document.keys)

    def part(self, path: str, source: Any, marks: Marks, above: int | None = None) -> int:
        """Give the number of the part at a path; what is above it hands down its pin, weight and order."""
        if path not in self._parts:
            outer = Part("", []) if above is None else self.document.parts[above]
            self._parts[path] = len(self.document.parts)
            self.document.parts.append(
                Part(
                    path,
                    [],
                    pinned=marks.pin or outer.pinned,
                    weight=marks.weight * outer.weight,
                    order=marks.order or outer.order,
                )
            )
        number = self._parts[path]
        self.document.parts[number].sources.append(source)
        return number

    def fields(self, record: dict[str, Any], names: tuple[str, ...], above: int | None) -> None:
        """Walk a record whose fields are parts of their own; `names` lead to it."""
        label = "".join(f"{key(name)}." for name in names)
        for name, item in record.items():
            node, marks = _opened(item)
            part = self.part(".".join((*names, name)), node, marks, above)
            if _is_record(node) and len(names) < _MOST_LEVELS:
                self.fields(node, (*names, name), part)
            else:
                self._entry(name, node, label, part, ", " if names else "\n")

    def value(self, node: Any, label: str, part: int) -> None:
        """Walk any value; `label` is its name, empty for what has none."""
        if type(node) is Marked:
            node, part = self._unmarked(node, label, part)
        if is_empty(node):
            self.document.add(scalar(node) if label else "", "\n", _named(label), part, "void")
        elif isinstance(node, Conversation):
            self.conversation(node, f"{label}." if label else "", part)
        elif isinstance(node, dict):
            self.document.structured = True
            self.record(cast("dict[str, Any]", node), f"{label}." if label else "", part)
        elif isinstance(node, list):
            self._list(cast("list[Any]", node), label, part)
        elif isinstance(node, str):
            self.text(node, _named(label), label, part)
        else:
            self.document.add(scalar(node), "\n", _named(label), part, "scalar")

    def conversation(self, turns: Conversation, label: str, part: int) -> None:
        """Walk messages, each on a line of its own."""
        Talk(self.document, part, self).add(turns, label)
        self.document.open("")

    def _unmarked(self, node: Marked, label: str, part: int) -> tuple[Any, int]:
        """Take the metadata off a node; inside a list it makes a part of all items' fields of that name."""
        return node.value, self.part(_without_numbers(label), node.value, node.marks, part)

    def record(self, record: dict[str, Any], label: str, part: int, glue: str = ", ") -> None:
        """Walk the entries of a record; `label` leads to them."""
        pack: list[str] = []
        size = 0
        names = self._names
        packs = not self._pinned(part)
        for name, item in record.items():
            if packs and type(item) in _ATOMS and (type(item) not in _TEXTS or 0 < len(item) <= _LONG):
                entry = names[name] + scalar(item)
                pack.append(entry)
                size += len(entry)
                if size > _PACK:
                    size, glue = self._flush(pack, label, part, glue), ", "
                continue
            node, own = (item, part) if type(item) is not Marked else self._unmarked(item, f"{label}{name}", part)
            size = self._flush(pack, label, part, glue)
            self._entry(name, node, label, own, ", ")
            glue = ", "
        self._flush(pack, label, part, glue)

    def _entry(self, name: str, node: Any, label: str, part: int, glue: str) -> None:
        if is_empty(node):
            self.document.add(f"{self._names[name]}{scalar(node)}", glue, label, part, "void")
        elif self._pinned(part) and isinstance(node, str):
            self.document.add(f"{self._names[name]}{node}", glue, label, part, "prose")
        elif _is_short(node):
            self.document.add(f"{self._names[name]}{scalar(node)}", glue, label, part, "scalar")
        elif _repeats(name, node):
            self.record(node, label, part, "; ")
        else:
            self.value(node, f"{label}{key(name)}", part)

    def _flush(self, pack: list[str], label: str, part: int, glue: str = ", ") -> int:
        if pack:
            self.document.add(pack[0] if len(pack) == 1 else ", ".join(pack), glue, label, part, "scalar")
            pack.clear()
        return 0

    def _list(self, items: list[Any], label: str, part: int) -> None:
        self.document.structured = True
        shape = self._shape(items, part)
        if shape is not None:
            self.items(items, 0, shape, label, part)
            return
        for at, item in enumerate(items):  # here and not by items(): each level of a deep list would take one call more
            self.value(item, f"{label}[{at}]", part)

    def _shape(self, items: list[Any], part: int) -> Shape:
        columns = None if self._pinned(part) else _columns(items)
        return columns if columns is not None else "series" if all(map(_is_short, items)) else None

    def items(self, items: list[Any], start: int, shape: Shape, label: str, part: int) -> None:
        """Walk neighbouring items of a list of this shape, the first of them at `start`."""
        if shape is None:
            for at, item in enumerate(items, start):
                self.value(item, f"{label}[{at}]", part)
        elif shape == "series":
            self._series(items, _named(label), part)
        else:
            self._table(items, shape, label, part)

    def _series(self, items: list[Any], label: str, part: int) -> None:
        pack: list[str] = []
        size = 0
        pinned = self._pinned(part)
        for item in items:
            pack.append(item if pinned and isinstance(item, str) else scalar(item))
            size += len(pack[-1])
            if size > _LIST_PACK:
                size = self._flush(pack, label, part)
        self._flush(pack, label, part)

    def _table(self, rows: list[dict[str, Any]], columns: tuple[str, ...], label: str, part: int) -> None:
        header = f"{label}[{' | '.join(map(key, columns))}]\n"
        for row in rows:
            self.document.add(cells(row.values()), "\n", header, part, "row")

    def text(self, text: str, label: str, name: str, part: int) -> None:
        """Walk a string: as what it holds when that is JSON, else as prose."""
        if self._pinned(part):
            self.document.add(text, "\n", label, part, "prose")
            return
        held = self.held(text)
        if held is None:
            self.prose(text, label, part, "prose")
        else:
            self.document.structured = True
            self.value(held, name, part)

    def held(self, text: str) -> Any:
        """Give what a text holds as JSON; None when it holds none."""
        return parsed(text)

    def prose(self, text: str, label: str, part: int, kind: Kind, glue: str | None = None) -> None:
        """Walk lines and sentences; what is pinned is not cut. `glue` parts the first from what is before it."""
        if self._pinned(part):
            self.document.add(text, "\n", label, part, "prose")
            return
        for between, piece in pieces(text):
            self.document.add(piece, between if glue is None else glue, label, part, kind)
            glue = None

    def _pinned(self, part: int) -> bool:
        return self.document.parts[part].pinned


def document_of(root: Any) -> Document:
    """Cut a tree into units."""
    document = Document()
    fill(document, Walker(document), root)
    return document


def fill(document: Document, walker: Walker, root: Any) -> None:
    """Walk a tree from its root."""
    document.open("")
    if _is_record(root):
        document.structured = True
        walker.fields(root, (), None)
    else:
        walker.value(root, "", walker.part("", root, Marks()))


def _without_numbers(label: str) -> str:
    return _INDEX.sub("[]", label)


def _opened(item: Any) -> tuple[Any, Marks]:
    return (item.value, item.marks) if isinstance(item, Marked) else (item, Marks())


def _is_record(node: Any) -> bool:
    return isinstance(node, dict) and 0 < len(cast("dict[str, Any]", node)) <= _MOST_FIELDS


def _repeats(name: str, node: Any) -> bool:
    """Whether a record says by which name it is known: the name need not be said twice."""
    return isinstance(node, dict) and name in cast("dict[str, Any]", node).values()


def _is_short(node: Any) -> bool:
    if isinstance(node, str):
        return len(node) <= _LONG
    return node is None or isinstance(node, int | float) or (isinstance(node, dict | list) and not node)


def _named(label: str) -> str:
    return f"{label}: " if label else ""


def _columns(items: list[Any]) -> tuple[str, ...] | None:
    """Give the keys of records that make a table: at least two, of the same keys, with nothing but short values."""
    first: object = items[0]
    if len(items) < _FEWEST_ROWS or not isinstance(first, dict) or not first:
        return None
    columns = tuple(cast("dict[str, Any]", first))
    return columns if all(_is_row(item, columns) for item in items) else None


def _is_row(item: object, columns: tuple[str, ...]) -> bool:
    if not isinstance(item, dict):
        return False
    record = cast("dict[str, Any]", item)
    values = record.values()
    return tuple(record) == columns and (_BARE.issuperset(map(type, values)) or all(map(_is_short, values)))
