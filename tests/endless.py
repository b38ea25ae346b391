"""Values that nobody can write in full: they contain themselves, or hold the same parts inside of each other."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict

ITSELF = "expected data that does not contain itself, found endless nesting"
REPEATED = r"expected data that can be written in full, found [\d,]+ values that repeat to "


class Tree(BaseModel):
    model_config = ConfigDict(extra="allow")

    kids: list["Tree"] = []


@dataclass
class Leafy:
    leaves: list[Any] = field(default_factory=list[Any])


def list_in_itself() -> Any:
    value: list[Any] = []
    value += [value, value]
    return value


def mapping_in_itself() -> Any:
    value: dict[str, Any] = {"first": ["text"] * 3}
    inside = [value, {"again": value}]
    value |= {"one": inside, "other": inside, "third": (inside, value)}
    return value


def tree_in_itself() -> Any:
    tree = Tree(kids=[Tree()])
    tree.kids = [tree, tree]
    return tree


def twice(inner: Any, around: Callable[[Any], Any], levels: int = 60) -> Any:
    for _ in range(levels):
        inner = around(inner)
    return inner


def tree_around(inner: Any) -> Tree:
    tree = Tree()
    tree.kids = [inner, inner]
    return tree


ENDLESS: dict[str, tuple[Callable[[], Any], str]] = {
    "a list in itself": (list_in_itself, ITSELF),
    "a mapping in itself": (mapping_in_itself, ITSELF),
    "a model in itself": (tree_in_itself, ITSELF),
    "lists twice in lists": (lambda: twice("leaf", lambda inner: [inner, inner]), REPEATED),
    "mappings twice in mappings": (lambda: twice(1, lambda inner: {"a": inner, "b": inner}, 40), REPEATED),
    "tuples twice in tuples": (lambda: twice((), lambda inner: (inner, inner)), REPEATED),
    "models twice in models": (lambda: twice(Tree(), tree_around), REPEATED),
    "extra values": (
        lambda: twice(Tree(), lambda inner: Tree.model_validate({"one": inner, "other": inner})),
        REPEATED,
    ),
    "dataclasses": (lambda: twice(Leafy(), lambda inner: Leafy([inner, inner])), REPEATED),
    "mapping views": (lambda: twice(0, lambda inner: MappingProxyType({"a": inner, "b": inner})), REPEATED),
}
