"""What JSON, or a checkpoint, would lose or change is refused before it crosses, by path."""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Generic, NamedTuple, NotRequired, TypeVar

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel, ConfigDict, Field, JsonValue, Secret, computed_field, create_model
from pydantic.dataclasses import dataclass as checked_dataclass
from support import Call, alias_of_itself, two_agents
from typing_extensions import TypeAliasType, TypedDict

from crux_langgraph import Handoff, errors

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
T = TypeVar("T")


def of(kind: Any) -> Handoff[Any, Any]:
    """A handoff of a model with one field `x` of that type."""
    return Handoff.of(create_model("Holder", x=(kind, ...)), id="x")


class Color(Enum):
    RED = "red"


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str = ""


Keys = TypeAliasType("Keys", int | str)


@pytest.mark.parametrize(
    "kind",
    [dict[tuple[int, int], int], dict[None, int], dict[int | str, int], dict[Keys, int], Mapping[Frozen, int]],
    ids=str,
)
def test_keys_that_json_cannot_tell_apart_are_refused_at_decoration(kind: Any) -> None:
    with pytest.raises(errors.DefinitionError, match=r"x\[key\]: expected keys of one plain type"):
        of(kind)


@pytest.mark.parametrize(
    "kind,value",
    [
        (dict[int, int], {1: 2}),
        (dict[bool, int], {True: 2}),
        (dict[datetime, int], {NOW: 2}),
        (dict[Decimal, int], {Decimal("1.0"): 2}),
        (dict[Color, int], {Color.RED: 2}),
        (OrderedDict[Path, int], {Path("a"): 1}),
        (defaultdict[str, list[int]], {"a": [1]}),
        (Counter[str], {"a": 2}),
        (dict[Any, int], {"a": 1}),
        (dict, {"a": [1]}),
    ],
    ids=str,
)
async def test_keys_of_one_plain_type_survive_the_round_trip(call: Call, kind: Any, value: Any) -> None:
    payload = await call.prepare(of(kind), {"x": value})
    assert of(kind).from_envelope(payload.to_envelope()).data.x == payload.data.x == value


@pytest.mark.parametrize("kind", [dict, dict[Any, Any], dict[Any, str]], ids=str)
async def test_keys_that_may_be_anything_must_be_text(call: Call, kind: Any) -> None:
    with pytest.raises(errors.InputError, match="x: expected string keys, found a int key"):
        await call.prepare(of(kind), {"x": {1: "a", "1": "b"}})


LONG = 2**64


@pytest.mark.parametrize(
    "kind,value,path",
    [
        (int, LONG, "x"),
        (int | None, -LONG, "x"),
        (int | str, LONG, "x"),
        (int | float, LONG, "x"),
        (list[int], [1, LONG, 2], "x[1]"),
        (set[int], {LONG}, "x[0]"),
        (dict[str, int], {"a": LONG}, "x.a"),
        (Any, {"a": [LONG]}, "x.a[0]"),
        (JsonValue, [LONG], "x[0]"),
    ],
    ids=str,
)
async def test_integers_that_no_checkpoint_can_write_are_refused(call: Call, kind: Any, value: Any, path: str) -> None:
    with pytest.raises(errors.InputError) as caught:
        await call.prepare(of(kind), {"x": value})
    assert [(problem.path, problem.found) for problem in caught.value.problems] == [(path, "a longer int")]


async def test_the_longest_integers_pass_a_checkpointer(call: Call) -> None:
    made: Any = Handoff.of(create_model("Holder", x=(list[int], ...)), id="a-to-b", from_agent="a", to_agent="b")
    graph = two_agents(made, found={"x": [-(2**63), 2**64 - 1, 0]}).compile(checkpointer=InMemorySaver())
    out = await call(graph, {}, {"configurable": {"thread_id": "t"}})
    assert out["seen"]["x"] == [-(2**63), 2**64 - 1, 0]


@pytest.mark.parametrize("value", [[], [1, 2], (3,)], ids=str)
async def test_ordinary_lists_of_integers_pass(call: Call, value: Any) -> None:
    assert (await call.prepare(of(list[int]), {"x": value})).data.x == list(value)


