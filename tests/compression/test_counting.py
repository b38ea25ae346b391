"""Counters: what they promise of every text, and which answers make a budget meaningless."""

from typing import Any

import pytest
from hypothesis import given, settings
from payloads import TEXTS, in_bytes

from crux_langgraph.compression import counter_fault, estimate_tokens, fit


@settings(max_examples=100, deadline=None)
@given(one=TEXTS, other=TEXTS)
def test_the_estimate_grows_with_the_text_and_never_exceeds_its_bytes(one: str, other: str) -> None:
    assert 0 <= estimate_tokens(one) <= estimate_tokens(one + other) <= in_bytes(one + other)


@pytest.mark.parametrize("counter", [estimate_tokens, len, in_bytes])
def test_a_counter_that_counts_has_no_fault(counter: Any) -> None:
    assert counter_fault(counter) is None


@pytest.mark.parametrize(
    "counter, fault",
    [
        (lambda _: 0, "answers 0 for a sentence of 45 characters"),
        (lambda _: -3, "answers -3 for a sentence of 45 characters"),
        (lambda text: len(text) / 4, "answers float, not a whole number"),
        (lambda _: True, "answers bool, not a whole number"),
        (lambda text: len(text) if len(text) < 50 else None, "answers NoneType, not a whole number"),
        (lambda _: 12, "answers 12 for 8 times the text it counts as 12"),
        (lambda text: 12 if len(text) < 50 else 11, "answers 11 for 8 times the text it counts as 12"),
        (lambda text: 1 + len(text) // 100, "answers 4 for 360 characters, fewer than any tokenizer makes of them"),
    ],
    ids=["zero", "negative", "fraction", "truth", "none-for-long", "constant", "shrinking", "too-few"],
)
def test_a_counter_that_makes_budgets_meaningless_is_told_apart(counter: Any, fault: str) -> None:
    assert counter_fault(counter) == fault


@pytest.mark.parametrize("text", ["\ud800", "\x00\x07\x7f", "\udfff\ud800 back to front", "\u2028\u202e"])
def test_surrogates_and_control_characters_are_counted_and_fitted(text: str) -> None:
    assert 0 < estimate_tokens(text) <= in_bytes(text)
    assert fit(text, 100).text == text
    assert fit({"text": text * 300, "more": [text] * 300}, 90).tokens <= 90
