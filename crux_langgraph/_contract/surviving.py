"""At decoration: which fields of a payload model JSON would lose or change, or are marked as what they cannot be."""

import collections.abc
import dataclasses
import enum
from collections.abc import Iterator
from typing import Annotated, Any, Literal, cast, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    EncodedBytes,
    PlainSerializer,
    PydanticInvalidForJsonSchema,
    PydanticSchemaGenerationError,
    PydanticUserError,
    Secret,
    SecretBytes,
    SecretStr,
    SerializeAsAny,
    TypeAdapter,
    WrapSerializer,
)

from crux_langgraph._contract._annotations import (
    UNIONS,
    arguments,
    bare,
    is_alias,
    is_mark,
    is_root,
    members,
    metadata,
    metadata_of_members,
)
from crux_langgraph.errors import FieldProblem
from crux_langgraph.fields import Fit, Omit, Pin, Private

_SECRETS = (SecretStr, SecretBytes, Secret)
_SERIALIZERS = cast("tuple[type[Any], ...]", (PlainSerializer, WrapSerializer, SerializeAsAny))
_ONCE = (
    collections.abc.Iterable,
    collections.abc.Iterator,
    collections.abc.Generator,
    collections.abc.AsyncIterable,
    collections.abc.AsyncIterator,
    collections.abc.AsyncGenerator,
)
_CODE = cast("tuple[Any, ...]", (type, collections.abc.Callable))
_CONTAINERS = (
    *UNIONS,
    list,
    set,
    frozenset,
    tuple,
    dict,
    collections.deque,
    collections.OrderedDict,
    collections.defaultdict,
    collections.abc.Sequence,
    collections.abc.MutableSequence,
    collections.abc.Mapping,
    collections.abc.MutableMapping,
    collections.abc.Set,
    collections.abc.MutableSet,
    collections.abc.Collection,
)


_MAPPINGS = (
    dict,
    collections.OrderedDict,
    collections.defaultdict,
    collections.abc.Mapping,
    collections.abc.MutableMapping,
)


def lost_fields(model: type[BaseModel]) -> list[FieldProblem]:
    """Find every field, at any depth, that JSON would lose or change or whose marks contradict one another.

    `expected` says what to write instead.
    """
    return list(_Walk().faults(model, ""))


class _Walk:
    def __init__(self) -> None:
        self._seen: set[Any] = set()
        self._config = ConfigDict()

    def faults(self, annotation: Any, path: str) -> Iterator[FieldProblem]:
        if is_alias(annotation) and self._knows(annotation):
            return
        kind = bare(annotation)
        plain: Any = get_origin(kind) or kind
        yield from _order_fault(annotation, path)
        if isinstance(plain, type) and issubclass(plain, _SECRETS):
            yield FieldProblem(
                path or "(root)", "Annotated[str, Private()] (a secret type is written as asterisks)", plain.__name__
            )
        elif (fields := members(kind)) is not None:
            yield from self._fields(kind, fields, path)
        elif plain in _CONTAINERS:
            yield from self._contents(plain, arguments(kind), path)
        elif (found := self._leaf(kind, metadata(annotation))) is not None:
            yield FieldProblem(path or "(root)", *found)

    def _knows(self, kind: Any) -> bool:
        known = kind in self._seen
        self._seen.add(kind)
        return known

    def _contents(self, container: Any, types: tuple[Any, ...], path: str) -> Iterator[FieldProblem]:
        if container in _MAPPINGS and not _can_be_keys(types[0] if types else Any):
            yield FieldProblem(
                f"{path}[key]", "keys of one plain type, such as str or int", "keys JSON cannot tell apart"
            )
        for argument in types:
            yield from _misplaced(argument, path)
            yield from _contradiction(argument, f"{path}[]") if container not in UNIONS else ()
            yield from self.faults(argument, path if container in UNIONS else f"{path}[]")

    def _fields(self, kind: Any, fields: Any, path: str) -> Iterator[FieldProblem]:
        if self._knows(kind):
            return
        outer, config = self._config, getattr(kind, "model_config", None)
        yield from _excluded(kind, path)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            self._config = kind.model_config
            yield from _serializer_faults(kind, path)
            yield from _marks_as_defaults(kind, path)
            yield from _unreadable(kind, path)
        for name, annotation in fields.items():
            yield from _contradiction(annotation, (path or "(root)") if is_root(kind) else join(path, name))
            if isinstance(annotation, dataclasses.InitVar):
                yield FieldProblem(join(path, name), "a field that is kept (an InitVar is not)", "InitVar")
            else:
                yield from _misplaced(annotation, join(path, name)) if config is None else ()
                yield from self.faults(annotation, path if is_root(kind) else join(path, name))
        self._config = outer

    def _leaf(self, kind: Any, extra: tuple[Any, ...]) -> tuple[str, str] | None:
        name = getattr(kind, "__name__", str(kind))
        if kind in (Any, object, None, type(None)) or get_origin(kind) is Literal:
            return None
        if kind in (bytes, bytearray):
            return None if self._writes_bytes(extra) else (_BYTES, name)
        if kind in _ONCE or get_origin(kind) in _ONCE:
            return "a list (an iterator can be read only once)", name
        if kind in _CODE or get_origin(kind) in _CODE:
            return "data (code cannot be written as JSON)", name
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            plain = all(isinstance(member.value, str | int | float | bool | None) for member in kind)
            return None if plain else ("an enum whose values are strings or numbers", name)
        return None if _has_json_form(kind, extra) else ("a type with a JSON form, such as a BaseModel", name)

    def _writes_bytes(self, extra: tuple[Any, ...]) -> bool:
        if any(isinstance(item, EncodedBytes | PlainSerializer | WrapSerializer) for item in extra):
            return True
        written = self._config.get("ser_json_bytes", "utf8")
        return written != "utf8" and written == self._config.get("val_json_bytes", "utf8")


