"""A private field travels in `payload.data` and is in nothing that is shown."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    GetCoreSchemaHandler,
    Json,
    JsonValue,
    PlainSerializer,
    RootModel,
    SerializeAsAny,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema
from support import MASKS_EVERYWHERE, Call
from typing_extensions import TypedDict

from crux_langgraph import Handoff, Private, errors, handoff

SECRET = "s3cret-value"
Hidden = Annotated[str, Private()]


class Inner(BaseModel):
    token: Annotated[str, Private()] = SECRET
    name: str = "shown"


class Table(TypedDict):
    key: Annotated[str, Private()]


class Holder(BaseModel):
    text: str = "shown"
    token: Annotated[str, Private()] = SECRET
    maybe: Annotated[str, Private()] | None = SECRET
    tokens: list[Annotated[str, Private()]] = Field(default_factory=lambda: [SECRET])
    named: dict[str, Annotated[str, Private()]] = Field(default_factory=lambda: {"a": SECRET})
    inner: Inner = Field(default_factory=Inner)
    inners: list[Inner] = Field(default_factory=lambda: [Inner()])
    whole: Annotated[Inner, Private()] = Field(default_factory=lambda: Inner(name=SECRET))
    table: Table = Field(default_factory=lambda: Table(key=SECRET))
    aliased: Annotated[str, Private(), Field(alias="al")] = SECRET
    mapping: Annotated[dict[str, int], Private()] = Field(default_factory=lambda: {SECRET: 1})


class Root(RootModel[Annotated[str, Private()]]):
    pass


HOLDER = Handoff.of(Holder, id="holder")


async def test_it_is_in_the_data_and_the_envelope_and_nowhere_else(call: Call, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    payload = await call.prepare(HOLDER, Holder())
    assert payload.data == Holder()
    assert SECRET in json.dumps(payload.to_envelope())
    context = HOLDER.as_context(payload)
    for shown in (payload.context, repr(payload), str(payload), repr(context), repr(payload.receipt), caplog.text):
        assert SECRET not in shown
    assert "[private]" in repr(payload)


async def test_a_context_leaves_private_fields_out_and_keeps_the_others(call: Call) -> None:
    payload = await call.prepare(HOLDER, Holder())
    shown = json.loads(payload.context.split(">\n", 1)[1].rsplit("\n</data", 1)[0])
    assert shown == {
        "text": "shown",
        "tokens": [],
        "named": {},
        "inner": {"name": "shown"},
        "inners": [{"name": "shown"}],
        "table": {},
    }


async def test_it_survives_the_round_trip(call: Call) -> None:
    payload = await call.prepare(HOLDER, Holder(token="another"))
    assert HOLDER.from_envelope(payload.to_envelope()) == payload


@pytest.mark.parametrize(
    "bad",
    [
        {"token": [SECRET]},
        {"tokens": [{SECRET: 1}]},
        {"named": {SECRET: 5}},
        {"inner": {"token": {SECRET: 1}}},
        {"inners": [{"token": [SECRET]}]},
        {"mapping": {SECRET: SECRET}},
        {"table": {"key": [SECRET]}},
        {"al": [SECRET]},
        {"text": SECRET.encode() + b"\xff"},
    ],
    ids=lambda bad: next(iter(bad)),
)
async def test_an_error_about_it_names_the_field_and_no_value(call: Call, bad: Any) -> None:
    with pytest.raises(errors.InputError) as caught:
        await call.prepare(HOLDER, bad)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)
    assert caught.value.problems


class Talkative(BaseModel):
    token: Annotated[str, Private()]
    text: str = ""

    @field_validator("text")
    @classmethod
    def quote(cls, value: str, info: Any) -> str:
        if value == "quote":
            raise ValueError(info.data["token"])
        return value

    @model_validator(mode="after")
    def quote_all(self) -> "Talkative":
        if self.text == "quote all":
            raise ValueError(self.token)
        return self


@pytest.mark.parametrize("text", ["quote", "quote all"])
async def test_a_validators_own_words_are_withheld_where_a_field_is_private(call: Call, text: str) -> None:
    with pytest.raises(errors.InputError, match="what the model's own validator allows") as caught:
        await call.prepare(Handoff.of(Talkative, id="x"), {"token": SECRET, "text": text})
    assert SECRET not in str(caught.value)


async def test_a_validation_error_inside_a_transform_quotes_nothing(call: Call) -> None:
    @handoff
    def building(holder: Holder) -> Holder:
        Talkative(token=holder.token, text="quote")
        return holder

    with pytest.raises(errors.TransformError) as caught:
        await call.prepare(building, Holder())
    assert SECRET not in str(caught.value)


async def test_a_private_root_is_masked_as_a_whole(call: Call) -> None:
    made = Handoff.of(Root, id="root")
    payload = await call.prepare(made, Root(SECRET))
    assert SECRET not in repr(payload) + payload.context
    assert made.from_envelope(payload.to_envelope()).data.root == SECRET


def test_a_model_with_private_fields_is_otherwise_an_ordinary_model() -> None:
    assert Holder().model_dump()["token"] == SECRET
    assert Holder.model_json_schema()["properties"]["token"]["type"] == "string"
    assert Holder.model_validate_json(Holder().model_dump_json(by_alias=True)) == Holder()
    assert Holder().model_dump(context={"else": 1})["token"] == SECRET


class Wrapped(BaseModel):
    token: SerializeAsAny[Annotated[str, Private()]]


class AsDefault(BaseModel):
    token: str = Private()  # type: ignore[assignment]


class Either(BaseModel):
    either: dict[str, Any] | list[Inner | Table] | Inner


class Kept(BaseModel):
    kind: Annotated[Literal["kept"], Private()]


class Open(BaseModel):
    kind: Literal["open"] = "open"
    token: Annotated[str, Private] = SECRET


class Told(BaseModel):
    either: Annotated[Open | Kept, Field(discriminator="kind")]
    ids: dict[str, UUID] = {}


@pytest.mark.parametrize(
    "model,told",
    [
        (Wrapped, r"Private\(\) after the serializer"),
        (AsDefault, r"expected Annotated\[..., Private\(\)\], found Private as its default"),
        (Either, r"Private\(\) in a union that JSON cannot tell apart: either\nTell its members apart"),
    ],
)
def test_what_would_show_a_private_field_is_refused(model: Any, told: str) -> None:
    with pytest.raises(errors.DefinitionError, match=told):
        Handoff.of(model, id="x")


def test_a_union_that_a_literal_tells_apart_may_hold_private_fields() -> None:
    made = Handoff.of(Told, id="x")
    payload = made.prepare({"either": {"kind": "open"}})
    assert SECRET not in repr(payload) + payload.context
    assert made.from_envelope(payload.to_envelope()) == payload


@pytest.mark.parametrize(
    "bad", [{"either": {"kind": SECRET}}, {"either": {"kind": "open"}, "ids": {"a": SECRET}}], ids=str
)
def test_messages_of_pydantic_that_quote_are_told_without_the_quote(bad: Any) -> None:
    with pytest.raises(errors.InputError, match=r"one of the tags|a valid UUID") as caught:
        Handoff.of(Told, id="x").prepare(bad)
    assert SECRET not in str(caught.value)


class Record(NamedTuple):
    text: str
    token: Annotated[str, Private()]


class Called:
    """Read by a call of it, as pydantic before 2.14 reads a NamedTuple: its fields are never asked how to write them."""

    def __init__(self, token: str) -> None:
        self.token = token

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        token = core_schema.arguments_parameter("token", handler.generate_schema(Annotated[str, Private()]))
        return core_schema.call_schema(core_schema.arguments_schema([token]), cls)


@pytest.mark.parametrize("kind", [Called, list[Called]])
def test_it_is_refused_where_pydantic_would_write_it_out(kind: Any) -> None:
    made = create_model("Holder", called=(kind, ...), again=(kind, ...))
    with pytest.raises(errors.DefinitionError, match=r"again, called(\n.*)use pydantic 2\.14 or later"):
        Handoff.of(made, id="x")


class Anyhow:
    """Read by a call of something else."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.call_schema(core_schema.arguments_schema([]), dict)


