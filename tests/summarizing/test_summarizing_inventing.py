"""Which sentences of an answer are removed as invented."""

import pytest

from crux_langgraph._summarizing._inventions import without_inventions

SOURCE = (
    "Order ORD-1234 of 2024-05-03 costs $1,200.50, about 12.5% more. Call +49-30-1234567 at 10:30 or 7:05 pm. "
    "Ship 07 crates, 12 ms apart, by the 3rd. See https://host.example/api/v2/items?id=42 and x_7@host.io. "
    "It was -5 degrees. The 5kg box and v1.2.3 stay. Budget 1 000 euros."
)


@pytest.mark.parametrize(
    "sentence",
    [
        "No digits here.",
        "ord-1234 is open.",
        "ORD\u20111234 is open.",
        "Order 1234.",
        "In 2024 it began.",
        "In 2024-05 it began.",
        "On May 3.",
        "On the 3rd of May.",
        "It costs 1200.50.",
        "It costs 1,200.5 dollars!",
        "Up 12.5%.",
        "At 10:30.",
        "Call +49-30-1234567.",
        "Ship 7 crates.",
        "Every 12ms.",
        "A box of 5 kg.",
        "A box of 5kg.",
        "Use api/v2.",
        "Item 42 is it.",
        "Write to x_7@host.io.",
        "It was -5 degrees.",
        "It fell by 5 degrees.",
        "It was \u22125 degrees.",
        "Version v1.2.3 stays.",
        "At \uff11\uff10:30.",
        "1. First of all\n2. Second\n- 3) Third",
    ],
)
def test_facts_of_the_source_in_any_notation_stay(sentence: str) -> None:
    assert without_inventions(sentence, SOURCE) == (sentence, ())


@pytest.mark.parametrize(
    "sentence",
    [
        "ORD-1243 is open.",
        "ORD-12 is open.",
        "It costs 1200.05.",
        "Up 12.6%.",
        "Up 125%.",
        "On 2024-05-04.",
        "In 05-2024.",
        "At 10:03.",
        "Ship 70 crates.",
        "It was -7 degrees.",
        "Every 13ms.",
        "Item 4.",
        "It was -42 degrees.",
        "Mail x_8@host.io.",
    ],
)
def test_facts_that_the_source_does_not_have_go_with_their_sentence(sentence: str) -> None:
    assert without_inventions(f"Kept. {sentence}\nKept too.", SOURCE) == ("Kept. Kept too.", (sentence,))


def test_a_sentence_ends_at_its_mark_also_without_a_space() -> None:
    assert without_inventions("\u597d\u3002\u5171 99 \u4e2a\u3002\u597d\u3002", SOURCE)[0] == "\u597d\u3002\u597d\u3002"


def test_an_answer_may_be_all_invented() -> None:
    assert without_inventions("Pay 99.", SOURCE) == ("", ("Pay 99.",))
