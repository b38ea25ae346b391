"""What is private stays out of the text wherever a payload holds it; a set stands in one order."""

import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self, Union

import pytest
from pydantic import BaseModel, ConfigDict, PlainSerializer, RootModel, WrapSerializer, create_model
from pydantic.dataclasses import dataclass as validated
from typing_extensions import TypedDict

from crux_langgraph.compression import fit
from crux_langgraph.fields import Omit, Pin, Private

Hidden = Annotated[str, Private()]


class Model(BaseModel):
    token: Hidden = "hush"
    name: str = "ann"


@dataclass
class Plain:
    token: Hidden = "hush"
    name: str = "ann"


@dataclass(frozen=True)
class Frozen:
    token: Hidden = "hush"
    name: str = "ann"


@validated
class Validated:
    token: Hidden = "hush"
    name: str = "ann"


class Pair(NamedTuple):
    token: Hidden = "hush"
    name: str = "ann"


class Pairs(NamedTuple):
    """What holds a private part by its fields: each kind, side by side, and in containers."""

    pair: Pair
    plain: Plain
    listed: list[Pair | Plain]
    named: "dict[str, Pair | Pairs | None]"
    names: list[Hidden]
    link: Any


class Holder(BaseModel):
    pair: Pair
    pairs: tuple[list[int] | Pairs, ...]


class Anything(BaseModel):
    value: Any
    rest: str = ""


class Object(BaseModel):
    value: object
    values: list[object]


class Hushed(RootModel[Hidden]):
    pass


class Many(RootModel[list[Hidden]]):
    pass


def deep(value: Any) -> Any:
    """Nest a value deeper than a fit walks."""
    for _ in range(70):
        value = [value]
    return value


def said_by(value: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [value, "ann"]}]


def called_with(args: Any) -> list[dict[str, Any]]:
    return [{"role": "ai", "content": "ann", "tool_calls": [{"name": "look", "args": args}]}]


PLACES: list[Callable[[Any], Any]] = [
    lambda value: value,
    lambda value: {"a": value, "ann": 1},
    lambda value: [value, "ann"],
    lambda value: deque([value, "ann"]),
    lambda value: Anything(value=value, rest="ann"),
    lambda value: Anything(value=[value, {"b": value}], rest="ann"),
    lambda value: Object(value=value, values=[value]),
    lambda value: {"ann": deep(value)},
    lambda value: Anything(value=deep(value), rest="ann"),
    said_by,
    called_with,
    lambda value: called_with({"a": value}),
    lambda value: called_with([{"a": (value,)}]),
]


@pytest.mark.parametrize("place", PLACES, ids=range(len(PLACES)))
@pytest.mark.parametrize("holder", [Model, Plain, Validated, Pair])
def test_a_private_field_is_shown_nowhere_and_its_neighbour_is(holder: Any, place: Callable[[Any], Any]) -> None:
    for budget in (3_000, 40):
        fitted = fit(place(holder()), budget)
        assert "hush" not in f"{fitted}"
        assert "crux" not in f"{fitted}"
    assert "ann" in fit(place(holder()), 3_000).text


def test_a_private_field_of_a_named_tuple_is_shown_nowhere_though_a_model_declares_it() -> None:
    inner = Pairs(Pair(), Plain(), [Pair(), Plain()], {"none": None}, ["hush"], [Pair(), Plain()])
    outer = inner._replace(named={"inner": inner, "pair": Pair()})
    for payload in (Holder(pair=Pair(), pairs=(outer, [7])), outer, [outer]):
        text = fit(payload, 3_000).text
        assert "hush" not in text
        assert text.count("ann") >= 13


def test_a_serializer_of_the_users_own_says_what_a_named_tuple_shows() -> None:
    class Written(BaseModel):
        short: Annotated[Pair, PlainSerializer(lambda pair: [pair.name.upper()])]
        text: Annotated[Pair, PlainSerializer(lambda pair: pair.name.upper())]

    text = fit(Written(short=Pair(), text=Pair()), 500).text
    assert text.count("ANN") == 2
    assert "hush" not in text


