"""Which fields are private, read from the schema that pydantic built: it has resolved every alias and type variable."""

from typing import Any, NamedTuple, cast

import pydantic

from crux_langgraph.fields import LEAVING_OUT, MASKING

_WHOLE = frozenset({"root"})
_SEVERAL = 2
_VERSION = tuple(map(int, pydantic.VERSION.split(".")[:2]))
# What is built by a call, as named tuples are before pydantic 2.14, is written as it is; extra values are before 2.13.
_UNASKED = frozenset({"arguments_schema"} | ({"extras_schema"} if _VERSION < (2, 13) else set()))
# These members of a union take any value and write it as it is.
_TAKING = frozenset({"any", "call"})
# Of these, one that stands first writes the value of the other; text that is read back from JSON comes as text.
_ALIKE = {kind: frozenset({kind}) for kind in ("int", "float", "bool", "date", "datetime", "decimal", "url", "uuid")}
_ALIKE["str"] = frozenset({*_ALIKE, "str", "bytes", "time", "timedelta", "enum", "literal"} - {"int", "float", "bool"})
_MAPPINGS = frozenset({"model", "typed-dict", "dataclass", "dict", "any"})


class Hidden(NamedTuple):
    """The names and aliases of fields with something private in them, in a model and in the models in it.

    What is private outside of any field stands as `root`.
    """

    names: frozenset[str]
    """All of them; empty only when nothing is private."""
    blurred: frozenset[str]
    """Those where it stands in a union that nothing tells apart: read back from JSON it may come as another member of
    the union, in which the same value is not private.
    """
    unmasked: frozenset[str]
    """Those where pydantic writes the value without asking its field, or by a member of a union that takes it first."""
    leaves_out: bool
    """Some of them stay out of what is recorded."""


def hidden_in(schema: Any) -> Hidden:
    """Read what is private from a schema."""
    walk = _Walk()
    walk.visit(schema, _WHOLE)
    return Hidden(frozenset(walk.found), frozenset(walk.blurred), frozenset(walk.unmasked), walk.leaves_out)


class _Walk:
    def __init__(self, *, only_finds: bool = False, enters_models: bool = True) -> None:
        self._only_finds = only_finds
        self._enters_models = enters_models
        self.found: set[str] = set()
        self.blurred: set[str] = set()
        self.unmasked: set[str] = set()
        self.leaves_out = False
        self._definitions: dict[str, Any] = {}
        self._seen: set[tuple[str, frozenset[str]]] = set()

    def visit(self, node: Any, field: frozenset[str]) -> None:
        if isinstance(node, list | tuple):
            for item in cast("list[Any]", node):
                self.visit(item, field)
        elif isinstance(node, dict):
            self._visit_schema(cast("dict[str, Any]", node), field)

    def _visit_schema(self, schema: dict[str, Any], field: frozenset[str]) -> None:
        if schema.get("function") in MASKING:
            self.found |= field
            self.leaves_out |= schema["function"] is LEAVING_OUT
        if schema.get("type") == "model" and not self._enters_models:
            return
        if schema.get("type") == "union" and not self._only_finds:
            self._visit_union(schema["choices"], field)
        if schema.get("type") == "definitions":
            self._definitions |= {one["ref"]: one for one in schema["definitions"]}
            self.visit(schema["schema"], field)
        elif schema.get("type") == "definition-ref":
            self._visit_definition(schema["schema_ref"], field)
        else:
            self._visit_parts(schema, field if "name" not in schema else _names(schema["name"], schema))
        self.visit(schema.get("serialization"), field)

    def _visit_union(self, choices: list[Any], field: frozenset[str]) -> None:
        kinds = [self._kind(choice) for choice in choices]
        if sum(kind in _MAPPINGS for kind in kinds) >= _SEVERAL and self._inside(choices).found:
            self.blurred |= field
        for at, kind in enumerate(kinds):
            behind = [one for one, other in zip(choices[at + 1 :], kinds[at + 1 :], strict=True) if _takes(kind, other)]
            # A model writes itself; only what is read back from JSON as anything is no model any more.
            hides = bool(behind) and self._inside(behind, enters_models=kind == "any").found
            if hides and not self._inside(choices[at]).found:
                self.unmasked |= field

    def _inside(self, part: Any, *, enters_models: bool = True) -> "_Walk":
        """Walk a part by itself."""
        inside = _Walk(only_finds=True, enters_models=enters_models)
        inside._definitions = self._definitions
        inside.visit(part, _WHOLE)
        return inside

    def _kind(self, choice: Any) -> str:
        """Say what a choice is below what only wraps it."""
        schema: dict[str, Any] = cast("tuple[Any, ...]", choice)[0] if isinstance(choice, tuple) else choice
        alone = _writes_alone(schema)
        while schema["type"] not in _MAPPINGS and (inner := self._wrapped(schema)) is not None:
            schema = inner
            alone |= _writes_alone(schema)
        return "call" if alone and schema["type"] not in _MAPPINGS | {"url"} else str(schema["type"])

    def _wrapped(self, schema: dict[str, Any]) -> dict[str, Any] | None:
        if "schema_ref" in schema:
            return cast("dict[str, Any]", self._definitions[schema["schema_ref"]])
        return schema.get("schema", schema.get("json_schema"))

    def _visit_definition(self, ref: str, field: frozenset[str]) -> None:
        if (ref, field) not in self._seen:
            self._seen.add((ref, field))
            self.visit(self._definitions[ref], field)

    def _visit_parts(self, schema: dict[str, Any], field: frozenset[str]) -> None:
        for key, part in schema.items():
            if key in _UNASKED and not self._only_finds and self._inside(part).found:
                self.unmasked |= field
            if key == "fields" and isinstance(part, dict):
                for name, one in cast("dict[str, Any]", part).items():
                    self.visit(one, _names(name, one))
            elif key not in ("metadata", "serialization"):
                self.visit(part, field)


def _takes(kind: str, other: str) -> bool:
    """Whether a member of a union that is of one kind writes the values of a later one of another kind."""
    return kind in _TAKING or other in _ALIKE.get(kind, ())


def _writes_alone(schema: dict[str, Any]) -> bool:
    """Whether a serializer, such as that of a `Sequence`, writes whatever value there is; or the JSON that it was read of."""
    own = schema.get("serialization", {})
    plain = own.get("type") == "function-plain" or (schema["type"] == "json-or-python" and bool(own))
    return (plain and own["function"] not in MASKING) or schema["type"] == "json"


def _names(name: str, schema: dict[str, Any]) -> frozenset[str]:
    alias: Any = schema.get("validation_alias", schema.get("alias", ()))
    ways = [alias] if isinstance(alias, str) or not alias or not isinstance(alias[0], list) else alias
    heads = (way if isinstance(way, str) else way[0] for way in ways if way)
    return frozenset({name, *(str(head) for head in heads)})
