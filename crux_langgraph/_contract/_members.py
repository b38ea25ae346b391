"""What a member of a union takes and writes, read from the schema that pydantic built of it."""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from crux_langgraph.fields import MASKING

TIMES = frozenset({"date", "datetime", "time", "timedelta"})
ANY_TEXT = frozenset({"str", "bytes"})
TEXTS = TIMES | ANY_TEXT | {"decimal", "url", "multi-host-url", "uuid", "complex", "fraction"}
NUMBERS = frozenset({"int", "float", "bool", "decimal"})
NAMED = frozenset({"enum", "literal"})
SCALARS = TEXTS | NUMBERS | NAMED
TUPLES = frozenset({"named-tuple", "call"})
LISTS = frozenset({"list", "tuple", "set", "frozenset", "deque", "generator"}) | TUPLES
DICTS = frozenset({"dict", "ordered-dict", "counter"})
MAPPINGS = frozenset({"model", "typed-dict", "dataclass"}) | DICTS | TUPLES
UNIONS = frozenset({"union", "tagged-union"})
_KNOWN = SCALARS | LISTS | MAPPINGS | UNIONS | {"any", "none"}
_KNOW_THEIR_OWN = frozenset({"pydantic", "crux_langgraph"})
"""Serializers from there write what they are meant for."""
_URLS = frozenset({"url", "multi-host-url"})
_ANY: dict[str, Any] = {"type": "any"}


class Member(NamedTuple):
    """A schema below what only wraps it, and what was said on the way there."""

    schema: dict[str, Any]
    is_private: bool
    is_root: bool
    """It is the root of a model, of which JSON says nothing."""
    is_converted: bool
    """What comes from JSON is converted to it, as to a deque before pydantic 2.14."""
    takes_any: bool
    """Which values it takes is not in its schema: a function decides."""
    writes_any: bool
    """A serializer of the user's writes whatever value there is."""
    passes_on: bool
    """What it does not know it writes as it is: then a model writes itself, and everything else is written out."""

    @property
    def kind(self) -> str:
        """The name that pydantic gives its type."""
        return str(self.schema["type"])

    def items(self) -> list[Any]:
        """Give the schemas of what a list holds, or those of its places."""
        if self.kind in TUPLES:
            call = self.schema.get("arguments_schema", {})
            return [one["schema"] for one in self.schema.get("fields", call.get("arguments_schema", ()))]
        items: Any = self.schema.get("items_schema", _ANY)
        return cast("list[Any]", items) if isinstance(items, list) else [items]

    def has_places(self) -> bool:
        """Say whether each item of a list has a place of its own."""
        return self.kind in TUPLES or (self.kind == "tuple" and self.schema.get("variadic_item_index") is None)

    def entries(self) -> list[Any]:
        """Give the schema of a dict's keys and that of its values."""
        return [self.schema.get("keys_schema", _ANY), self.schema.get("values_schema", _ANY)]

    def choices(self) -> list[Any]:
        """Give the members of a union; another type is its own."""
        given: Any = self.schema["choices"] if self.kind in UNIONS else [self.schema]
        return list(cast("dict[str, Any]", given).values() if isinstance(given, dict) else given)

    def values(self) -> list[Any]:
        """Give the values that an enum or a literal lists, as JSON has them."""
        given = self.schema["members" if self.kind == "enum" else "expected"]
        return [getattr(one, "value", one) for one in given]


def member(schema: Any, definitions: Mapping[str, Any]) -> Member:
    """Find what a schema is below what only wraps it."""
    inner: Any = schema
    node: dict[str, Any] = _ANY
    is_private = is_root = is_converted = takes_any = writes_any = passes_on = False
    while inner is not None:
        # The choices of a union may stand beside their names.
        node = cast("tuple[Any, ...]", inner)[0] if isinstance(inner, tuple) else inner
        is_private |= is_masked(node)
        is_root |= bool(node.get("root_model"))
        is_converted |= node["type"] == "lax-or-strict"
        takes_any |= _asks_a_function(node)
        writes_any |= _is_written_by_the_user(node)
        passes_on |= node["type"] == "call" or (node["type"] == "json-or-python" and "serialization" in node)
        inner = _inside(node, definitions)
    known = node["type"] in _KNOWN
    return Member(
        node if known else _ANY, is_private, is_root, is_converted, takes_any or not known, writes_any, passes_on
    )


def is_masked(schema: Mapping[str, Any]) -> bool:
    """Say whether all of it is private."""
    return bool(schema.get("serialization", {}).get("function") in MASKING)


def _asks_a_function(schema: dict[str, Any]) -> bool:
    kind = schema["type"]
    wraps = kind == "function-wrap" and schema["schema"]["type"] not in _URLS  # pydantic's own is around a URL
    return wraps or kind in ("function-before", "function-plain")


def _is_written_by_the_user(schema: dict[str, Any]) -> bool:
    function = schema.get("serialization", {}).get("function", is_masked)
    return getattr(function, "__module__", "").partition(".")[0] not in _KNOW_THEIR_OWN


def _inside(schema: dict[str, Any], definitions: Mapping[str, Any]) -> Any:
    kind = schema["type"]
    if kind == "definition-ref":
        return definitions[schema["schema_ref"]]
    if kind == "chain":
        return schema["steps"][0]
    if kind == "json" or (kind in _KNOWN and not schema.get("root_model")):
        return None
    return next((schema[name] for name in ("schema", "json_schema", "strict_schema") if name in schema), None)
