"""For generated models of the odder types: what crosses reads back equal, what does not is a typed error, at once."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Generic, NamedTuple, NotRequired, TypeVar

from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, JsonValue, create_model
from typing_extensions import TypeAliasType, TypedDict

from crux_langgraph import Handoff, Payload, Private, errors

T = TypeVar("T")


class Tree(BaseModel):
    model_config = ConfigDict(extra="allow")

    weight: float = 0
    below: "list[Tree]" = []


class Options(TypedDict, total=False):
    size: int
    note: NotRequired[Annotated[str, Private()]]


class Pair(NamedTuple):
    left: int
    right: Any


@dataclass
class Box(Generic[T]):
    item: T


Size = TypeAliasType("Size", int | float)
LEAVES = [str, int, float, bool, date, datetime, Decimal, Path, Any, JsonValue, dict, Size, Tree, Options, Pair, None]
CONTAINERS: list[Any] = [
    lambda kind: list[kind],
    lambda kind: Sequence[kind],
    lambda kind: dict[str, kind],
    lambda kind: dict[int, kind],
    lambda kind: Box[kind],
    lambda kind: kind | None if kind is not None else str | None,
    lambda kind: list[str] | kind if kind is not None else str,
    lambda kind: Annotated[kind, Private()],
]
KINDS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.tuples(st.sampled_from(CONTAINERS), inner).map(lambda made: made[0](made[1])),
    max_leaves=3,
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**63, 2**64, -(2**70), 10**50, "\ud800", "2020-01-01", "1.50", float("inf"), Path("\udcff")])
    | st.floats()
    | st.text(max_size=5)
    | st.dates()
    | st.datetimes()
)
KEYS = (
    st.text(max_size=2) | st.integers(0, 2) | st.sampled_from(["weight", "below", "size", "note", "left", "item", "x"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=6,
)


def crossed(made: Handoff[Any, Any], value: Any) -> Payload[Any] | str:
    """The payload, or the layer that refused the value."""
    try:
        return made.prepare(value)
    except errors.HandoffError as error:
        return error.layer


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(KINDS, VALUES, st.booleans())
def test_what_crosses_reads_back_equal(kind: Any, value: Any, trusted: bool) -> None:
    model: Any = create_model("Holder", x=(kind, ...))
    try:
        made = Handoff.of(model, id="x")
    except errors.DefinitionError as error:  # a union in which another member may show what is private
        if "Private()" in str(error):
            reject()
        raise
    payload = crossed(made, model.model_construct(x=value) if trusted else {"x": value})
    if isinstance(payload, str):
        assert payload in {"input", "output"}
        return
    envelope = payload.to_envelope()
    again = made.from_envelope(json.loads(json.dumps(envelope, allow_nan=False)))
    assert again.to_envelope() == envelope
    assert again.context == payload.context
    assert repr(again) == repr(payload)
