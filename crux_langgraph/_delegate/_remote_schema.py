"""What a server publishes of an assistant, compared with what a delegate sends it and takes from it.

Only what could never fit is a problem: a field that is not there, or types that have no value in common. JSON schemas say
more than that; the checks of each call remain the judge.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from crux_langgraph.errors import FieldProblem

Schema = Mapping[str, Any]

_ANYTHING = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_OF_PYTHON: Mapping[Any, str] = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


class Published(NamedTuple):
    """The keys of an assistant's input and output, each with its schema; None where the server cannot tell."""

    inputs: Mapping[str, Schema] | None
    outputs: Mapping[str, Schema] | None

    @classmethod
    def of(cls, schemas: Mapping[str, Any]) -> "Published":
        """Read what `assistants.get_schemas` gives."""
        return cls(_properties(schemas.get("input_schema")), _properties(schemas.get("output_schema")))


def _properties(schema: Any) -> Mapping[str, Schema] | None:
    """The properties of an object, with its definitions kept at hand in each."""
    if not isinstance(schema, Mapping):
        return None
    root = cast("Schema", schema)
    found = _resolved(root, root).get("properties")
    if not found:
        return None
    return {key: {**cast("Schema", one), "$defs": root.get("$defs", {})} for key, one in found.items()}


def problems_of(given: Schema, needed: Schema, path: str) -> list[FieldProblem]:
    """Give what `needed` asks for and a value of `given` can never have; both are JSON schemas with their `$defs`."""
    return _problems(given, given, needed, needed, path)


def _problems(there_root: Schema, there: Schema, here_root: Schema, here: Schema, path: str) -> list[FieldProblem]:
    there, here = _resolved(there_root, there), _resolved(here_root, here)
    given, taken = _types(there_root, there), _types(here_root, here)
    if not given & taken:
        return [FieldProblem(path, " or ".join(sorted(taken)), " or ".join(sorted(given)))]
    theirs, ours = there.get("properties"), here.get("properties")
    if not theirs or not ours:
        return []
    found: list[FieldProblem] = []
    for key, schema in ours.items():
        inner = f"{path}.{key}"
        if key in theirs:
            found += _problems(there_root, theirs[key], here_root, schema, inner)
        elif key in here.get("required", ()):
            found.append(FieldProblem(inner, " or ".join(sorted(_types(here_root, schema))), "no such field"))
    return found


def _resolved(root: Schema, schema: Schema) -> Schema:
    """Follow references inside one schema; each name once, as a definition may be of itself alone."""
    seen: set[str] = set()
    while (reference := schema.get("$ref")) is not None and reference not in seen:
        seen.add(reference)
        schema = root.get("$defs", {}).get(reference.rpartition("/")[2], {})
    return schema


def _types(root: Schema, schema: Schema) -> frozenset[str]:
    """The JSON types that a schema allows; all of them where it does not say."""
    schema = _resolved(root, schema)
    named = schema.get("type")
    if isinstance(named, str):
        return _widened({named})
    if isinstance(named, list):
        return _widened(set(cast("list[str]", named)))
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if values is not None:
        return _widened({_OF_PYTHON.get(type(value), "object") for value in values})
    branches = schema.get("anyOf") or schema.get("oneOf")
    return frozenset[str]().union(*(_types(root, one) for one in branches)) if branches else _ANYTHING


def _widened(types: set[str]) -> frozenset[str]:
    return frozenset(types | {"integer"} if "number" in types else types)
