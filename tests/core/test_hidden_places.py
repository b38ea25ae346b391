"""Wherever `Private()` stands, behind whatever alias or type variable, the value is shown nowhere."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Generic, NamedTuple, NewType, NotRequired, Required, TypeVar

import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, PlainSerializer, create_model
from support import MASKS_EVERYWHERE, Call
from typing_extensions import TypeAliasType, TypedDict

from crux_langgraph import Handoff, Private, errors

SECRET = "s3cret"
T = TypeVar("T")
Hidden = Annotated[str, Private()]
Alias = TypeAliasType("Alias", Hidden)
Listed = TypeAliasType("Listed", list[T], type_params=(T,))
Named = NewType("Named", Hidden)


class Box(BaseModel, Generic[T]):
    item: T


@dataclass
class DataBox(Generic[T]):
    item: T
    shown: int = 1


class TypedBox(TypedDict, Generic[T]):
    item: T


class Optionally(TypedDict, total=False):
    item: NotRequired[Hidden]
    needed: Required[Hidden]


class Tupled(NamedTuple):
    item: Hidden


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Hidden]


class Tree(BaseModel):
    token: Hidden
    below: "list[Tree]" = []


class Twice(BaseModel):
    first: Tree
    second: Tree


PLACES: dict[str, tuple[Any, Any]] = {
    "alias": (Alias, SECRET),
    "optional alias": (Alias | None, SECRET),
    "list of alias": (list[Alias], [SECRET]),
    "generic alias": (Listed[Hidden], [SECRET]),
    "new type": (Named, SECRET),
    "generic model": (Box[Alias], {"item": SECRET}),
    "generic dataclass": (DataBox[Hidden], {"item": SECRET}),
    "generic TypedDict": (TypedBox[Hidden], {"item": SECRET}),
    "not required": (Optionally, {"item": SECRET, "needed": SECRET}),
    "key": (dict[Hidden, int], {SECRET: 1}),
    "union": (Annotated[int | str, Private()], SECRET),
    "tree": (Tree, {"token": SECRET, "below": [{"token": SECRET}]}),
    "used twice": (Twice, {"first": {"token": SECRET}, "second": {"token": SECRET}}),
}
if MASKS_EVERYWHERE:
    PLACES |= {"named tuple": (Tupled, [SECRET]), "extra": (Open, {"anything": SECRET})}


@pytest.mark.parametrize("place", PLACES)
async def test_it_is_rendered_nowhere_and_travels_in_the_envelope(call: Call, place: str) -> None:
    kind, value = PLACES[place]
    made: Any = Handoff.of(create_model("Holder", place=(kind, ...), shown=(str, "shown")), id="x")
    payload = await call.prepare(made, {"place": value})
    assert SECRET not in payload.context + repr(payload)
    assert '"shown": "shown"' in payload.context
    assert SECRET in json.dumps(payload.to_envelope())
    assert made.from_envelope(payload.to_envelope()) == payload


@pytest.mark.parametrize(
    "alias,value",
    [
        (AliasChoices("one", "other"), {"other": {SECRET: "x"}}),
        (AliasPath("deep", 0), {"deep": [{SECRET: "x"}]}),
        (AliasChoices("one", AliasPath("deep", "down")), {"deep": {"down": {SECRET: "x"}}}),
    ],
    ids=["choices", "path", "both"],
)
async def test_the_path_of_a_problem_ends_at_the_private_fields_alias(call: Call, alias: Any, value: Any) -> None:
    private: Any = Annotated[dict[str, int], Private(), Field(validation_alias=alias)]
    made: Any = Handoff.of(create_model("Holder", field=(private, ...)), id="x")
    with pytest.raises(errors.InputError) as caught:
        await call.prepare(made, value)
    assert SECRET not in str(caught.value)
    assert caught.value.problems[0].expected == "what the private field declares"


def test_a_serializer_around_an_alias_is_refused_as_around_the_field_itself() -> None:
    undone: Any = Annotated[Alias, PlainSerializer(str)]
    with pytest.raises(errors.DefinitionError, match=r"Private\(\) after the serializer"):
        Handoff.of(create_model("Holder", field=(undone, ...)), id="x")


async def test_a_field_that_shares_its_name_with_a_private_one_is_rendered(call: Call) -> None:
    class Outer(BaseModel):
        box: Box[Alias]
        item: str

    payload = await call.prepare(Handoff.of(Outer, id="x"), {"box": {"item": SECRET}, "item": "shown"})
    assert '"item": "shown"' in payload.context
    assert SECRET not in payload.context
