"""In a union what is private is shown nowhere, also after a round trip through JSON; or its definition is refused."""

import collections
import enum
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import (
    AnyUrl,
    BaseModel,
    BeforeValidator,
    Field,
    Json,
    PlainSerializer,
    RootModel,
    WrapSerializer,
    create_model,
)
from support import MASKS_EVERYWHERE, Call, alias_of_itself
from typing_extensions import TypeAliasType, TypedDict

from crux_langgraph import Handoff, Payload, Private, errors
from crux_langgraph.compression import fit

SECRET = "s3cret-value"
T = TypeVar("T")
Hidden = Annotated[str, Private()]
HiddenInt = Annotated[int, Private()]
HiddenDate = Annotated[date, Private()]


class Shade(enum.Enum):
    DARK = "s3cret-value"
    PALE = "pale"


class Tone(enum.Enum):
    LOUD = "s3cret-value"


class Level(enum.IntEnum):
    HIGH = 7


class Modelled(BaseModel):
    token: Hidden


class Shown(BaseModel):
    token: str


class Box(BaseModel, Generic[T]):
    items: T


class Linked(BaseModel):
    token: Hidden = SECRET
    links: "list[Shown] | list[Linked] | None" = None


class Table(TypedDict):
    token: Hidden


@dataclass
class Held:
    token: Hidden


class Pair(NamedTuple):
    token: Hidden


class Open(NamedTuple):
    token: str


class Text(RootModel[str]):
    pass


class Anything(RootModel[Any]):
    pass


class HiddenText(RootModel[Hidden]):
    pass


Texts = TypeAliasType("Texts", list[str])
BLURRED = "JSON cannot tell apart: place\nTell its members apart by a literal field"
BEHIND = "in a union behind a member that may take the value and show it: place\nPut what is private first in the union"

REFUSED: dict[str, tuple[Any, str]] = {
    "lists": (list[str] | list[Hidden], BEHIND),
    "lists of anything": (list[Any] | list[Hidden], BEHIND),
    "bare list": (list | list[Hidden], BEHIND),
    "alias": (Texts | list[Hidden], BEHIND),
    "optional": (list[str | None] | list[Hidden | None] | None, BEHIND),
    "union in a list": (list[int | str] | list[Hidden], BEHIND),
    "private list": (list[str] | Annotated[list[str], Private()], BEHIND),
    "tuples": (tuple[int, str] | tuple[int, Hidden], BEHIND),
    "sets": (set[str] | set[Hidden], BEHIND),
    "deques": (collections.deque[int] | collections.deque[Hidden], BEHIND),
    "dict values": (dict[str, str] | dict[str, Hidden], BEHIND),
    "dict keys": (dict[str, int] | dict[HiddenInt, int], BEHIND),
    "any dict": (collections.defaultdict[str, str] | dict[str, Hidden], f"{BEHIND}|{BLURRED}"),  # by pydantic's version
    "text like a date": (date | Hidden, BEHIND),
    "text like a URL": (AnyUrl | Hidden, BEHIND),
    "path": (Path | Hidden, BEHIND),
    "times": (timedelta | Annotated[time, Private()], BEHIND),
    "numbers": (Decimal | HiddenInt, BEHIND),
    "enums": (Shade | Annotated[Tone, Private()], BEHIND),
    "literal": (Literal["s3cret-value"] | Annotated[Tone, Private()], BEHIND),
    "enum of numbers": (float | Annotated[Level, Private()], BEHIND),
    "in their order": (Annotated[int | Hidden, Field(union_mode="left_to_right")], BEHIND),
    "serializer": (Annotated[int, PlainSerializer(str)] | Modelled, BEHIND),
    "wrapping serializer": (Annotated[str, WrapSerializer(lambda value, _: str(value))] | Modelled, BEHIND),
    "JSON text": (Json[Any] | Modelled, BLURRED),
    "validator": (Annotated[str, BeforeValidator(str)] | Hidden, BEHIND),
    "any root": (Anything | Hidden, BLURRED),
    "root": (Text | Hidden, BLURRED),
    "private root": (HiddenText | str, BLURRED),
    "list and set": (list[str] | set[Hidden], BLURRED),
    "set and list": (set[Hidden] | list[str], BLURRED),
    "tuple and anything": (tuple[int, Hidden] | Any, BLURRED),
    "lists of models": (list[Modelled] | list[Shown], BLURRED),
    "in dict values": (dict[str, list[Shown]] | dict[str, list[Modelled]], BLURRED),
    "list of anything": (list[Modelled] | list[Any], BLURRED),
    "validator behind": (Modelled | Annotated[str, BeforeValidator(str)], BLURRED),
    "mapping and named tuple": (Table | Pair, BLURRED),
    "recursive": (list[alias_of_itself(str)] | list[alias_of_itself(Hidden)], BEHIND),
    "generic": (Box[list[str] | list[Hidden]], r": items\nPut what is private first"),
    "recursive model": (Linked | None, r": links\n"),
}


@pytest.mark.parametrize("place", REFUSED)
def test_a_union_in_which_another_member_may_show_it_is_refused(place: str) -> None:
    kind, told = REFUSED[place]
    with pytest.raises(errors.DefinitionError, match=told):
        Handoff.of(create_model("Holder", place=(kind, ...)), id="x")


