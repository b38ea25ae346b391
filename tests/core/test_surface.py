"""The public face: what is promised is there, nothing else is, and its annotations resolve."""

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import get_type_hints

import crux_langgraph

PUBLIC = ["crux_langgraph.errors", "crux_langgraph.fields"]
NAMES = [name for name in crux_langgraph.__all__ if name != "errors"]


@pytest.mark.parametrize("module", ["crux_langgraph", *PUBLIC, "crux_langgraph.graph", "crux_langgraph.compression"])
def test_what_a_module_offers_is_sorted_and_there(module: str) -> None:
    found = importlib.import_module(module)
    assert found.__all__ == sorted(found.__all__, key=lambda name: (not name.isupper(), name))  # constants first
    assert [name for name in found.__all__ if not hasattr(found, name)] == []


def test_type_checkers_are_told_of_the_same_names_from_the_same_places() -> None:
    stub = ast.parse(Path(crux_langgraph.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    told = {name.name: node.module for node in stub.body if isinstance(node, ast.ImportFrom) for name in node.names}
    assert sorted(told) == sorted(crux_langgraph.__all__)
    for name, home in told.items():
        assert getattr(importlib.import_module(str(home)), name) is getattr(crux_langgraph, name)


def test_a_name_that_is_not_offered_is_told_as_for_any_module() -> None:
    with pytest.raises(AttributeError, match="module 'crux_langgraph' has no attribute 'handof'"):
        crux_langgraph.handof  # noqa: B018 - to be raised
    assert dir(crux_langgraph) == sorted(crux_langgraph.__all__)


@pytest.mark.parametrize("module", PUBLIC)
def test_a_public_module_offers_all_that_it_defines(module: str) -> None:
    found = importlib.import_module(module)
    defined = {
        name
        for name, value in vars(found).items()
        if getattr(value, "__module__", None) == module and getattr(value, "__name__", "_") == name and name[0] != "_"
    }
    assert defined == set(found.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_the_annotations_of_everything_public_resolve(name: str) -> None:
    for function in functions_of(getattr(crux_langgraph, name)):
        get_type_hints(function)


def functions_of(value: Any) -> Iterator[Any]:
    if inspect.isclass(value):
        yield value
        own = (member for _, member in inspect.getmembers(value, inspect.isfunction))
        yield from (member for member in own if member.__module__.startswith("crux_langgraph"))
    elif inspect.isfunction(value):
        yield value


def test_everything_public_says_what_it_promises() -> None:
    offered = [getattr(crux_langgraph, name) for name in NAMES if name != "Handoffs"]
    assert [value for value in offered if not inspect.getdoc(value)] == []
    assert [name for name in crux_langgraph.errors.__all__ if not getattr(crux_langgraph.errors, name).__doc__] == []
