"""The value as a tree that may be shown: models taken apart, private fields gone, each field's metadata beside it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Literal, cast, get_origin

from pydantic import BaseModel

from crux_langgraph._contract._annotations import (
    bare,
    is_mark,
    is_root,
    metadata_of_members,
)
from crux_langgraph._contract._endless import refuse_endless
from crux_langgraph.compression._declared import argument, declaration, fields_of, of_type, remembered
from crux_langgraph.compression._dumping import (
    DEEPEST,
    GONE,
    SCALARS,
    as_data,
    is_named_tuple,
    is_record,
    is_series,
)
from crux_langgraph.compression._levels import CONTAINERS
from crux_langgraph.compression._plainness import Plainness
from crux_langgraph.compression._turns import Conversation, Turn, conversation_in
from crux_langgraph.compression._unasked import Writer, key_writer, union_writer, written_fields
from crux_langgraph.fields import MASK, Fit, Omit, Pin


@dataclass(frozen=True, slots=True)
class Marks:
    """What a field's metadata says about it. All of them default to what a field without metadata has."""

    pin: bool = False
    omit: bool = False
    weight: float = 1.0
    order: Literal["first", "last"] | None = None
    summarize: bool | None = None

    def __bool__(self) -> bool:
        return self != _UNMARKED


_UNMARKED = Marks()


@dataclass(frozen=True, slots=True)
class Marked:
    """A subtree whose field carries metadata."""

    value: Any
    marks: Marks


@dataclass(frozen=True, slots=True)
class Tree:
    """JSON-like data whose nodes may also be `Marked` or a `Conversation`; `omitted` holds paths and their JSON."""

    root: Any
    omitted: tuple[tuple[str, str], ...]

    def text(self, indent: int | None = None) -> str:
        """Give the whole of it: text as it is, messages as lines, everything else as JSON."""
        return str(self.root) if isinstance(self.root, str | Conversation) else as_json(self.root, indent)


def as_json(node: Any, indent: int | None = None) -> str:
    """Write a node as JSON text that keeps every character."""
    return json.dumps(node, ensure_ascii=False, indent=indent, default=_plain)


def _plain(node: Any) -> Any:
    if isinstance(node, Marked):
        return node.value
    return str(node) if isinstance(node, Turn) else as_data(node)


def read(value: object) -> Tree:
    """Give a model, messages, JSON-like data or text as a tree. What is private is not in it; a tree stays as it is.

    Raises `EndlessError` for data that cannot be written in full; of a model it is known that it can.
    """
    if isinstance(value, Tree):
        return value
    reader = _Reader()
    root = reader.read(value, "", 0)
    return Tree(None if root is GONE else root, tuple(reader.omitted))


def plain(value: Any) -> Any:
    """Give any value as JSON-like data, without metadata and without what is private or omitted."""
    return json.loads(read(value).text()) if not isinstance(value, str) else value


