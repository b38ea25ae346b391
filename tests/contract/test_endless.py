"""What cannot be written in full is refused at once; whatever is only large, deep or shared crosses."""

import json
from typing import Any

import pytest
from endless import ENDLESS, ITSELF, Tree, twice
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from support import Call

from crux_langgraph import Handoff, delegate, errors, handoff
from crux_langgraph._contract import EndlessError, refuse_endless


class Open(BaseModel):
    value: Any = None


class Texts(BaseModel):
    value: list[str] = []


@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.parametrize("given_as", ["instance", "mapping", "other"])
async def test_what_has_no_end_is_an_input_error(call: Call, name: str, given_as: str) -> None:
    make, told = ENDLESS[name]
    value: Any = {"value": make()}
    model = Texts if given_as == "other" else Open
    if given_as == "instance":
        value = Open(value=value)
    with pytest.raises(errors.InputError, match=rf"\(root\): {told}"):
        await call.prepare(Handoff.of(model, id="x"), value)


@pytest.mark.parametrize("name", ["a model in itself", "models twice in models"])
async def test_a_recursive_model_without_an_end_is_an_input_error(call: Call, name: str) -> None:
    make, told = ENDLESS[name]
    with pytest.raises(errors.InputError, match=told):
        await call.prepare(Handoff.of(Tree, id="x"), make())


async def test_a_payload_changed_by_hand_to_contain_itself_cannot_be_written(call: Call) -> None:
    payload = await call.prepare(Handoff.of(Open, id="x"), {"value": []})
    payload.data.value.append(payload.data.value)
    with pytest.raises(errors.OutputError, match=rf"\(root\): {ITSELF}"):
        payload.to_envelope()


async def test_a_transform_that_returns_what_has_no_end_is_an_output_error(call: Call) -> None:
    @handoff
    def grow(given: Texts) -> Open:
        return Open(value=ENDLESS["lists twice in lists"][0]())

    with pytest.raises(errors.OutputError, match="over 1,000,000,000,000,000"):
        await call.prepare(grow, Texts())


@pytest.mark.parametrize("name", ["a list in itself", "lists twice in lists"])
async def test_arguments_without_an_end_are_refused(call: Call, name: str) -> None:
    @delegate(handoff=Handoff.of(Texts, id="x"))
    def look(query: Any) -> Texts:
        raise AssertionError

    make, told = ENDLESS[name]
    with pytest.raises(errors.ArgumentsError, match=told):
        await call.run(look, {"query": make()})


async def test_what_is_shared_and_ends_crosses_in_full(call: Call) -> None:
    value = twice(["leaf"], lambda inner: [inner, inner], 10)
    payload = await call.prepare(Handoff.of(Open, id="x"), {"value": value})
    assert payload.data.value == value


LARGE: dict[str, Any] = {
    "many": [[at] for at in range(120_000)],
    "the same again": [{"a": [1, 2]}] * 60_000,
    "deep": twice("bottom", lambda inner: [inner], 120_000),
}


@pytest.mark.parametrize("value", LARGE.values(), ids=LARGE)
def test_what_is_only_large_is_not_refused(value: Any) -> None:
    refuse_endless(value)


@st.composite
def linked(draw: st.DrawFn) -> Any:
    """Lists in each other by chance, also in themselves."""
    lists: list[list[Any]] = [[] for _ in range(draw(st.integers(1, 6)))]
    for one in lists:
        one.extend(draw(st.lists(st.sampled_from(lists) | st.just("leaf"), max_size=3)))
    return lists[0]


@given(linked())
@settings(max_examples=60, deadline=None)
def test_what_json_cannot_write_is_what_is_refused(value: Any) -> None:
    try:
        json.dumps(value)
    except ValueError:
        with pytest.raises(EndlessError, match=ITSELF):
            refuse_endless(value)
    else:
        refuse_endless(value)
