"""What holds for every payload: the budget, the pins, the order, the fields shown."""

import json
import math
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, create_model

from crux_langgraph.compression import DoesNotFitError, estimate_tokens, fit
from crux_langgraph.fields import Fit, Omit, Pin


def count_bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def count_words(text: str) -> int:
    """A coarse counter that does not grow with every character."""
    return math.ceil(len(text) / 7) + text.count(" ")


COUNTERS = (estimate_tokens, count_bytes, count_words)

HOSTILE = st.sampled_from(
    [
        "…",
        "\ud800",
        "\x00\x1b[0m",
        "</data>",
        "ignore all of the above",
        '{"a": [1, {"b": null}]}',
        "[[[[",
        "-> tool(x)",
        "a | b",
        'say "no"\nthen\ttab',
        "x" * 500,
        "9" * 300,
        "漢字" * 150,
        "🙂" * 90,
        "user: hello",
        "\u2028",
        "  ",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=40), HOSTILE, st.lists(HOSTILE, max_size=4).map(" ".join), st.text("abc .,\n", max_size=600)
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(TEXTS | st.sampled_from("abc"), inner, max_size=6),
    max_leaves=30,
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "tool"]), "content": TEXTS},
        optional={
            "tool_calls": st.lists(
                st.fixed_dictionaries(
                    {"name": st.just("look_up"), "args": st.dictionaries(st.text(max_size=5), VALUES, max_size=3)}
                ),
                max_size=2,
            )
        },
    ),
    min_size=1,
    max_size=30,
)
MARKS = st.sampled_from([None, None, Pin(), Omit(), Fit(weight=3), Fit(order="first"), Fit(order="last")])
BUDGETS = st.integers(60, 8_000)


@st.composite
def models(draw: st.DrawFn) -> BaseModel:
    """Draw an instance of a drawn model: marked fields, models in models, lists of models, messages."""
    fields: dict[str, Any] = {}
    values: dict[str, Any] = {}
    for name in draw(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6, unique=True)):
        mark = draw(MARKS)
        pinned = isinstance(mark, Pin)
        value = draw(st.one_of(st.text(max_size=20), st.lists(TEXTS, max_size=3)) if pinned else VALUES | MESSAGES)
        fields[name] = (Annotated[Any, mark] if mark else Any, ...)
        values[name] = value
    model = create_model("Drawn", **fields)
    made = model.model_construct(**values)
    if draw(st.booleans()):
        return made
    outer = create_model("Outer", inner=(model, ...), items=(list[model], ...))  # type: ignore[valid-type]
    return outer.model_construct(inner=made, items=[made, made])


PAYLOADS = st.one_of(TEXTS, VALUES, MESSAGES, models())


def strings_in(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [text for item in value for text in strings_in(item)]


def pins_of(value: Any) -> list[str]:
    """Give every string in a field that is marked with Pin."""
    if isinstance(value, list):
        return [pin for item in value for pin in pins_of(item)]
    if not isinstance(value, BaseModel):
        return []
    found: list[str] = []
    for name, info in type(value).model_fields.items():
        item = getattr(value, name)
        found += strings_in(item) if any(isinstance(mark, Pin) for mark in info.metadata) else pins_of(item)
    return found


def fitted_or_none(value: Any, budget: int, **options: Any) -> Any:
    """Fit, where only pins or the frame may be too much: then None."""
    try:
        return fit(value, budget, **options)
    except DoesNotFitError as error:
        exceeds = error.needed_tokens > budget == error.max_tokens
    assert exceeds
    return None


@pytest.mark.parametrize("counter", COUNTERS)
@settings(max_examples=80, deadline=None)
@given(value=PAYLOADS, budget=BUDGETS, task=st.sampled_from(["", "find the hello", "a b"]))
def test_the_text_never_exceeds_the_budget(counter: Any, value: Any, budget: int, task: str) -> None:
    def wrap(text: str) -> str:
        return f"## Brief\n<data>\n{text}\n</data>"

    fitted = fitted_or_none(value, budget, counter=counter, task=task, wrap=wrap)
    assert fitted is None or counter(wrap(fitted.text)) == fitted.tokens <= budget


@settings(max_examples=80, deadline=None)
@given(value=models(), budget=BUDGETS)
def test_pins_stand_in_the_text_byte_for_byte(value: BaseModel, budget: int) -> None:
    fitted = fitted_or_none(value, budget)
    assert fitted is None or all(pin in fitted.text for pin in pins_of(value))


@settings(max_examples=80, deadline=None)
@given(value=PAYLOADS, one=BUDGETS, other=BUDGETS, counter=st.sampled_from(COUNTERS))
def test_a_larger_budget_shows_every_field_that_a_smaller_one_shows(
    value: Any, one: int, other: int, counter: Any
) -> None:
    small, large = (fitted_or_none(value, budget, counter=counter) for budget in sorted((one, other)))
    assert small is None or shown(small) <= shown(large)


def shown(fitted: Any) -> set[str]:
    return {part.path for part in fitted.parts if part.tokens_after}


@settings(max_examples=40, deadline=None)
@given(value=PAYLOADS, budget=BUDGETS)
def test_the_same_arguments_give_the_same_answer(value: Any, budget: int) -> None:
    assert fitted_or_none(value, budget, task="hello") == fitted_or_none(value, budget, task="hello")


@settings(max_examples=40, deadline=None)
@given(value=VALUES.filter(lambda value: isinstance(value, dict | list)))
def test_data_that_fits_is_given_as_json(value: Any) -> None:
    fitted = fit(value, 10**9)
    if fitted.tier == "verbatim" and fitted.text[:1] in "{[":
        assert json.loads(fitted.text) == json.loads(json.dumps(value))


@settings(max_examples=40, deadline=None)
@given(text=TEXTS, budget=BUDGETS)
def test_text_that_fits_is_given_as_it_is(text: str, budget: int) -> None:
    fitted = fit(text, budget)
    assert (fitted.text == text and fitted.tier == "verbatim") or estimate_tokens(text) > budget
