"""Selection: what is kept when not everything fits, in which order, and how what is missing is marked."""

import re
import subprocess
import sys
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from crux_langgraph.compression import DoesNotFitError, estimate_tokens, fit
from crux_langgraph.fields import Fit

LAND = " ".join(f"The farm at mile {n} grows wheat and keeps {n % 9} cows." for n in range(500))
PLANTED = LAND.replace("mile 250 grows", "mile 250, run by Okonkwo since 1987, lends its harbour crane and grows")


def test_kept_pieces_stand_in_their_order_with_gaps_marked() -> None:
    text = fit(LAND, 300, focus=["250", "40", "499"]).text
    miles = [int(word) for word in text.replace("mile ", "mile_").split() if word.isdigit() and int(word) > 9] or [0]
    assert miles == sorted(miles)
    places = [text.index(f"mile {n} ") for n in (40, 250, 499)]
    assert places == sorted(places)
    assert text.startswith("… ")
    assert " … " in text


def test_the_receivers_task_decides_what_is_kept() -> None:
    assert "Okonkwo" in fit(PLANTED, 120, task="Who has a harbour crane?").text


def test_focus_terms_decide_what_is_kept() -> None:
    assert "Okonkwo" in fit(PLANTED, 120, focus=("harbour",)).text


def test_the_receivers_fields_decide_what_is_kept() -> None:
    class Order(BaseModel):
        harbour_crane: str = Field(description="Where it can be borrowed")

    assert "Okonkwo" in fit(PLANTED, 120, receiver=Order).text


def test_facts_decide_what_is_kept_without_a_task() -> None:
    assert "Okonkwo" in fit(PLANTED, 200).text


def test_a_task_without_a_word_of_the_payload_changes_nothing() -> None:
    assert fit(LAND, 200, task="Please summarize the discussion of zebras") == fit(LAND, 200)


def test_addresses_and_identifiers_count_as_facts() -> None:
    lines = [f"This line says as little as the others, word {'abcdefgh'[n % 8] * 5} again." for n in range(200)]
    lines[77] = (
        "Write to ann@example.org or see https://example.org/a?b=1 about src/app/main.py at 12:30, ref INV-2024-77, $1,200.50."
    )
    text = fit("\n".join(lines), 150).text
    for fact in ("ann@example.org", "https://example.org/a?b=1", "src/app/main.py", "INV-2024-77"):
        assert fact in text


def test_text_without_spaces_in_other_scripts_is_cut_and_found() -> None:
    text = "".join(f"第{n}号船は港を出た。" for n in range(400)) + "船長の名前は田中です。" + "波は静かだった。" * 400
    assert "田中" in fit(text, 200, task="船長の名前").text


@pytest.mark.parametrize(
    "text", ["x" * 1_000_000, "wheat " * 170_000, "\ud800\x00" * 5_000, "🙂" * 20_000, "=" * 50_000, "a,b;" * 50_000]
)
def test_one_line_of_any_length_is_cut_to_the_budget(text: str) -> None:
    fitted = fit(text, 200)
    assert 100 < fitted.tokens <= 200


def test_a_string_that_holds_a_megabyte_of_json_is_selected_from() -> None:
    text = '{"records": [' + ", ".join(f'{{"id": {n}, "sub": {{"name": "Item {n}"}}}}' for n in range(25_000)) + "]}"
    fitted = fit({"result": text}, 500)
    assert 400 < fitted.tokens <= 500
    assert "result.records[" in fitted.text


def test_a_budget_below_one_piece_shows_its_beginning() -> None:
    fitted = fit({"notes": "x" * 5_000, "more": None}, 40)
    assert fitted.text.startswith("notes: x")
    assert "…" in fitted.text
    assert fitted.tokens <= 40
    assert fitted.parts[0].reason == "the beginning of one piece fits"


def test_a_budget_for_nothing_names_what_is_left_out_if_it_can() -> None:
    fitted = fit({"n" * 30: "9" * 5_000, "m": "9" * 5_000}, 34)
    assert fitted.tokens <= 34
    assert fitted.omitted == ("n" * 30, "m")