MASKED: dict[str, tuple[Any, Any]] = {
    "lists": (list[Hidden] | list[str], [SECRET]),
    "lists of others": (list[int] | list[Hidden], [SECRET]),
    "tuples": (tuple[str, int] | tuple[int, Hidden], (1, SECRET)),
    "sets": (frozenset[Hidden] | frozenset[str], frozenset({SECRET})),
    "deques": (collections.deque[Hidden] | collections.deque[str], collections.deque([SECRET])),
    "dict values": (dict[str, int] | dict[str, Hidden], {"a": SECRET}),
    "dict keys": (dict[Hidden, int] | dict[str, int], {SECRET: 1}),
    "sequence": (Sequence[int] | Modelled, Modelled(token=SECRET)),
    "model": (str | list[int] | Modelled, {"token": SECRET}),
    "date": (Hidden | date, SECRET),
    "date and text": (HiddenDate | str, SECRET),
    "enum and text": (Annotated[Shade, Private()] | str, SECRET),
    "IP address and text": (Annotated[IPv4Address, Private()] | str, SECRET),
    "any": (Hidden | Any, SECRET),
    "list of any": (list[Hidden] | Any, [SECRET]),
    "literal": (Literal["none"] | Hidden, SECRET),
    "enum": (Level | Hidden, SECRET),
    "enums": (Annotated[Tone, Private()] | Shade, Tone.LOUD),
    "flag": (Annotated[Literal["s3cret-value"], Private()] | bool, SECRET),
    "held in lists": (list[str] | list[Held], [Held(SECRET)]),
    "private as a whole": (Annotated[date | str, Private()], SECRET),
    "private union of lists": (Annotated[list[str] | list[Hidden], Private()], [SECRET]),
    "private list of unions": (Annotated[list[str | Hidden], Private()], [SECRET]),
    "anything private": (Annotated[Any, Private()] | str, SECRET),
}
if MASKS_EVERYWHERE:
    MASKED["named tuple"] = (Held | Open, Held(SECRET))


def shown_by(payload: Payload[Any]) -> str:
    """All of a payload that is shown."""
    return payload.context + repr(payload) + fit(payload.data, 500).text


@pytest.mark.parametrize("place", MASKED)
async def test_a_union_in_which_no_other_member_takes_it_hides_it(call: Call, place: str) -> None:
    kind, value = MASKED[place]
    made: Any = Handoff.of(create_model("Holder", place=(kind, ...), shown=(str, "shown")), id="x")
    payload = await call.prepare(made, {"place": value})
    back = made.from_envelope(json.loads(json.dumps(payload.to_envelope())))
    assert SECRET not in shown_by(payload) + shown_by(back)
    assert "shown" in payload.context


MEMBERS: list[Any] = [str, int, date, Shade, Any, list[str], set[str], dict[str, Any], Shown, Text, Path, Decimal, Open]
HIDING: list[tuple[Any, Any]] = [
    (Hidden, SECRET),
    (Annotated[Tone, Private()], Tone.LOUD),
    (Annotated[Path, Private()], Path(SECRET)),
    (Annotated[list[str], Private()], [SECRET]),
    (list[Hidden], [SECRET]),
    (dict[str, Hidden], {"a": SECRET}),
    (Modelled, Modelled(token=SECRET)),
    (Held, Held(SECRET)),
    (HiddenText, HiddenText(SECRET)),
]
AROUND: list[tuple[Any, Any]] = [
    (lambda one, other: one | other, lambda value: value),
    (lambda one, other: list[one | other | None], lambda value: [value, None]),
    (lambda one, other: list[one] | list[other], lambda value: [value]),
    (lambda one, other: dict[str, one] | dict[str, other], lambda value: {"a": value}),
    (lambda one, other: tuple[one, int] | tuple[other, int], lambda value: (value, 1)),
    (lambda one, other: Box[list[one | other]], lambda value: {"items": [value]}),
    (lambda one, other: Annotated[one | other, Field(union_mode="left_to_right")], lambda value: value),
]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(MEMBERS), st.sampled_from(HIDING), st.lists(st.sampled_from(AROUND), min_size=1, max_size=2))
def test_what_a_union_hides_is_shown_nowhere_or_it_is_refused(member: Any, hiding: Any, around: Any) -> None:
    """In both orders, since another one may let it through."""
    for ordered in (list, reversed):
        kind, value, other = *hiding, member
        for make, fill in around:
            kind, value = make(*ordered([other, kind])), fill(value)
        crossed = "".join(map(shown_by, crossings(kind, value)))
        assert SECRET not in crossed


def crossings(kind: Any, value: Any) -> list[Payload[Any]]:
    """The payload and what is read back of it; none where the definition or the value is refused."""
    try:
        made: Any = Handoff.of(create_model("Holder", place=(kind, ...)), id="x")
        payload = made.prepare({"place": value})
        return [payload, made.from_envelope(json.loads(json.dumps(payload.to_envelope())))]
    except (errors.DefinitionError, errors.InputError):
        return []


@pytest.mark.parametrize("place", ["lists", "model", "any"])
async def test_an_error_about_a_union_quotes_nothing(call: Call, place: str) -> None:
    kind = {"lists": list[Hidden] | list[int], "model": str | Modelled, "any": Annotated[str | list[int], Private()]}[
        place
    ]
    with pytest.raises(errors.InputError) as caught:
        await call.prepare(Handoff.of(create_model("Holder", place=(kind, ...)), id="x"), {"place": [{SECRET: SECRET}]})
    assert SECRET not in f"{caught.value}{caught.value!r}"


@pytest.mark.parametrize(
    "kind", [list[str] | list[Shown] | set[str], date | str, Text | str, Shade | Tone, Shown | Any]
)
def test_a_union_without_anything_private_is_taken(kind: Any) -> None:
    Handoff.of(create_model("Holder", place=(kind, ...), token=(Hidden, SECRET)), id="x")
