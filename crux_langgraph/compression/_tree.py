"""The value as a tree that may be shown: models taken apart, private fields gone, each field's metadata beside it."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, is_dataclass
from functools import lru_cache, partial
from typing import Any, Literal, cast, get_origin

from pydantic import BaseModel, TypeAdapter
from pydantic_core import to_jsonable_python

from crux_langgraph._contract._annotations import UNIONS, arguments, bare, is_root, members, metadata
from crux_langgraph.compression._turns import Conversation, Turn, conversation_in
from crux_langgraph.fields import MASK, MASK_KEY, Fit, Omit, Pin

_GONE = "\x00crux-private\x00"
_MASKED = {MASK_KEY: _GONE}
_DEEPEST = 60
_NAMES = frozenset({str})
_SCALARS = frozenset({str, int, float, bool, type(None)})


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
    return str(node) if isinstance(node, Turn) else _dumped(node)


def read(value: object) -> Tree:
    """Give a model, messages, JSON-like data or text as a tree. What is private is not in it; a tree stays as it is."""
    if isinstance(value, Tree):
        return value
    reader = _Reader()
    root = reader.read(value, "", 0)
    return Tree(None if root is _GONE else root, tuple(reader.omitted))


def plain(value: Any) -> Any:
    """Give any value as JSON-like data, without metadata and without what is private or omitted."""
    return json.loads(read(value).text()) if not isinstance(value, str) else value


class _Reader:
    def __init__(self) -> None:
        self.omitted: list[tuple[str, str]] = []

    def read(self, value: Any, path: str, depth: int) -> Any:
        """Read what was not dumped yet."""
        if type(value) in _SCALARS or _is_plain(value, depth):
            return value
        kind = cast("Any", type(value))
        if _is_record(value):
            return self.pair(value, _dumped(value), kind, path, depth)
        leaf = _leaf(value, value, depth, strict=depth > 0)
        return self._inside(value, path, depth) if leaf is None else leaf

    def _inside(self, value: Any, path: str, depth: int) -> Any:
        if isinstance(value, Mapping):
            entries = cast("Mapping[Any, Any]", value).items()
            read = {str(key): self.read(item, _under(path, str(key)), depth + 1) for key, item in entries}
            return {name: node for name, node in read.items() if node is not _GONE}
        if _is_series(value):
            nodes = [self.read(item, f"{path}[]", depth + 1) for item in cast("Iterable[Any]", value)]
            return _ordered(value, [node for node in nodes if node is not _GONE])
        return _dumped(value)

    def pair(self, value: Any, dumped: Any, annotation: Any, path: str, depth: int) -> Any:
        """Walk a value and its dump side by side: the dump says what is shown, the value's types what it may lose."""
        if type(dumped) in _SCALARS:
            return dumped
        kind = cast("Any", type(value))
        if is_root(kind):
            return self._marked(value.root, dumped, _declared(kind)["root"], path, depth)
        leaf = _leaf(value, dumped, depth, strict=True)
        if leaf is not None:
            return leaf
        container = dict if isinstance(dumped, dict) else list
        if _is_record(value) and _of_type(annotation, container) is Any:  # pydantic masks only what is declared
            annotation, dumped = kind, _dumped(value)
        if isinstance(dumped, dict):
            return self._fields(value, cast("dict[str, Any]", dumped), annotation, path, depth)
        return self._items(value, cast("list[Any]", dumped), annotation, path, depth)

    def _fields(self, value: Any, dumped: dict[str, Any], annotation: Any, path: str, depth: int) -> dict[str, Any]:
        kind = type(value) if isinstance(value, BaseModel) else _of_type(annotation, dict)
        declared = _declared(kind)
        inside = _argument(kind, -1)
        shown: dict[str, Any] = {}
        for (name, item), part in zip(dumped.items(), _parts(value, dumped), strict=True):
            node = self._marked(part, item, declared.get(name, inside), _under(path, name), depth)
            if node is not _GONE:
                shown[name] = node
        return shown

    def _items(self, value: Any, dumped: list[Any], annotation: Any, path: str, depth: int) -> list[Any]:
        kind = _of_type(annotation, list)
        values = list(cast("Iterable[Any]", value)) if _is_series(value) else []
        paired = values if len(values) == len(dumped) else dumped
        nodes = [
            self._marked(one, item, _argument(kind, at), f"{path}[]", depth)
            for at, (one, item) in enumerate(zip(paired, dumped, strict=True))
        ]
        return _ordered(value, [node for node in nodes if node is not _GONE])

    def _marked(self, value: Any, dumped: Any, annotation: Any, path: str, depth: int) -> Any:
        if isinstance(dumped, str) and dumped == _GONE:
            return _GONE
        marks = _marks(annotation)
        node = self.pair(value, dumped, annotation, path, depth + 1)
        if marks.omit:
            self.omitted.append((path, as_json(node)))
            return _GONE
        return Marked(node, marks) if marks else node


