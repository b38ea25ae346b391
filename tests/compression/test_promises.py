"""What holds for every payload: the budget, the pins, the order, the fields shown."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from schemas import BUDGETS, COUNTERS, PAYLOADS, TEXTS, VALUES, models, pins_of

from crux_langgraph.compression import DoesNotFitError, _glancing, estimate_tokens, fit


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


LONG = st.lists(st.text("ab cdeXYZ19.\n", min_size=50, max_size=400), min_size=1, max_size=6).map(" ".join)
FIELDS = st.fixed_dictionaries({}, optional=dict.fromkeys("abcdefgh", LONG | st.lists(LONG, max_size=3) | VALUES))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=FIELDS | models(), one=st.integers(20, 600), more=st.integers(1, 60), counter=st.sampled_from(COUNTERS))
def test_fields_only_grow_with_the_budget_too_where_only_a_part_is_weighed(
    monkeypatch: pytest.MonkeyPatch, value: Any, one: int, more: int, counter: Any
) -> None:
    monkeypatch.setattr(_glancing, "SMALLEST", 100)
    monkeypatch.setattr(_glancing, "LEAST_POOL", 100)
    small, large = (fitted_or_none(value, budget, counter=counter, task="XYZ b") for budget in (one, one + more))
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
