"""Which fields are private, read from the schema that pydantic built: it has resolved every alias and type variable."""

from itertools import combinations
from typing import Any, NamedTuple, cast

import pydantic

from crux_langgraph._contract._meeting import Lead, Meeting
from crux_langgraph._contract._members import is_masked
from crux_langgraph.fields import LEAVING_OUT, MASKING

_WHOLE = frozenset({"root"})
_VERSION = tuple(map(int, pydantic.VERSION.split(".")[:2]))
# What is built by a call, as named tuples are before pydantic 2.14, is written as it is; extra values are before 2.13.
_UNASKED = frozenset({"arguments_schema"} | ({"extras_schema"} if _VERSION < (2, 13) else set()))


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
    behind: frozenset[str]
    """Those where it stands in a union behind a member that may take it, in which the same value is not private."""
    unmasked: frozenset[str]
    """Those where pydantic writes the value without asking its field."""
    leaves_out: bool
    """Some of them stay out of what is recorded."""


def hidden_in(schema: Any) -> Hidden:
    """Read what is private from a schema."""
    walk = _Walk()
    walk.visit(schema, _WHOLE)
    found, blurred, behind, unmasked = map(frozenset, (walk.found, walk.blurred, walk.behind, walk.unmasked))
    return Hidden(found, blurred, behind, unmasked, walk.leaves_out)


class _Walk:
    def __init__(self, *, only_finds: bool = False, enters_models: bool = True) -> None:
        self._only_finds = only_finds
        self._enters_models = enters_models
        self.found: set[str] = set()
        self.blurred: set[str] = set()
        self.behind: set[str] = set()
        self.unmasked: set[str] = set()
        self.leaves_out = False
        self._definitions: dict[str, Any] = {}
        self._seen: set[tuple[Any, ...]] = set()

    def visit(self, node: Any, field: frozenset[str]) -> None:
        if isinstance(node, list | tuple):
            for item in cast("list[Any]", node):
                self.visit(item, field)
        elif isinstance(node, dict):
            schema = cast("dict[str, Any]", node)
            outer, self._only_finds = self._only_finds, self._only_finds or is_masked(schema)
            self._visit_schema(schema, field)
            self._only_finds = outer

    def _visit_schema(self, schema: dict[str, Any], field: frozenset[str]) -> None:
        if schema.get("function") in MASKING:
            self.found |= field
            self.leaves_out |= schema["function"] is LEAVING_OUT
        if schema.get("type") == "model" and not self._enters_models:
            return
        if schema.get("type") == "union" and not self._only_finds and self._inside(schema["choices"]).found:
            self._visit_union(schema, field)
        if schema.get("type") == "definitions":
            self._definitions |= {one["ref"]: one for one in schema["definitions"]}
            self.visit(schema["schema"], field)
        elif schema.get("type") == "definition-ref":
            self._visit_definition(schema["schema_ref"], field)
        else:
            self._visit_parts(schema, field if "name" not in schema else _names(schema["name"], schema))
        self.visit(schema.get("serialization"), field)

    def _visit_union(self, schema: dict[str, Any], field: frozenset[str]) -> None:
        meeting = Meeting(self._definitions, self._hides)
        lead = Lead.ANY if schema.get("mode") == "left_to_right" else Lead.PLACE
        for one, other in combinations(schema["choices"], 2):
            if meeting.shows(one, other, Lead.NONE) or meeting.shows(other, one, Lead.NONE):
                self.blurred |= field
            elif meeting.shows(one, other, lead):
                self.behind |= field

    def _hides(self, part: Any, enters_models: bool) -> bool:
        return bool(self._inside(part, enters_models=enters_models).found)

    def _inside(self, part: Any, *, enters_models: bool = True) -> "_Walk":
        """Walk a part by itself."""
        inside = _Walk(only_finds=True, enters_models=enters_models)
        inside._definitions = self._definitions
        inside.visit(part, _WHOLE)
        return inside

    def _visit_definition(self, ref: str, field: frozenset[str]) -> None:
        asked = (ref, field, self._only_finds)
        if asked not in self._seen:
            self._seen.add(asked)
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


def _names(name: str, schema: dict[str, Any]) -> frozenset[str]:
    alias: Any = schema.get("validation_alias", schema.get("alias", ()))
    ways = [alias] if isinstance(alias, str) or not alias or not isinstance(alias[0], list) else alias
    heads = (way if isinstance(way, str) else way[0] for way in ways if way)
    return frozenset({name, *(str(head) for head in heads)})
