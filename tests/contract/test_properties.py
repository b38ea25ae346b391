"""What must hold for every model and every value: a payload that round-trips, or one typed error that names the layer."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, create_model

from crux_langgraph import Handoff, Private, errors, estimate_tokens, handoff


class Shade(Enum):
    LIGHT = "light"
    DARK = 2


class Leaf(BaseModel):
    name: str
    size: float = 0.0


SCALARS = [str, int, float, bool, datetime, timedelta, Decimal, UUID, Shade, Literal["a", "b"], Any, Leaf]


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        inner.map(lambda kind: list[kind]),
        inner.map(lambda kind: dict[str, kind]),
        inner.map(lambda kind: kind | None if kind is not Any else Any),
        st.tuples(inner, inner).map(lambda kinds: tuple[kinds[0], kinds[1]]),
        inner.map(lambda kind: Annotated[kind, Private()]),
    )


TYPES = st.recursive(st.sampled_from(SCALARS), containers, max_leaves=4)
FIELDS = st.dictionaries(st.sampled_from(["a", "b", "c", "model", "fence"]), TYPES, min_size=1, max_size=4)
MODELS = st.builds(
    lambda fields, extra: create_model(
        "Made", __config__=ConfigDict(extra=extra, protected_namespaces=()), **{k: (v, ...) for k, v in fields.items()}
    ),
    FIELDS,
    st.sampled_from(["ignore", "allow", "forbid"]),
)
JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["a", "light", 2, "1e400"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
ODD = st.sampled_from([object(), b"\xff", {1, 2}, float("nan"), "\ud800", Leaf(name="x"), Leaf.model_construct(name=5)])
RELAXED = settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=150)


def round_trips(made: Handoff[Any, Any], value: Any) -> bool:
    """Prepare `value`; True if it crossed and its envelope came back equal, False if it was refused properly."""
    payload, refused = None, None
    try:
        payload = made.prepare(value)
    except errors.HandoffError as error:
        refused = (error.handoff, error.layer)
    if payload is None:
        assert refused in {("x", "input"), ("x", "transform"), ("x", "output"), ("x", "budget")}
        return False
    envelope = payload.to_envelope()
    text = json.dumps(envelope, allow_nan=False)
    again = made.from_envelope(json.loads(text))
    assert again.to_envelope() == envelope
    assert again.context == payload.context
    return True


def valid_values(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Instances that hypothesis builds from the annotations, JSON values where Any stands."""
    fields = {name: of_type(field.annotation) for name, field in model.model_fields.items()}
    return st.fixed_dictionaries(fields)


def of_type(kind: Any) -> st.SearchStrategy[Any]:
    if kind is Any:
        return JSON_LIKE
    return JSON_LIKE if "Any" in str(kind) else st.from_type(kind)


@RELAXED
@given(st.data())
def test_a_value_that_fits_its_annotations_crosses_or_is_refused_by_a_typed_error(data: st.DataObject) -> None:
    model = data.draw(MODELS)
    round_trips(Handoff.of(model, id="x"), data.draw(valid_values(model)))


@RELAXED
@given(MODELS, JSON_LIKE | ODD | st.dictionaries(st.sampled_from("abc"), JSON_LIKE | ODD))
def test_any_value_at_all_crosses_or_is_refused_by_a_typed_error(model: type[BaseModel], value: Any) -> None:
    round_trips(Handoff.of(model, id="x"), value)


@RELAXED
@given(MODELS, st.dictionaries(st.sampled_from("abc"), JSON_LIKE | ODD))
def test_an_instance_with_anything_in_it_crosses_or_is_refused(model: type[BaseModel], fields: dict[str, Any]) -> None:
    round_trips(Handoff.of(model, id="x"), model.model_construct(None, **fields))


@RELAXED
@given(JSON_LIKE | ODD)
def test_whatever_a_transform_returns_crosses_or_is_refused(returned: Any) -> None:
    @handoff(id="x", max_tokens=500)
    def transform(leaf: Leaf) -> Leaf:
        return returned  # type: ignore[no-any-return]

    round_trips(transform, {"name": "n"})


@given(st.text(), st.text())
def test_the_estimate_grows_with_the_text_and_never_exceeds_its_bytes(first: str, second: str) -> None:
    whole, part = estimate_tokens(first + second), estimate_tokens(first)
    assert part <= whole <= len((first + second).encode("utf-8", "surrogatepass"))