async def test_a_list_of_what_is_no_integer_is_told_by_the_model(call: Call) -> None:
    wrong = create_model("Holder", x=(list[int], ...))
    with pytest.raises(errors.InputError, match=r"x\[1\]: expected a valid integer"):
        await call.prepare(Handoff.of(wrong, id="x"), wrong.model_construct(x=[1, "a"]))


async def test_a_path_that_utf8_cannot_write_is_refused(call: Call) -> None:
    with pytest.raises(errors.InputError, match="x: expected text that UTF-8 can write"):
        await call.prepare(of(Path), {"x": Path("\udcff")})
    assert (await call.prepare(of(Path), {"x": Path("a")})).data.x == Path("a")


class Typed(TypedDict):
    a: int


class Loose(TypedDict):
    a: NotRequired[Any]


@pytest.mark.parametrize(
    "kind,value",
    [
        (Typed | float, {"a": 1}),
        (Typed | float, 1.5),
        (list[str] | list[Any], ["a"]),
        (list[str] | list[Any], [{"a": 1}]),
        (dict[str, datetime] | list[Any], {"a": NOW}),
        (int | float | None, None),
        (Frozen | Typed | float, {"name": "n"}),
    ],
    ids=str,
)
async def test_unions_of_what_is_checked_and_what_is_free_pass(call: Call, kind: Any, value: Any) -> None:
    made = of(kind)
    payload = await call.prepare(made, {"x": value})
    assert made.from_envelope(payload.to_envelope()) == payload


@pytest.mark.parametrize(
    "kind,value",
    [
        (list[str] | list[Any], [...]),
        (Typed | Any, NOW),
        (Loose | float, {"a": NOW}),
        (int | float, float("inf")),
    ],
    ids=str,
)
async def test_unions_are_checked_by_every_alternative_that_could_be_meant(call: Call, kind: Any, value: Any) -> None:
    with pytest.raises(errors.InputError, match="x"):
        await call.prepare(of(kind), {"x": value})


async def test_json_values_by_their_pydantic_name_are_welcome(call: Call) -> None:
    made = of(JsonValue)
    payload = await call.prepare(made, {"x": {"a": [1, None, True]}})
    assert made.from_envelope(payload.to_envelope()) == payload


async def test_an_alias_is_looked_into_once_and_checked_everywhere(call: Call) -> None:
    numbers = TypeAliasType("numbers", list[float])
    made: Any = Handoff.of(create_model("Holder", one=(numbers, ...), two=(numbers | None, ...)), id="x")
    assert (await call.prepare(made, {"one": [1], "two": None})).data.one == [1]
    with pytest.raises(errors.InputError, match=r"two\[0\]: expected a finite number"):
        await call.prepare(made, {"one": [1], "two": [float("inf")]})


async def test_an_alias_that_names_itself_is_followed(call: Call) -> None:
    made = of(alias_of_itself(float))
    payload = await call.prepare(made, {"x": [1.5, [[2.5]]]})
    assert made.from_envelope(payload.to_envelope()) == payload
    with pytest.raises(errors.InputError, match=r"x\[0\]\[1\]: expected a finite number"):
        await call.prepare(made, {"x": [[1.5, float("inf")]]})


class Leaf(BaseModel):
    below: "Leaf | None" = None


class Tree(BaseModel):
    below: "list[Tree]" = []
    weight: float = 0


def nested(depth: int) -> Any:
    value: Any = {}
    for _ in range(depth):
        value = {"below": value}
    return value


async def test_what_nests_deeper_than_json_readers_follow_is_refused(call: Call) -> None:
    made = Handoff.of(Leaf, id="x")
    payload = await call.prepare(made, nested(150))
    assert made.from_envelope(payload.to_envelope()) == payload
    with pytest.raises(errors.InputError, match="expected nesting that JSON readers follow"):
        await call.prepare(made, nested(210))


async def test_trees_are_checked_at_every_level(call: Call) -> None:
    with pytest.raises(errors.InputError, match=r"below\[0\].below\[0\].weight: expected a finite number"):
        await call.prepare(Handoff.of(Tree, id="x"), {"below": [{"below": [{"weight": float("inf")}]}]})


