"""Several contexts in one budget: never too much, the lowest priority gives way first, and what was cut is said."""

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage, SystemMessage

from crux_langgraph import Context, compose, errors, estimate_tokens, human_message, system_message


def words(text: str) -> int:
    return len(text.split())


def refitting(text: str, least: int = 1, counter: Callable[[str], int] = words) -> Callable[[int], str]:
    """As a payload refits: the longest beginning of the text within the budget, never fewer than `least` words."""

    def refit(max_tokens: int) -> str:
        all_words = text.split()
        for size in range(len(all_words), least - 1, -1):
            beginning = " ".join(all_words[:size])
            if counter(beginning) <= max_tokens:
                return beginning
        raise errors.BudgetError(
            handoff="x",
            found="too much",
            fix="none",
            max_tokens=max_tokens,
            needed_tokens=counter(" ".join(all_words[:least])),
        )

    return refit


def context(name: str, size: int, priority: int = 80, least: int = 1, **options: Any) -> Context:
    text = " ".join(f"{name}{number}" for number in range(size))
    return Context(id=name, text=text, priority=priority, refit=refitting(text, least, **options))


def plain(name: str, size: int, priority: int = 80) -> Context:
    return Context(id=name, text=" ".join([name] * size), priority=priority)


def sizes(composed: Any) -> dict[str, int]:
    return {context.id: words(context.text) for context in composed.contexts}


def test_what_fits_is_joined_as_it_is_in_the_order_given() -> None:
    composed = compose([Context("a", "one", 10), Context("b", "two", 90)], 100)
    assert composed.text == str(composed) == "one\n\ntwo"
    assert composed.tokens == estimate_tokens("one\n\ntwo")
    assert composed.cut == ()


def test_without_a_limit_nothing_is_cut() -> None:
    assert compose([context("a", 5000), plain("b", 5000)], None).cut == ()


def test_nothing_composes_to_nothing() -> None:
    composed = compose([], 10)
    assert (composed.text, composed.tokens, composed.contexts) == ("", 0, ())


def test_the_lowest_priority_shrinks_first_and_only_as_far_as_needed() -> None:
    composed = compose([context("a", 10, 90), context("b", 10, 20), context("c", 10, 50)], 24, counter=words)
    assert sizes(composed) == {"a": 10, "b": 4, "c": 10}
    assert [(cut.id, cut.tokens_before, cut.tokens_after) for cut in composed.cut] == [("b", 10, 4)]


def test_the_next_one_shrinks_when_the_lowest_is_at_its_least() -> None:
    composed = compose([context("a", 10, 90), context("b", 10, 20, least=3), context("c", 10, 50)], 18, counter=words)
    assert sizes(composed) == {"a": 10, "b": 3, "c": 5}
    assert [cut.id for cut in composed.cut] == ["b", "c"]


def test_of_equal_priorities_the_first_one_shrinks_first() -> None:
    assert sizes(compose([context("a", 10), context("b", 10)], 14, counter=words)) == {"a": 4, "b": 10}


def test_a_context_that_cannot_be_refitted_stays_whole_while_others_can_shrink() -> None:
    composed = compose([plain("rules", 10, priority=1), context("a", 10, 90)], 13, counter=words)
    assert sizes(composed) == {"rules": 10, "a": 3}


def test_a_context_that_cannot_be_refitted_is_left_out_last_and_reported() -> None:
    composed = compose([plain("x", 10, 50), plain("y", 10, 10), context("a", 10, 5, least=2)], 15, counter=words)
    assert sizes(composed) == {"x": 10, "a": 5}
    assert [(cut.id, cut.tokens_after) for cut in composed.cut] == [("y", 0), ("a", 5)]


def test_room_that_a_dropped_context_leaves_is_given_back() -> None:
    composed = compose([plain("x", 10, 50), context("a", 10, 5, least=2)], 11, counter=words)
    assert sizes(composed) == {"a": 10}


def test_a_lone_context_that_cannot_be_refitted_is_not_left_out_but_refused() -> None:
    with pytest.raises(errors.ContextsError, match="take 10 tokens"):
        compose([plain("x", 10), plain("y", 10, 10)], 5, counter=words)


