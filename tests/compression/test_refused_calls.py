"""A call of `fit` that cannot be meant is refused with what to give instead; what can be read is read."""

import decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from crux_langgraph import Handoff, errors, fit


class Note(BaseModel):
    text: str


@pytest.mark.parametrize("given, told", [("b", "a str"), (5.0, "a float"), (True, "a bool"), (0, "0"), (-3, "-3")])
def test_a_budget_that_is_no_number_of_tokens_is_refused(given: Any, told: str) -> None:
    with pytest.raises(
        errors.DefinitionError, match=f"^function 'fit' .*: max_tokens is {told}\nGive max_tokens= a whole"
    ):
        fit("a", given)


@pytest.mark.parametrize("value", [object(), len, Note, range(3), ValueError("secret")], ids=type)
def test_a_value_without_a_form_of_its_own_is_refused_by_its_type_alone(value: object) -> None:
    with pytest.raises(
        errors.DefinitionError, match=f"the value is of type {type(value).__name__},.*\n.* JSON-like"
    ) as e:
        fit(value, 50)
    assert "secret" not in str(e.value)


@pytest.mark.parametrize(
    "value, text",
    [
        (b"abc", "abc"),
        (decimal.Decimal("1.5"), "1.5"),
        (Path("a/b"), "a/b"),
        (None, "null"),
        (iter(["a"]), '[\n  "a"\n]'),
        ({"a"}, '[\n  "a"\n]'),
        (Note(text="b"), '{\n  "text": "b"\n}'),
    ],
    ids=["bytes", "a number", "a path", "nothing", "an iterator", "a set", "a model"],
)
def test_what_has_a_form_of_its_own_is_read(value: object, text: str) -> None:
    assert fit(value, 50).text == text


@pytest.mark.parametrize(
    "options, found",
    [
        ({"counter": 3}, "counter is a int\nGive counter= a function"),
        ({"task": None}, "task is a NoneType\nGive task= what"),
        ({"focus": "rain"}, "focus is not a list of texts\nGive focus= a list"),
        ({"focus": [3]}, "focus is not a list of texts\nGive focus= a list"),
        ({"receiver": Note(text="")}, "receiver is not a model class\nGive receiver= the class"),
        ({"receiver": int}, "receiver is not a model class\nGive receiver= the class"),
    ],
    ids=str,
)
def test_an_option_that_cannot_be_meant_is_refused(options: dict[str, Any], found: str) -> None:
    with pytest.raises(errors.DefinitionError, match=f"^function 'fit' .*: {found}"):
        fit("It rained.", 50, **options)


@pytest.mark.parametrize("budget", [0, -1])
def test_a_payload_within_no_tokens_is_a_budget_error(budget: int) -> None:
    payload = Handoff.of(Note, id="x").prepare({"text": "It rained."})
    with pytest.raises(errors.BudgetError, match="Nothing was handed over"):
        payload.context_within(budget)
