"""The budget holds for every payload and counter, and what a field may not lose or show holds at every budget."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from payloads import ASIDE, BRIEFS, BUDGETS, COUNTERS, DATA, PAYLOADS, SECRET, TEXTS, Brief

from crux_langgraph.compression import Counter, DoesNotFitError, Fitted, Frame, estimate_tokens, fit

WRAPS: list[Callable[[str], str]] = [str, Frame("Brief", "scout", "aB" * 14).around]


def attempt(payload: Any, budget: int, **options: Any) -> Fitted | DoesNotFitError:
    """Fit, and give the refusal where there is one."""
    try:
        return fit(payload, budget, **options)
    except DoesNotFitError as refusal:
        return refusal


QUIET = settings(max_examples=50, deadline=None)
BY_COUNTER = pytest.mark.parametrize("counter", COUNTERS, ids=["estimate", "characters", "bytes"])


@pytest.mark.parametrize("wrap", WRAPS, ids=["bare", "framed"])
@BY_COUNTER
@QUIET
@given(payload=PAYLOADS, budget=BUDGETS, task=TEXTS)
def test_no_payload_takes_more_than_its_budget(
    counter: Counter, wrap: Callable[[str], str], payload: Any, budget: int, task: str
) -> None:
    found = attempt(payload, budget, counter=counter, task=task, focus=[task], receiver=Brief, wrap=wrap)
    if isinstance(found, Fitted):
        assert counter(wrap(found.text)) == found.tokens <= budget
    else:
        assert found.max_tokens == budget < found.needed_tokens


@QUIET
@given(payload=BRIEFS, budget=BUDGETS)
def test_a_pin_stands_byte_for_byte_or_is_named_in_the_refusal(payload: Brief, budget: int) -> None:
    found = attempt(payload, budget)
    if isinstance(found, Fitted):
        assert payload.question in found.text
    else:
        assert [path for path, tokens in found.pins if tokens > 0] == ["question"]
        assert payload.question not in str(found)


@QUIET
@given(payload=PAYLOADS)
def test_what_fits_is_given_verbatim_and_a_second_time_unchanged(payload: Any) -> None:
    fitted = fit(payload, 10**7)
    again = fit(fitted.text, max(1, fitted.tokens))
    assert (again.text, again.tier) == (fitted.text, "verbatim")
    assert {part.reason for part in fitted.parts if part.path in fitted.omitted} <= {"declared Omit()"}


@QUIET
@given(text=TEXTS, spare=st.integers(0, 3))
def test_a_text_that_fits_is_never_touched(text: str, spare: int) -> None:
    assert fit(text, max(1, estimate_tokens(text)) + spare).text == text


@QUIET
@given(payload=BRIEFS, budget=BUDGETS)
def test_private_and_omitted_values_are_in_no_text(payload: Brief, budget: int) -> None:
    found = attempt(payload, budget)
    shown = f"{found}"
    assert SECRET not in shown
    assert ASIDE not in shown
    assert "crux-private" not in shown


@QUIET
@given(payload=PAYLOADS, budget=BUDGETS, task=TEXTS)
def test_the_same_input_gives_the_same_answer(payload: Any, budget: int, task: str) -> None:
    one, other = (attempt(payload, budget, task=task) for _ in range(2))
    assert f"{one}" == f"{other}"


def shown_paths(payload: Any, budget: int, counter: Counter) -> set[str] | None:
    """Give the paths that show any content, None when the pins do not fit."""
    found = attempt(payload, budget, counter=counter, task="islands and ships")
    return {part.path for part in found.parts if part.tokens_after} if isinstance(found, Fitted) else None


@BY_COUNTER
@settings(max_examples=25, deadline=None)
@given(payload=BRIEFS | st.dictionaries(st.sampled_from("abcdefg"), DATA, max_size=7), budget=st.integers(5, 300))
def test_the_paths_that_show_anything_only_grow_with_the_budget(counter: Counter, payload: Any, budget: int) -> None:
    before: set[str] | None = None
    for more in (0, 1, 7, 40, 200, 2000):
        shown = shown_paths(payload, budget + more, counter)
        if before is not None:
            assert shown is not None
            assert before <= shown
        before = shown