def test_what_cannot_fit_is_one_error_that_says_how_much_is_needed() -> None:
    with pytest.raises(
        errors.ContextsError, match=r"'a', 'b': .* take 7 tokens .* may take 5\nRaise max_tokens"
    ) as told:
        compose([context("a", 10, least=4), context("b", 10, least=3)], 5, counter=words)
    assert (told.value.contexts, told.value.max_tokens, told.value.needed_tokens) == (("a", "b"), 5, 7)
    assert str(pickle.loads(pickle.dumps(told.value))) == str(told.value)
    assert not errors.is_retryable(told.value)


def test_a_refit_by_another_counter_still_fills_the_budget_by_this_one() -> None:
    third = context("a", 300, counter=lambda text: words(text) // 3 + 1)
    composed = compose([third], 100, counter=words)
    assert 90 <= composed.tokens <= 100


@pytest.mark.parametrize(
    "refit",
    [lambda _: "far " * 100, lambda _: "longer " * 200, refitting("word " * 100, 100)],
    ids=["never shrinks", "grows", "needs it all"],
)
def test_a_refit_that_does_not_shrink_leaves_the_shrinking_to_the_next(refit: Callable[[int], str]) -> None:
    stubborn = Context("s", " ".join(["far"] * 100), 1, refit)
    assert sizes(compose([stubborn, context("a", 100)], 130, counter=words)) == {"s": 100, "a": 30}


def test_a_refit_that_comes_no_nearer_is_given_up_for_the_next() -> None:
    stubborn = Context("s", " ".join(["far"] * 100), 1, lambda _: " ".join(["far"] * 100))
    assert sizes(compose([stubborn, context("a", 10)], 109, counter=words)) == {"s": 100, "a": 9}


def test_a_refit_that_never_says_what_it_needs_is_asked_a_bounded_number_of_times() -> None:
    asked = []

    def refit(max_tokens: int) -> str:
        asked.append(max_tokens)
        raise errors.BudgetError(handoff="x", found="no", fix="no", max_tokens=max_tokens, needed_tokens=max_tokens)

    with pytest.raises(errors.ContextsError):
        compose([Context("s", "far " * 100, refit=refit)], 50, counter=words)
    assert len(asked) < 20


def test_a_context_and_a_composition_become_messages() -> None:
    one = Context("a", "one")
    assert system_message(one) == SystemMessage("one")
    assert human_message(compose([one, one], None)) == HumanMessage("one\n\none")


def test_contexts_are_equal_by_what_they_say() -> None:
    assert Context("a", "one", refit=refitting("one")) == Context("a", "one")


def contexts() -> st.SearchStrategy[list[Context]]:
    text = st.lists(st.text(max_size=12), max_size=30).map(" ".join)
    counters = st.sampled_from([words, len, estimate_tokens])

    def build(text: str, priority: int, least: int, counter: Callable[[str], int], *, refits: bool) -> Context:
        # Never empty, so that a context of no tokens is one that was left out.
        text = f"text {text}"
        if not refits:
            return Context("whole", text, priority)
        return Context("refits", text, priority, refitting(text, least, counter))

    return st.lists(
        st.builds(build, text, st.integers(0, 3), st.integers(0, 5), counters, refits=st.booleans()), max_size=5
    )


@settings(max_examples=200, deadline=None)
@given(contexts(), st.integers(0, 200), st.sampled_from([words, len, estimate_tokens]))
def test_never_more_than_the_budget(given_contexts: list[Context], max_tokens: int, counter: Any) -> None:
    whole = compose(given_contexts, None, counter=counter)
    try:
        composed = compose(given_contexts, max_tokens, counter=counter)
    except errors.ContextsError as error:
        told = error.needed_tokens
    else:
        told = None
        refitting_ones = [context for context in given_contexts if context.refit is not None]
        left_out = len(given_contexts) - len(composed.contexts)
        assert composed.tokens == counter(composed.text) <= max_tokens
        assert bool(composed.contexts) == bool(given_contexts)
        assert len(composed.contexts) >= len(refitting_ones)
        assert left_out == sum(one.tokens_after == 0 for one in composed.cut if one.id == "whole")
        assert composed.tokens <= whole.tokens
    assert told is None or max_tokens < told <= whole.tokens