def test_the_floor_is_an_empty_text() -> None:
    fitted = fit("y" * 500, 1)
    assert (fitted.text, fitted.tokens, fitted.tier) == ("", 0, "reference")
    assert fitted.parts[0].reason == "nothing of it fits"


def test_nothing_but_white_space_that_does_not_fit_leaves_nothing() -> None:
    assert fit(" \n" * 500, 20).text == ""


def test_a_frame_that_is_too_large_is_an_error_of_its_own() -> None:
    with pytest.raises(DoesNotFitError, match="the frame around the text must be shown") as caught:
        fit("hello", 10, wrap=lambda text: f"{'frame ' * 50}{text}")
    assert caught.value.pins == ()


def test_the_frame_counts() -> None:
    def wrap(text: str) -> str:
        return f"## {'title ' * 20}\n{text}\n##"

    fitted = fit(LAND, 200, wrap=wrap)
    assert estimate_tokens(wrap(fitted.text)) == fitted.tokens <= 200
    assert "title" not in fitted.text


def test_a_counter_whose_sums_fall_short_of_the_whole_is_obeyed() -> None:
    def uneven(text: str) -> int:
        return len(text) // 4 + (len(text) // 100) ** 2 + 1

    assert 100 < fit(LAND, 300, counter=uneven).tokens <= 300


def test_only_the_beginning_of_a_large_text_is_counted_exactly() -> None:
    counted: list[int] = []

    def counter(text: str) -> int:
        counted.append(len(text))
        return estimate_tokens(text)

    fit("wheat and cows. " * 60_000, 200, counter=counter)
    assert max(counted) < 25_000


def test_much_white_space_in_few_tokens_is_verbatim() -> None:
    text = "a" + " " * 50_000
    assert fit(text, 100).text == text


def test_what_is_fitted_stays_as_it_is_when_fitted_again() -> None:
    once = fit(PLANTED, 300).text
    assert fit(once, 300).text == once


def test_more_units_than_one_block_are_drawn() -> None:
    fitted = fit("\n".join(f"line {n}" for n in range(6_000)), 40_000)
    assert fitted.tokens > 30_000


_PROGRAM = """
from crux_langgraph.compression import fit
words = "The Red Fox of Rome met Anna Bell in May 2021 near gate B7 and paid 300 euro".split()
text = ". ".join(" ".join(words[(i * j) % len(words)] for j in range(1, 9)) for i in range(1, 1500))
value = {"a": text, "b": {"c", "d", "e"}, "c": [{"k": {"x": n}} for n in range(50)]}
print(fit(value, 400, task="Anna and the fox", focus=("gate",)))
"""


def test_the_answer_does_not_depend_on_the_hash_seed() -> None:
    def answer(seed: str) -> bytes:
        return subprocess.run(
            [sys.executable, "-c", _PROGRAM], capture_output=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout

    assert answer("1") == answer("2") != b""


def test_the_receipt_says_how_much_of_a_field_is_shown() -> None:
    fitted: Any = fit({"land": LAND, "n": 1}, 200)
    assert fitted.parts[0].reason.endswith("of 500 pieces fit")
    assert fitted.parts[0].tokens_before > 5_000 > fitted.parts[0].tokens_after > 100
    assert fitted.parts[1].reason == "all of it fits"


class Plan(BaseModel):
    steps: Annotated[list[str], Fit(order="first")]
    notes: str


@pytest.mark.parametrize("size", [60, 4_000])
def test_an_ordered_field_is_shown_from_its_end_on_without_a_gap(size: int) -> None:
    steps = [f"Step {n}: {'haul the rope and wait ' * (n * 7 % 5)}." for n in range(size)]
    plan = Plan(steps=steps, notes=LAND[:3_000])
    for budget in range(120, 700, 10):
        shown = [int(number) for number in re.findall(r"Step (\d+):", fit(plan, budget).text)]
        assert shown == list(range(len(shown)))
