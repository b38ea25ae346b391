"""Payloads without an end are refused, and what is nested deep takes no more work than as much that is not."""

import sys
from typing import Annotated, Any

import pytest
from endless import ENDLESS
from pydantic import BaseModel

from crux_langgraph import Private, errors
from crux_langgraph.compression import fit


class Open(BaseModel):
    value: Any = None


PLACES = {
    "alone": lambda value: value,
    "in a mapping": lambda value: {"value": value, "more": ("x",)},
    "in a model": lambda value: Open(value=value),
    "in an argument": lambda value: [
        {"role": "ai", "content": "", "tool_calls": [{"name": "look", "args": {"at": value}}]}
    ],
    "in a message": lambda value: [{"role": "user", "content": [[value]]}],
}


@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.parametrize("place", PLACES)
def test_what_has_no_end_cannot_be_fitted(name: str, place: str) -> None:
    make, told = ENDLESS[name]
    with pytest.raises(errors.DefinitionError, match=told):
        fit(PLACES[place](make()), 200)


@pytest.mark.parametrize(
    "value",
    [[{"same": ["part"]}] * 60_000, [[str(at)] for at in range(120_000)]],
    ids=["the same again", "many"],
)
def test_what_is_only_large_is_fitted(value: Any) -> None:
    assert fit(value, 100).tokens <= 100


def nested(inner: Any, levels: int) -> Any:
    for level in range(levels):
        inner = [inner] if level % 2 else {"key": inner}
    return inner


def calls_of_a_fit(value: Any) -> int:
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        fit(value, 200)
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize(
    "innermost", [lambda at: nested(f"text {at}", 40), lambda at: (f"text {at}",)], ids=["too deep", "a tuple"]
)
def test_a_level_of_nesting_costs_no_more_the_more_of_them_there_are(innermost: Any) -> None:
    values, levels = 60, 55
    fit([nested(innermost(0), levels)] * 2, 20)  # what is made once is made now
    assert calls_of_a_fit([nested(innermost(at), levels) for at in range(values)]) < 100 * values * levels


def test_a_value_is_read_alike_whatever_stands_deep_inside() -> None:
    rows = [{"id": at, "of": nested([f"text {at}"], 30)} for at in range(50)]
    odd = [{"id": at, "of": nested((f"text {at}",), 30)} for at in range(50)]
    assert fit(odd, 500).text == fit(rows, 500).text


def test_a_part_that_stands_at_several_depths_is_read_alike_at_each() -> None:
    part = nested(["bottom"], 20)
    shared = {"far": nested(part, 35), "near": part, "odd": nested(("x",), 20)}
    apart = {"far": nested(nested(["bottom"], 20), 35), "near": nested(["bottom"], 20), "odd": nested(("x",), 20)}
    assert fit(shared, 3_000).text == fit(apart, 3_000).text


class Secret(BaseModel):
    shown: str = "shown"
    hidden: Annotated[str, Private()] = "hush"


def test_what_is_private_deep_inside_stays_hidden() -> None:
    value = [nested({"a": [1], "b": Secret(), "c": {"content": "text"}}, 30) for _ in range(3)]
    text = fit(value, 3_000).text
    assert "shown" in text
    assert "hush" not in text