class _Reader:
    def __init__(self) -> None:
        self.omitted: list[tuple[str, str]] = []
        self._plainness = Plainness()

    def read(self, value: Any, path: str, depth: int) -> Any:
        """Read what was not dumped yet."""
        if type(value) in SCALARS or self._plainness.of(value, depth):
            return value
        kind = cast("Any", type(value))
        if kind not in CONTAINERS and is_record(value):
            return self.pair(value, as_data(value), kind, path, depth)
        leaf = _leaf(value, value, depth, strict=depth > 0)
        return self._inside(value, path, depth) if leaf is None else leaf

    def _inside(self, value: Any, path: str, depth: int) -> Any:
        if depth == 0:
            refuse_endless(value)
        if isinstance(value, Mapping):
            entries = cast("Mapping[Any, Any]", value).items()
            named = ((_name(key, str(key)), item) for key, item in entries)
            read = {name: self.read(item, _under(path, name), depth + 1) for name, item in named}
            return {name: node for name, node in read.items() if node is not GONE}
        if is_series(value):
            nodes = [self.read(item, f"{path}[]", depth + 1) for item in cast("Iterable[Any]", value)]
            return _ordered(value, [node for node in nodes if node is not GONE])
        return as_data(value)

    def pair(self, value: Any, dumped: Any, annotation: Any, path: str, depth: int) -> Any:
        """Walk a value and its dump side by side: the dump says what is shown, the value's types what it may lose."""
        kind = cast("Any", type(value))
        if type(dumped) in SCALARS and (kind in SCALARS or not is_root(kind)):
            return dumped
        if is_root(kind):
            return self._marked(value.root, dumped, fields_of(kind)["root"], path, depth)
        leaf = _leaf(value, dumped, depth, strict=True)
        if leaf is not None:
            return leaf
        if is_record(value):
            own = declaration(value, annotation)
            if own is not bare(annotation):  # pydantic masks only what is declared, and in a union not what is derived
                dumped = as_data(value, get_origin(own) or own)
            annotation = own
        if isinstance(dumped, dict):
            return self._fields(value, cast("dict[str, Any]", dumped), annotation, path, depth)
        return self._items(value, cast("list[Any]", dumped), annotation, path, depth)

    def _fields(self, value: Any, dumped: dict[str, Any], annotation: Any, path: str, depth: int) -> dict[str, Any]:
        kind = type(value) if isinstance(value, BaseModel) else of_type(annotation, dict)
        declared = fields_of(kind)
        inside = argument(kind, -1)
        shown: dict[str, Any] = {}
        names = self._names(value, dumped, annotation, path, depth)
        entries = zip(dumped.items(), names, _parts(value, dumped), strict=True)
        for (written, item), name, part in entries:
            node = self._marked(part, item, declared.get(written, inside), _under(path, name), depth)
            if node is not GONE:
                shown[name] = node
        return shown

    def _names(self, value: Any, dumped: Mapping[str, Any], annotation: Any, path: str, depth: int) -> Iterable[str]:
        """Give the name of each entry of the dump."""
        if not isinstance(value, Mapping):
            return dumped
        facts = cast("Mapping[Any, Any]", value)
        known = len(facts) == len(dumped)
        hiding = key_writer(annotation)
        if hiding is None:
            return map(_name, facts if known else dumped, dumped)
        key, writer = hiding
        return (
            (_written(self._marked(fact, writer.write(fact), key, path, depth)) for fact in facts)
            if known
            else repeat(MASK, len(dumped))
        )

    def _items(self, value: Any, dumped: list[Any], annotation: Any, path: str, depth: int) -> list[Any]:
        kind = of_type(annotation, list)
        values = list(cast("Iterable[Any]", value)) if is_series(value) else []
        paired = values if len(values) == len(dumped) else dumped
        if is_named_tuple(type(value)) and paired is values:
            kind = kind if get_origin(kind) is type(value) else cast("Any", type(value))
            dumped = written_fields(values, dumped, kind)
        named = list(fields_of(kind).values())  # those of a NamedTuple, whose JSON is a list
        nodes = [
            self._marked(one, item, named[at] if at < len(named) else argument(kind, at), f"{path}[]", depth)
            for at, (one, item) in enumerate(zip(paired, dumped, strict=True))
        ]
        return _ordered(value, [node for node in nodes if node is not GONE])

    def _marked(self, value: Any, dumped: Any, annotation: Any, path: str, depth: int) -> Any:
        marks, union = _told(annotation)
        if union is not None and value is not None:
            dumped = union.write(value)
        if isinstance(dumped, str) and dumped == GONE:
            return GONE
        node = self.pair(value, dumped, annotation, path, depth + 1)
        if marks.omit:
            self.omitted.append((path, as_json(node)))
            return GONE
        return Marked(node, marks) if marks else node


def _leaf(value: Any, dumped: Any, depth: int, *, strict: bool) -> Any:
    """Give what is not walked into: messages, and what is nested too deep."""
    conversation = conversation_in(value, strict=strict, plain=plain)
    return _flat(value, dumped) if conversation is None and depth > DEEPEST else conversation


def _under(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _ordered(value: Any, nodes: list[Any]) -> list[Any]:
    """A set has no order of its own, and the one it shows depends on the hash seed: its nodes stand by their text."""
    return sorted(nodes, key=as_json) if isinstance(value, set | frozenset) else nodes


def _flat(value: Any, dumped: Any) -> str:
    """Give what is nested too deep to be walked as its text, unless something in it could be private unseen."""
    try:
        return "…" if _holds_record(value) else as_json(dumped).replace(as_json(GONE), as_json(MASK))
    except RecursionError:
        return "…"


def _holds_record(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_record, cast("Mapping[Any, Any]", value).values()))
    return is_record(value) or (is_series(value) and any(map(_holds_record, cast("Iterable[Any]", value))))


def _parts(value: Any, dumped: Mapping[str, Any]) -> Iterable[Any]:
    """Give what each entry of the dump was made from; a serializer of the user's own may leave nothing to find."""
    if isinstance(value, Mapping):
        facts = cast("Mapping[Any, Any]", value)
        return facts.values() if len(facts) == len(dumped) else map(facts.get, dumped)
    return [getattr(value, name, None) for name in dumped]


def _written(node: Any) -> str:
    """Give what was read of a key as text."""
    if node is GONE:
        return MASK
    return node if isinstance(node, str) else as_json(node)


def _name(key: Any, written: str) -> str:
    """Give a key as text: what is private in it is not in its text."""
    if type(key) in SCALARS or not _holds_record(key):
        return written.replace(GONE, MASK) if GONE in written else written
    return read(key).text()


@remembered
def _told(annotation: Any) -> tuple[Marks, Writer | None]:
    """Give what an annotation says: its marks, and how it is written if not as pydantic does."""
    return _marks(annotation), union_writer(annotation)


def _marks(annotation: Any) -> Marks:
    """Collect the metadata of an annotation, also from inside an optional or a union."""
    found = list(metadata_of_members(annotation))
    fits = [mark for mark in found if isinstance(mark, Fit)]
    return Marks(
        pin=any(is_mark(mark, Pin) for mark in found),
        omit=any(is_mark(mark, Omit) for mark in found),
        weight=fits[0].weight if fits else 1.0,
        order=fits[0].order if fits else None,
        summarize=fits[0].summarize if fits else None,
    )