_BYTES = "Base64Bytes, or ConfigDict(ser_json_bytes='base64', val_json_bytes='base64')"


def _has_json_form(kind: Any, extra: tuple[Any, ...]) -> bool:
    annotation: Any = Annotated[(kind, *extra)] if extra else kind
    try:
        adapter = TypeAdapter[Any](annotation, config=ConfigDict(arbitrary_types_allowed=True))
        adapter.json_schema(mode="validation")
        adapter.json_schema(mode="serialization")
    except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema, PydanticUserError):
        return False
    return True


def _excluded(kind: Any, path: str) -> Iterator[FieldProblem]:
    fields: dict[str, Any] = getattr(kind, "__pydantic_fields__", {})
    for name, info in fields.items():
        if info.exclude or getattr(info, "exclude_if", None) is not None:
            yield FieldProblem(join(path, name), "a field that is written (Private() hides one)", "exclude")


def _can_be_keys(annotation: Any) -> bool:
    kind = bare(annotation)
    if kind in (None, type(None)) or members(kind) is not None:
        return False
    return (get_origin(kind) or kind) not in _CONTAINERS


def _serializer_faults(model: type[BaseModel], path: str) -> Iterator[FieldProblem]:
    hidden = {name for name, annotation in (members(model) or {}).items() if is_private(annotation)}
    decorators = model.__pydantic_decorators__
    written = {name for entry in decorators.field_serializers.values() for name in entry.info.fields}
    for name in sorted(hidden & written):
        yield FieldProblem(join(path, name), "no field_serializer on a Private() field (it would undo it)", "one")
    if hidden and decorators.model_serializers:
        yield FieldProblem(path or "(root)", "no model_serializer beside a Private() field (it would undo it)", "one")


def _marks_as_defaults(model: type[BaseModel], path: str) -> Iterator[FieldProblem]:
    for name, info in model.model_fields.items():
        for mark in (Private, Pin, Omit, Fit):
            if is_mark(info.default, mark):
                told = mark.__name__
                yield FieldProblem(join(path, name), f"Annotated[..., {told}()]", f"{told} as its default")


def _unreadable(model: type[BaseModel], path: str) -> Iterator[FieldProblem]:
    for name, annotation in (members(model) or {}).items():
        if not _stays_out(annotation):
            continue
        if is_root(model):
            yield from _misplaced(annotation, path or "(root)")
        elif model.model_fields[name].is_required():
            expected = "a default for who reads it from the state, where Private(in_state=False) is not"
            yield FieldProblem(join(path, name), expected, "none")


def _misplaced(annotation: Any, path: str) -> Iterator[FieldProblem]:
    if _stays_out(annotation):
        yield FieldProblem(path, "Private(in_state=False) around the whole annotation of a model's field", "it inside")


def _contradiction(annotation: Any, path: str) -> Iterator[FieldProblem]:
    marks = list(metadata_of_members(annotation))
    if all(any(is_mark(item, mark) for item in marks) for mark in (Pin, Omit)):
        yield FieldProblem(path, "Pin() to show it whole or Omit() to leave it out", "both")


def _stays_out(annotation: Any) -> bool:
    return any(isinstance(item, Private) and not item.in_state for item in metadata(annotation))


def _order_fault(annotation: Any, path: str) -> Iterator[FieldProblem]:
    extra = metadata(annotation)
    after = [item for index, item in enumerate(extra) if any(is_mark(mark, Private) for mark in extra[:index])]
    if any(isinstance(item, _SERIALIZERS) for item in after):
        yield FieldProblem(path, "Private() after the serializer (which would undo it)", "Private() before it")


def is_private(annotation: Any, seen: frozenset[Any] = frozenset()) -> bool:
    """Say whether an annotation carries `Private()`, on itself or on what it holds."""
    if any(is_mark(item, Private) for item in metadata(annotation)):
        return True
    if is_alias(annotation):
        if annotation in seen:
            return False
        seen |= {annotation}
    kind = bare(annotation)
    return members(kind) is None and any(is_private(argument, seen) for argument in arguments(kind))


def join(path: str, name: str) -> str:
    """Put a field's name behind the path of what holds it."""
    return f"{path}.{name}".lstrip(".")
