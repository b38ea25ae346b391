"""At decoration: which fields of a payload model would not survive being written as JSON and read back."""

import collections.abc
import enum
from collections.abc import Iterator
from typing import Any, Literal, cast, get_origin

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
    TypeAdapter,
    WrapSerializer,
)

from crux_langgraph._contract._annotations import UNIONS, arguments, bare, is_root, members, metadata
from crux_langgraph.errors import FieldProblem
from crux_langgraph.fields import Private

_SECRETS = (SecretStr, SecretBytes, Secret)
_SERIALIZERS = (PlainSerializer, WrapSerializer)
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


def lost_fields(model: type[BaseModel]) -> list[FieldProblem]:
    """Find every field, at any depth, that JSON would lose or change; `expected` says what to write instead."""
    return list(_Walk().faults(model, ""))


class _Walk:
    def __init__(self) -> None:
        self._seen: set[Any] = set()
        self._config = ConfigDict()

    def faults(self, annotation: Any, path: str) -> Iterator[FieldProblem]:
        kind = bare(annotation)
        yield from _order_fault(annotation, path)
        if isinstance(kind, type) and issubclass(kind, _SECRETS):
            yield FieldProblem(
                path or "(root)", "Annotated[str, Private()] (a secret type is written as asterisks)", kind.__name__
            )
        elif (fields := members(kind)) is not None:
            yield from self._fields(kind, fields, path)
        elif kind in _CONTAINERS or get_origin(kind) in _CONTAINERS:
            suffix = "" if get_origin(kind) in UNIONS else "[]"
            for argument in arguments(kind):
                yield from self.faults(argument, path + suffix)
        elif (found := self._leaf(annotation, kind)) is not None:
            yield FieldProblem(path or "(root)", *found)

    def _fields(self, kind: Any, fields: Any, path: str) -> Iterator[FieldProblem]:
        if kind in self._seen:
            return
        self._seen.add(kind)
        outer = self._config
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            self._config = kind.model_config
            yield from _model_faults(kind, path)
        for name, annotation in fields.items():
            yield from self.faults(annotation, path if is_root(kind) else join(path, name))
        self._config = outer

    def _leaf(self, annotation: Any, kind: Any) -> tuple[str, str] | None:
        name = getattr(kind, "__name__", str(kind))
        if kind in (Any, object, None, type(None)) or get_origin(kind) is Literal:
            return None
        if kind in (bytes, bytearray):
            return None if self._writes_bytes(annotation) else (_BYTES, name)
        if kind in _ONCE or get_origin(kind) in _ONCE:
            return "a list (an iterator can be read only once)", name
        if kind in _CODE or get_origin(kind) in _CODE:
            return "data (code cannot be written as JSON)", name
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            plain = all(isinstance(member.value, str | int | float | bool | None) for member in kind)
            return None if plain else ("an enum whose values are strings or numbers", name)
        return None if _has_json_form(annotation) else ("a type with a JSON form, such as a BaseModel", name)

    def _writes_bytes(self, annotation: Any) -> bool:
        if any(isinstance(item, EncodedBytes | PlainSerializer | WrapSerializer) for item in metadata(annotation)):
            return True
        written = self._config.get("ser_json_bytes", "utf8")
        return written != "utf8" and written == self._config.get("val_json_bytes", "utf8")


_BYTES = "Base64Bytes, or ConfigDict(ser_json_bytes='base64', val_json_bytes='base64')"


def _has_json_form(annotation: Any) -> bool:
    try:
        adapter = TypeAdapter[Any](annotation, config=ConfigDict(arbitrary_types_allowed=True))
        adapter.json_schema(mode="validation")
        adapter.json_schema(mode="serialization")
    except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema, PydanticUserError):
        return False
    return True


def _model_faults(model: type[BaseModel], path: str) -> Iterator[FieldProblem]:
    for name, info in model.model_fields.items():
        if info.exclude or getattr(info, "exclude_if", None) is not None:
            yield FieldProblem(join(path, name), "a field that is written (Private() hides one)", "exclude")
    hidden = {name for name, annotation in (members(model) or {}).items() if is_private(annotation)}
    decorators = model.__pydantic_decorators__
    written = {name for entry in decorators.field_serializers.values() for name in entry.info.fields}
    for name in sorted(hidden & written):
        yield FieldProblem(join(path, name), "no field_serializer on a Private() field (it would undo it)", "one")
    if hidden and decorators.model_serializers:
        yield FieldProblem(path or "(root)", "no model_serializer beside a Private() field (it would undo it)", "one")


def _order_fault(annotation: Any, path: str) -> Iterator[FieldProblem]:
    extra = metadata(annotation)
    after = [item for index, item in enumerate(extra) if any(isinstance(one, Private) for one in extra[:index])]
    if any(isinstance(item, _SERIALIZERS) for item in after):
        yield FieldProblem(path, "Private() after the serializer (which would undo it)", "Private() before it")


def is_private(annotation: Any) -> bool:
    """Say whether an annotation carries `Private()`, on itself or on what it holds."""
    if any(isinstance(item, Private) for item in metadata(annotation)):
        return True
    kind = bare(annotation)
    return members(kind) is None and any(is_private(argument) for argument in arguments(kind))


def private_names(model: type[BaseModel]) -> frozenset[str]:
    """Give the names and aliases of all private fields of a model and of the models in it."""
    found: set[str] = set()
    seen: set[Any] = set()

    def walk(annotation: Any) -> None:
        kind = bare(annotation)
        fields = members(kind)
        if fields is None:
            for argument in arguments(kind):
                walk(argument)
        elif kind not in seen:
            seen.add(kind)
            for name, inner in fields.items():
                if is_private(inner):
                    found.update(_names(kind, name))
                walk(inner)

    walk(model)
    return frozenset(found)


def _names(kind: Any, name: str) -> set[str]:
    info = kind.model_fields[name] if issubclass(kind, BaseModel) else None
    aliases = (info.alias, info.validation_alias) if info else ()
    return {name, *(alias for alias in aliases if isinstance(alias, str))}


def join(path: str, name: str) -> str:
    """Put a field's name behind the path of what holds it."""
    return f"{path}.{name}".lstrip(".")