@dataclass
class Counted(Generic[T]):
    item: T
    made: ClassVar[int] = 0


class TypedItem(TypedDict, Generic[T]):
    item: T


class NamedItem(NamedTuple, Generic[T]):
    item: T


@pytest.mark.parametrize("kind", [Counted[datetime], TypedItem[datetime], Counted[list[datetime]]], ids=str)
async def test_generic_dataclasses_and_mappings_are_read_with_their_types(call: Call, kind: Any) -> None:
    value: Any = [NOW] if "list" in str(kind) else NOW
    made = of(kind)
    payload = await call.prepare(made, {"x": {"item": value}})
    assert made.from_envelope(payload.to_envelope()) == payload


async def test_a_generic_without_its_type_holds_json_values(call: Call) -> None:
    assert (await call.prepare(of(Counted), {"x": {"item": {"a": 1}}})).data.x.item == {"a": 1}
    with pytest.raises(errors.InputError, match=r"x\.item: expected a JSON value"):
        await call.prepare(of(Counted), {"x": {"item": NOW}})


@dataclass
class Late:
    seed: InitVar[int]
    grown: int = 0

    def __post_init__(self, seed: int) -> None:
        self.grown = seed


@checked_dataclass
class Left:
    out: int = Field(default=1, exclude=True)


@pytest.mark.parametrize(
    "kind,problem",
    [
        (Late, "x.seed: expected a field that is kept"),
        (Left, "x.out: expected a field that is written"),
        (Secret[int], "x: expected Annotated"),
    ],
    ids=["InitVar", "exclude", "Secret"],
)
def test_fields_that_are_not_written_are_refused(kind: Any, problem: str) -> None:
    with pytest.raises(errors.DefinitionError) as caught:
        of(kind)
    assert problem in str(caught.value)


@pytest.mark.parametrize("mapping", [MappingProxyType({"x": 1}), OrderedDict(x=1)], ids=type)
async def test_any_mapping_of_the_fields_is_an_input(call: Call, mapping: Any) -> None:
    assert (await call.prepare(of(int), mapping)).data.x == 1


async def test_what_another_model_lends_by_its_attributes_is_checked_too(call: Call) -> None:
    class Part(BaseModel):
        name: str

    class Whole(BaseModel):
        model_config = ConfigDict(from_attributes=True)
        part: Part

    class Lender(BaseModel):
        part: Part

    made = Handoff.of(Whole, id="x")
    assert (await call.prepare(made, Lender(part=Part(name="n")))).data.part.name == "n"
    with pytest.raises(errors.InputError, match=r"part.name: expected a valid string"):
        await call.prepare(made, Lender(part=Part.model_construct(name=5)))


async def test_messages_survive_the_round_trip_with_their_kinds(call: Call) -> None:
    messages = [
        SystemMessage("be brief"),
        HumanMessage("hello", id="1"),
        AIMessage("", tool_calls=[{"name": "look", "args": {"at": [1]}, "id": "c", "type": "tool_call"}]),
        ToolMessage("seen", tool_call_id="c", artifact={"raw": [1]}),
    ]
    made = of(list[AnyMessage])
    payload = await call.prepare(made, {"x": messages})
    again = made.from_envelope(payload.to_envelope()).data.x
    assert again == messages
    assert [type(message) for message in again] == [type(message) for message in messages]


async def test_a_tools_artifact_that_is_no_json_is_named(call: Call) -> None:
    message = ToolMessage("seen", tool_call_id="c", artifact=object())
    with pytest.raises(errors.InputError, match=r"x\[0\].artifact: expected a JSON value"):
        await call.prepare(of(list[AnyMessage]), {"x": [message]})


async def test_computed_fields_are_not_written_and_so_do_not_hinder_reading_back(call: Call) -> None:
    class Square(BaseModel):
        model_config = ConfigDict(extra="forbid")
        side: int

        @computed_field
        def area(self) -> int:
            return self.side**2

    made = Handoff.of(Square, id="x")
    payload = await call.prepare(made, {"side": 3})
    assert payload.to_envelope()["data"] == {"side": 3}
    assert made.from_envelope(payload.to_envelope()).data.area == 9
