"""Which fields are private, read from the schema that pydantic built: it has resolved every alias and type variable."""

from typing import Any, cast

from crux_langgraph.fields import MASKING

_WHOLE = frozenset({"root"})
_SEVERAL = 2
_MAPPINGS = frozenset({"model", "typed-dict", "dataclass", "dict", "any"})


def blurred_names(schema: Any) -> frozenset[str]:
    """Give the fields in which a private place stands in a union that nothing tells apart.

    Read back from JSON it may come as another member of the union, in which the same value is not private.
    """
    walk = _Walk()
    walk.visit(schema, _WHOLE)
    return frozenset(walk.blurred)


def private_names(schema: Any) -> frozenset[str]:
    """Give the names and aliases of the fields that hold something private, in a model and in the models in it.

    Empty only when nothing is private; what is private outside of any field stands as `root`.
    """
    walk = _Walk()
    walk.visit(schema, _WHOLE)
    return frozenset(walk.found)


class _Walk:
    def __init__(self) -> None:
        self.found: set[str] = set()
        self.blurred: set[str] = set()
        self._definitions: dict[str, Any] = {}
        self._unions: frozenset[int] = frozenset()
        self._seen: set[tuple[str, frozenset[str]]] = set()

    def visit(self, node: Any, field: frozenset[str]) -> None:
        if isinstance(node, list | tuple):
            for item in cast("list[Any]", node):
                self.visit(item, field)
        elif isinstance(node, dict):
            self._visit_schema(cast("dict[str, Any]", node), field)

    def _visit_schema(self, schema: dict[str, Any], field: frozenset[str]) -> None:
        if schema.get("function") is MASKING:
            self.found |= field
        if schema.get("type") == "union":
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
        if id(choices) in self._unions or sum(map(self._is_mapping, choices)) < _SEVERAL:
            return
        inside = _Walk()
        inside._definitions, inside._unions = self._definitions, self._unions | {id(choices)}
        inside.visit(choices, _WHOLE)
        if inside.found:
            self.blurred |= field

    def _is_mapping(self, choice: Any) -> bool:
        schema: dict[str, Any] = cast("tuple[Any, ...]", choice)[0] if isinstance(choice, tuple) else choice
        while schema["type"] not in _MAPPINGS and ("schema" in schema or "schema_ref" in schema):
            schema = self._definitions[schema["schema_ref"]] if "schema_ref" in schema else schema["schema"]
        return schema["type"] in _MAPPINGS

    def _visit_definition(self, ref: str, field: frozenset[str]) -> None:
        if (ref, field) not in self._seen:
            self._seen.add((ref, field))
            self.visit(self._definitions[ref], field)

    def _visit_parts(self, schema: dict[str, Any], field: frozenset[str]) -> None:
        for key, part in schema.items():
            if key == "fields" and isinstance(part, dict):
                for name, one in cast("dict[str, Any]", part).items():
                    self.visit(one, _names(name, one))
            elif key not in ("metadata", "serialization"):
                self.visit(part, field)


def _names(name: str, schema: dict[str, Any]) -> frozenset[str]:
    alias: Any = schema.get("validation_alias", schema.get("alias", ()))
    ways = [alias] if isinstance(alias, str) or not alias or not isinstance(alias[0], list) else alias
    heads = (way if isinstance(way, str) else way[0] for way in ways if way)
    return frozenset({name, *(str(head) for head in heads)})