def test_what_is_read_by_a_call_and_holds_nothing_private_is_taken() -> None:
    made: Any = Handoff.of(create_model("Holder", plain=(Annotated[dict[str, int], Anyhow], {})), id="x")
    assert made.prepare({}).data.model_dump() == {"plain": {}}


class Recorded(BaseModel):
    records: list[Record]


class Open(NamedTuple):
    number: int


@dataclass
class Holding:
    token: Hidden


class Modelled(BaseModel):
    token: Hidden


@pytest.mark.parametrize("taking", [Any, Open])
@pytest.mark.parametrize(
    "behind,value",
    [(Hidden, SECRET), (Holding, Holding(SECRET)), (list[Hidden], [SECRET])],
    ids=["text", "held", "list"],
)
async def test_in_a_union_it_stands_before_what_takes_any_value(
    call: Call, taking: Any, behind: Any, value: Any
) -> None:
    if taking is Any or not MASKS_EVERYWHERE:
        with pytest.raises(errors.DefinitionError, match=r"Private\(\)"):
            Handoff.of(create_model("Behind", place=(taking | behind, ...)), id="x")
    if taking is Open and (MASKS_EVERYWHERE or behind is not Holding):
        before = Handoff.of(create_model("Before", place=(behind | taking, ...), shown=(str, "shown")), id="x")
        payload = await call.prepare(before, {"place": value})
        assert SECRET not in payload.context + repr(payload)
        assert "shown" in payload.context