def _dumped(value: Any) -> Any:
    """Dump a value as JSON-like data, with what is private replaced by a mark."""
    if not _is_record(value):
        return _jsonable(value)
    dump = (
        value.model_dump
        if isinstance(value, BaseModel)
        else partial(_adapter(cast("Any", type(value))).dump_python, value)
    )
    try:
        return dump(mode="json", context=_MASKED, warnings=False, fallback=str, by_alias=False, round_trip=True)
    except UnicodeError:  # pydantic writes no key that holds a lone surrogate, and no bytes that are not UTF-8
        return _jsonable(dump(context=_MASKED, warnings=False, by_alias=False, round_trip=True))


def _is_record(value: Any) -> bool:
    """Whether it is an instance of a class that declares its fields."""
    kind = cast("Any", type(value))
    return isinstance(value, BaseModel) or is_dataclass(kind) or (isinstance(value, tuple) and hasattr(kind, "_fields"))


@lru_cache(maxsize=256)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _is_plain(value: Any, depth: int) -> bool:
    """Whether it is JSON-like data through and through, without messages in it: then it is read as it is."""
    if depth > _DEEPEST:
        return False
    if type(value) is dict:
        record = cast("dict[Any, Any]", value)
        inner: Collection[Any] = record.values()
        if not _NAMES.issuperset(map(type, record)) or "content" in record:
            return False
    elif type(value) is list:
        inner = cast("list[Any]", value)
    else:
        return False
    return _SCALARS.issuperset(map(type, inner)) or all(
        type(item) in _SCALARS or _is_plain(item, depth + 1) for item in inner
    )


def _is_series(value: Any) -> bool:
    return isinstance(value, Sequence | AbstractSet) and not isinstance(
        value, str | bytes | bytearray | memoryview | range
    )


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _jsonable(item) for name, item in cast("Mapping[Any, Any]", value).items()}
    if _is_series(value):
        return [_jsonable(item) for item in cast("Iterable[Any]", value)]
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "backslashreplace")
    if type(value) in _SCALARS:
        return value
    return to_jsonable_python(value, context=_MASKED, fallback=str)


def _leaf(value: Any, dumped: Any, depth: int, *, strict: bool) -> Any:
    """Give what is not walked into: messages, and what is nested too deep."""
    conversation = conversation_in(value, strict=strict, plain=plain)
    return _flat(value, dumped) if conversation is None and depth > _DEEPEST else conversation


def _under(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _ordered(value: Any, nodes: list[Any]) -> list[Any]:
    """A set has no order of its own, and the one it shows depends on the hash seed: its nodes stand by their text."""
    return sorted(nodes, key=as_json) if isinstance(value, set | frozenset) else nodes


def _flat(value: Any, dumped: Any) -> str:
    """Give what is nested too deep to be walked as its text, unless something in it could be private unseen."""
    try:
        return "…" if _holds_record(value) else as_json(dumped).replace(as_json(_GONE), as_json(MASK))
    except RecursionError:
        return "…"


def _holds_record(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_record, cast("Mapping[Any, Any]", value).values()))
    return _is_record(value) or (_is_series(value) and any(map(_holds_record, cast("Iterable[Any]", value))))


def _parts(value: Any, dumped: Mapping[str, Any]) -> Iterable[Any]:
    """Give what each entry of the dump was made from; a serializer of the user's own may leave nothing to find."""
    if isinstance(value, Mapping):
        facts = cast("Mapping[Any, Any]", value)
        return facts.values() if len(facts) == len(dumped) else map(facts.get, dumped)
    return [getattr(value, name, None) for name in dumped]


@lru_cache(maxsize=1024)
def _declared(kind: Any) -> Mapping[str, Any]:
    return members(kind) or {}


def _argument(kind: Any, at: int) -> Any:
    given = arguments(kind)
    if not given:
        return Any
    return given[at] if -len(given) <= at < len(given) else given[-1]


def _of_type(annotation: Any, container: type) -> Any:
    """Give the member of a union that is such a container, or the annotation itself."""
    kind = bare(annotation)
    if get_origin(kind) not in UNIONS:
        return kind
    options = [_of_type(member, container) for member in arguments(kind)]
    fitting = (option for option in options if _could_be(option, container))
    return next(fitting, Any)


def _could_be(kind: Any, container: type) -> bool:
    if container is dict and members(kind) is not None:
        return True
    origin = get_origin(kind) or kind
    return isinstance(origin, type) and issubclass(
        origin, Mapping if container is dict else (list, tuple, set, frozenset)
    )


def _marks(annotation: Any) -> Marks:
    """Collect the metadata of an annotation, also from inside an optional or a union."""
    try:
        return _cached_marks(annotation)
    except TypeError:  # metadata that cannot be hashed
        return _collected_marks(annotation)


def _collected_marks(annotation: Any) -> Marks:
    found = list(_metadata_of(annotation))
    fits = [mark for mark in found if isinstance(mark, Fit)]
    return Marks(
        pin=any(isinstance(mark, Pin) for mark in found),
        omit=any(isinstance(mark, Omit) for mark in found),
        weight=fits[0].weight if fits else 1.0,
        order=fits[0].order if fits else None,
        summarize=fits[0].summarize if fits else None,
    )


_cached_marks = lru_cache(maxsize=4096)(_collected_marks)


def _metadata_of(annotation: Any) -> Iterable[Any]:
    yield from metadata(annotation)
    kind = bare(annotation)
    if get_origin(kind) in UNIONS:
        for member in arguments(kind):
            yield from _metadata_of(member)