class Open(NamedTuple):
    number: int = 1


TAKING = [Any, object, Open, Pair, str, list[str], dict[str, Any]]
BEHIND = [
    (Hidden, "hush"),
    (Plain, Plain()),
    (list[Hidden], ["hush"]),
    (dict[str, Hidden], {"a": "hush"}),
    (Pair, Pair()),
    (Self, Plain()),
]


@pytest.mark.parametrize("taking", TAKING, ids=str)
def test_a_member_of_a_union_that_takes_any_value_does_not_write_out_what_another_hides(taking: Any) -> None:
    for behind, value in BEHIND:
        union: Any = Annotated[taking | Annotated[behind, "told"], "all"]
        made = create_model("Made", value=(union, ...), values=(list[union], ...), named=(dict[str, union | None], ...))
        filled = made.model_construct(value=value, values=[value], named={"ann": value, "none": None})
        assert "hush" not in fit(filled, 500).text


@pytest.mark.parametrize("about", [(), ("told",)], ids=["bare", "told"])
def test_what_was_seen_of_a_union_in_another_order_shows_nothing_private(about: tuple[str, ...]) -> None:
    for members in ((Hidden, Any), (Any, Hidden)):
        union: Any = Union[(*members, None)]  # by `|` typing gives the one of both that it made first
        annotation: Any = Annotated[(union, *about, object())] if about else union
        made = create_model("Made", values=(list[annotation], ...))
        assert "hush" not in fit(made.model_construct(values=["hush"]), 500).text


def test_a_union_in_a_root_shows_nothing_private() -> None:
    class Rooted(RootModel[Any | Hidden]):
        pass

    class Outer(BaseModel):
        root: Rooted

    assert "hush" not in fit(Outer(root=Rooted("hush")), 500).text