@pytest.mark.parametrize(
    "taking,behind",
    [
        (JsonValue, Hidden),
        (JsonValue, Modelled),
        (Json, Hidden),
        (Sequence[str], Hidden),
        (Annotated[int, PlainSerializer(str)], Hidden),
        (str, Hidden),
        (Annotated[str, Field(max_length=3)], Hidden),
        (str, Annotated[date, Private()]),
        (date, Annotated[date, Private()]),
    ],
    ids=str,
)
def test_in_a_union_it_stands_before_what_takes_its_value_too(taking: Any, behind: Any) -> None:
    with pytest.raises(errors.DefinitionError, match=r"Private\(\).*: place\n"):
        Handoff.of(create_model("Behind", place=(taking | behind, ...)), id="x")


@pytest.mark.parametrize(
    "beside,value",
    [
        (int, SECRET),
        (Literal["none"], SECRET),
        (list[int], SECRET),
        (Annotated[int, AfterValidator(abs)], SECRET),
        (Sequence[str], Modelled(token=SECRET)),
        (list[str], Modelled(token=SECRET)),
        (str, [Modelled(token=SECRET)]),
    ],
    ids=str,
)
async def test_in_a_union_it_stands_beside_what_does_not_take_its_value(call: Call, beside: Any, value: Any) -> None:
    behind: Any = {str: Hidden, list: list[Modelled]}.get(type(value), Modelled)
    made = Handoff.of(create_model("Beside", place=(beside | behind, ...)), id="x")
    payload = await call.prepare(made, {"place": value})
    back = made.from_envelope(json.loads(json.dumps(payload.to_envelope())))
    for one in (payload, back):
        assert SECRET not in one.context + repr(one)


def test_a_model_hides_its_own_behind_whatever_member_of_a_union() -> None:
    made: Any = Handoff.of(
        create_model("Holder", place=(Annotated[dict[str, int], Anyhow] | list[Modelled], ...)), id="x"
    )
    payload = made.prepare({"place": [{"token": SECRET}]})
    assert SECRET not in payload.context + repr(payload)
    assert made.from_envelope(payload.to_envelope()) == payload


class Linked(BaseModel):
    token: Hidden
    link: "dict[str, int] | Linked | None" = None


class LinkedBehind(BaseModel):
    token: Hidden
    link: "Any | list[LinkedBehind]" = None


@pytest.mark.parametrize("kind", [Linked, LinkedBehind])
def test_a_model_that_holds_itself_in_such_a_union_is_refused(kind: type[BaseModel]) -> None:
    with pytest.raises(errors.DefinitionError, match=r"Private\(\).*: link\n"):
        Handoff.of(kind, id="x")


def test_anything_that_is_private_as_a_whole_may_stand_first() -> None:
    made: Any = Handoff.of(create_model("Holder", place=(Annotated[Any, Private()] | Hidden, ...)), id="x")
    assert SECRET not in made.prepare({"place": SECRET}).context


async def test_it_is_left_out_of_what_is_cut_to_a_budget_too_or_refused_at_the_definition(call: Call) -> None:
    if not MASKS_EVERYWHERE:
        with pytest.raises(errors.DefinitionError, match=r"records\n.*use pydantic 2\.14 or later"):
            Handoff.of(Recorded, id="x")
        return
    value = Recorded(records=[Record(f"line {n} of the long text", f"{SECRET}-{n}") for n in range(200)])
    payload = await call.prepare(Handoff.of(Recorded, id="x", max_tokens=300), value)
    assert payload.receipt.tier != "verbatim"
    assert SECRET not in payload.context