def test_a_record_that_another_member_of_a_union_took_is_shown_as_its_own_class_says() -> None:
    class Other(BaseModel):
        token: str
        name: str

    class Taking(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        value: Any | Other

    text = fit(Taking(value=Plain()), 500).text
    assert "hush" not in text
    assert "ann" in text


@dataclass
class Sub(Plain):
    more: str = "more"


class Keeping(NamedTuple):
    name: str
    note: Annotated[str, Omit()]


@dataclass
class Loose:
    name: str
    note: str


@dataclass
class Tight:
    name: str
    note: Annotated[str, Omit()]


class Entry(TypedDict):
    name: str
    note: str


class Mixed(BaseModel):
    value: Entry | (int | Loose) | Tight | Plain | Keeping


@pytest.mark.parametrize(
    "value,shown",
    [
        (Tight("ann", "aside"), {"name": "ann"}),
        (Loose("ann", "aside"), {"name": "ann", "note": "aside"}),
        (Sub(), {"name": "ann"}),
        (Keeping("ann", "aside"), ["ann"]),
        ({"name": "ann", "note": "aside"}, {"name": "ann", "note": "aside"}),
    ],
    ids=["exact", "nested", "subclass", "named tuple", "mapping"],
)
def test_the_member_of_a_union_that_a_record_is_of_says_what_is_shown(value: Any, shown: Any) -> None:
    assert json.loads(fit(Mixed.model_construct(value=value), 500).text)["value"] == shown


def test_what_pydantic_has_no_schema_for_stands_beside_what_is_hidden() -> None:
    class Odd:
        def __str__(self) -> str:
            return "odd one"

    class Beside(NamedTuple):
        odd: Odd
        token: Hidden

    class Taken(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        beside: Beside

    text = fit(Taken(beside=Beside(Odd(), "hush")), 500).text
    assert "odd one" in text
    assert "hush" not in text


@pytest.mark.parametrize("key", [Pair(), ("ann", Pair()), Frozen()], ids=["named tuple", "tuple", "dataclass"])
def test_what_is_private_in_a_key_is_not_in_its_text(key: Any) -> None:
    for payload in ({key: 1}, Anything(value={key: 1})):
        text = fit(payload, 500).text
        assert "hush" not in text
        assert "ann" in text


def test_a_key_that_is_private_as_a_whole_is_named_as_that() -> None:
    class Keyed(BaseModel):
        keyed: dict[Hidden, int]

    assert fit(Keyed(keyed={"hush": 1}), 500).text == '{\n  "keyed": {\n    "[private]": 1\n  }\n}'


KEYS: list[tuple[Any, Any]] = [
    (str | Hidden, "hush"),
    (Any | Hidden, "hush"),
    (tuple[int, str | Hidden], (1, "hush")),
    (tuple[Hidden, ...] | str, ("hush",)),
    (tuple[Pair | Frozen, ...], (Frozen(),)),
]


@pytest.mark.parametrize("key,value", KEYS, ids=str)
def test_what_is_private_in_a_union_in_a_key_is_not_in_its_text(key: Any, value: Any) -> None:
    kinds: list[Any] = [dict[key, int], dict[str, int] | dict[key, int], RootModel[dict[key, dict[key, int]]]]
    for kind in kinds:
        filled = {value: {value: 7} if kind is kinds[-1] else 7}
        held = kind.model_construct(root=filled) if kind is kinds[-1] else filled
        text = fit(create_model("Made", value=(kind, ...)).model_construct(value=held), 500).text
        assert "hush" not in text
        assert "7" in text


def test_keys_that_hide_nothing_are_named_beside_those_that_do() -> None:
    class Keyed(BaseModel):
        keyed: dict[tuple[int, Hidden] | int, int]

    text = fit(Keyed(keyed={(1, "hush"): 2, 3: 4}), 500).text
    assert json.loads(text) == {"keyed": {"[1]": 2, "3": 4}}


def test_keys_of_one_text_are_named_as_private_where_one_of_them_is() -> None:
    class Keyed(BaseModel):
        keyed: dict[int | Hidden, int]

    assert json.loads(fit(Keyed(keyed={1: 2, "1": 3}), 500).text) == {"keyed": {"[private]": 3}}


@pytest.mark.parametrize("written", [PlainSerializer(str), WrapSerializer(lambda value, _: str(value))])
def test_a_serializer_beside_a_named_tuple_in_a_union_does_not_write_it_out(written: Any) -> None:
    made = create_model("Made", value=(Annotated[int, written] | Pair, ...))
    assert "hush" not in fit(made.model_construct(value=Pair()), 500).text


@pytest.mark.parametrize("place", PLACES[1:7], ids=range(6))
@pytest.mark.parametrize("value", [Hushed("hush"), Many(["hush", "hush"])])
def test_a_private_root_is_shown_nowhere(value: Any, place: Callable[[Any], Any]) -> None:
    text = fit(place(value), 500).text
    assert "hush" not in text
    assert "crux" not in text


def test_a_payload_that_is_private_as_a_whole_is_shown_as_nothing() -> None:
    assert fit(Hushed("hush"), 60).text == "null"


def test_a_named_speaker_comes_forward_among_those_who_speak_of_the_matter() -> None:
    talk = [
        {"role": "speaker", "name": f"Guest {'ABC'[n % 3]}", "content": f"Harbour crane {n} was late again today."}
        for n in range(60)
    ]
    text = fit(talk, 200, task="What does Guest B say about the harbour?").text
    assert text.count("Guest B:") > text.count("Guest A:") + text.count("Guest C:")


def test_a_masked_dump_is_asked_for_and_any_other_keeps_the_value() -> None:
    assert Model().model_dump() == Model().model_dump(context={"other": 1}) == {"token": "hush", "name": "ann"}


def test_fields_of_a_dataclass_are_pinned_and_omitted_as_those_of_a_model() -> None:
    @dataclass
    class Task:
        rule: Annotated[str, Pin()]
        raw: Annotated[str, Omit()]

    fitted = fit({"tasks": [Task('say "no"', "soup")], "notes": "word " * 900}, 200)
    assert 'rule: say "no"' in fitted.text
    assert "soup" not in fitted.text
    assert "tasks[].raw" in fitted.omitted


def test_bytes_that_are_no_text_are_shown_escaped() -> None:
    class Blob(BaseModel):
        data: bytes

    assert fit({"b": b"\xffok"}, 60).text == '{\n  "b": "\\\\xffok"\n}'
    assert fit(Blob(data=b"\xffok"), 60).text == '{\n  "data": "\\\\xffok"\n}'


@pytest.mark.parametrize("items", [{b"\xff", 3}, {"a": b"\xff"}, [b"\xff", "x"], 4.5])
def test_what_stands_beside_such_bytes_is_shown(items: Any) -> None:
    value = Anything(value=items, rest="ann")
    other = Anything(value=[b"\xfe", items], rest="ann")
    for payload in (value, other):
        assert '"rest": "ann"' in fit(payload, 500).text


def test_the_tokens_before_count_every_item_of_a_list() -> None:
    class Row(BaseModel):
        note: Annotated[str, Pin()]

    class Rows(BaseModel):
        rows: list[Row]

    def before(*notes: str) -> int:
        return next(
            p for p in fit(Rows(rows=[Row(note=n) for n in notes]), 900).parts if p.path == "rows[].note"
        ).tokens_before

    assert before("", "some words here") == before("some words here")
    assert before("some words here", "some words here") == 2 * before("some words here")


_PROGRAM = """
from typing import Annotated, Any
from pydantic import BaseModel
from crux_langgraph.compression import fit
from crux_langgraph.fields import Omit
class Tag(BaseModel, frozen=True):
    names: frozenset[str]
class Brief(BaseModel):
    tags: set[str]
    pairs: set[tuple[str, int]]
    value: Any
    nested: dict[str, frozenset[str]]
    raw: Annotated[set[str], Omit()]
    models: set[Tag]
    maybe: set[str] | None
names = ["alpha", "beta", "gamma", "delta", "epsilon"]
some = set(names)
brief = Brief(tags=some, pairs={(n, at) for at, n in enumerate(names)}, value={"k": some}, nested={"n": some},
    raw=some, models={Tag(names=frozenset(names[:3])), Tag(names=frozenset(names[2:]))}, maybe=some)
sets = {"x": {frozenset(names[:2]), frozenset(names[2:])}}
messages = [{"role": "user", "content": "go " * 90, "tool_calls": [{"name": "f", "args": {"s": some}}]}]
for payload in (brief, {"b": brief}, sets, messages):
    for budget in (9_000, 200, 90, 45, 30):
        print(fit(payload, budget, task="beta and delta", focus=sorted(some), receiver=Brief))
"""


def test_sets_stand_in_one_order_whatever_the_hash_seed() -> None:
    def answer(seed: str) -> bytes:
        return subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            capture_output=True,
            check=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout

    assert answer("1") == answer("2") == answer("77") != b""


def test_what_is_nested_too_deep_is_shown_unless_something_in_it_could_be_private() -> None:
    assert "bottom" in fit({"a": deep({"k": "bottom"})}, 3_000).text
    assert "hush" not in fit({"a": deep({"k": Plain()})}, 3_000).text


class Page(NamedTuple):
    text: str
    raw: Annotated[str, Omit()]


class Rule(NamedTuple):
    by: str
    rule: Annotated[str, Pin()]


class Book(BaseModel):
    pages: list[Page]
    anything: Any
    rules: tuple[Rule, ...]


@pytest.mark.parametrize("size", [2, 900])
def test_the_fields_of_a_named_tuple_are_pinned_and_omitted_as_declared(size: int) -> None:
    pages = [Page(f"ann wrote {n} words " * 10, "left aside") for n in range(size)]
    rule = 'Do not "sail"\nat night.'
    fitted = fit(Book(pages=pages, anything=pages, rules=(Rule("bob", rule),)), 300)
    assert ("left aside" in fitted.text, rule in fitted.text) == (False, True)
    assert {part.path for part in fitted.parts if part.reason == "declared Omit()"} == {"pages[][]", "anything[][]"}
