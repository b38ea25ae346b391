"""Payloads of which only a part is read: what is left in lumps is the same as what is walked at once."""

import json
import re
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AnyMessage, HumanMessage
from pydantic import BaseModel
from schemas import TEXTS, VALUES

from crux_langgraph.compression import estimate_tokens, fit
from crux_langgraph.compression._lumps import LONGEST, Dump
from crux_langgraph.compression._rendering import Renderer
from crux_langgraph.compression._sketching import read_units, sketch_of
from crux_langgraph.compression._tree import read
from crux_langgraph.compression._units import KIND, TEXT, Document
from crux_langgraph.compression._walking import document_of
from crux_langgraph.fields import Pin

LONG_TEXTS = st.lists(TEXTS, min_size=3, max_size=40).map("".join).map(lambda text: text * 5)
SEAM = '", "\x00", "'


def sketched(value: Any) -> Document:
    root = read(value).root
    dump = Dump()
    dump.text(root)
    return sketch_of(root, dump)


def read_whole(value: Any) -> str:
    sketch = sketched(value)
    document, places = read_units(sketch, range(len(sketch.rows)))
    assert len(places) == len(sketch.rows) + 1
    return Renderer(document).whole()


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


LARGE = {
    "records": [{"id": n, "of": {"name": f"item {n}", "tags": ["a", "b"]}} for n in range(90)],
    "rows": [{"id": n, "name": f"row {n}"} for n in range(90)],
    "numbers": list(range(900)),
    "names": {f"name {n}": n for n in range(200)},
    "mixed": ["short", "long " * 900, {"a": list(range(70))}, *range(80), "seams " + SEAM, "\x00", "\x00"],
    "long first": {"text": "long " * 900, **{f"name {n}": n for n in range(200)}},
    "deep": json.loads("[" * 40 + '"bottom of the deep"' + ', "more of it"]' * 40),
}


@pytest.mark.parametrize("value", [*LARGE.values(), LARGE], ids=[*LARGE, "all"])
def test_what_is_written_in_lumps_is_the_same_json(value: Any) -> None:
    assert Dump().text(value) == json.dumps(value, ensure_ascii=False)


@settings(max_examples=60, deadline=None)
@given(value=st.lists(VALUES, min_size=3, max_size=9).map(lambda values: values * 12))
def test_any_data_is_written_in_lumps_as_it_is_at_once(value: Any) -> None:
    root = read(value).root
    assert Dump().text(root) == json.dumps(root, ensure_ascii=False, default=str)


@pytest.mark.parametrize("value", [*LARGE.values(), LARGE], ids=[*LARGE, "all"])
def test_lumps_hold_all_entries_in_their_order_and_are_short(value: Any) -> None:
    dump = Dump()
    dump.text(value)
    lumps = dump.lumps(value) or []
    assert [entry for _, entries, _ in lumps for entry in entries] == list(value)
    assert all(text is None or len(text) <= LONGEST for _, _, text in lumps)


@pytest.mark.parametrize("value", LARGE.values(), ids=LARGE)
def test_a_sketch_that_is_read_says_what_the_whole_says(value: Any) -> None:
    whole = Renderer(document_of(read(value).root)).whole()
    assert set(words(read_whole(value))) == set(words(whole))


@settings(max_examples=60, deadline=None)
@given(text=LONG_TEXTS)
def test_the_slices_of_a_text_are_the_whole_text(text: str) -> None:
    whole = Renderer(document_of(read([{"role": "tool", "content": text}, {"role": "user", "content": "b"}]).root))
    sliced = read_whole([{"role": "tool", "content": text}, {"role": "user", "content": "b"}])
    assert sliced.split() == whole.whole().split()


@pytest.mark.parametrize("gap", [" ", "\t", "\n", "\u3000"], ids=["space", "tab", "newline", "wide space"])
@pytest.mark.parametrize("length", [*range(598, 603)])
def test_a_gap_where_a_slice_ends_is_kept(length: int, gap: str) -> None:
    text = f"{'0' * length}{gap}{'x' * 90}" * 4
    sliced = read_whole([{"role": "tool", "content": text}, {"role": "user", "content": "b"}])
    assert sliced.split()[1:-2] == text.split()


def test_little_is_read_before_it_is_chosen() -> None:
    kinds = [row[KIND] for row in sketched(LARGE["records"]).rows]
    assert kinds == ["unread"] * len(kinds)


def test_what_follows_a_new_line_in_a_string_is_a_word_of_its_own() -> None:
    sketch = sketched([{"log": {"said": f"one\nnorth {n}"}} for n in range(100)])
    assert "one north 7" in " ".join(row[TEXT] for row in sketch.rows)


CALL = {"id": "1", "name": "look", "args": {"at": "north"}}


def test_json_in_long_messages_is_read_as_data() -> None:
    held = json.dumps({"reef": {"depth": 4, "charted": "never"}})
    talk = [
        {"role": "ai", "content": "", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "1", "content": held},
        *({"role": "user", "content": f"We sail on day {n}. [It rains] all day."} for n in range(2000)),
        {"role": "tool", "content": "[not JSON at all] but said"},
    ]
    assert "reef.depth: 4, charted: never" in fit(talk, 300, task="How deep is the reef, and who charted it?").text


def test_json_in_messages_without_calls_is_read_as_data() -> None:
    talk = [{"role": "user", "content": json.dumps({"reef": {"depth": n}})} for n in range(2000)]
    assert "reef.depth: 777" in fit(talk, 300, task="Which is 777 deep?").text


def test_a_long_transcript_with_noises_in_brackets_is_still_talk() -> None:
    talk = [{"role": "user", "content": f"[laughs] uh the ship, uh, left at dawn on day {n}"} for n in range(2000)]
    assert "[laughs]" not in fit(talk, 300).text


def test_labelled_lines_are_written_where_they_fit_although_the_payload_is_long() -> None:
    payload = {"rows": [{"a_long_name_for_a_column": n, "and_one_more_long_name": n} for n in range(1000)]}
    budget = estimate_tokens(json.dumps(payload)) // 2
    fitted = fit(payload, budget)
    assert (fitted.tier, "999 | 999" in fitted.text) == ("compact", True)


def test_labelled_lines_are_written_where_they_fit_although_a_part_of_the_payload_is_dense() -> None:
    rows = [{"the_name_of_the_first_column_of_all": n, "the_name_of_the_second_column": n % 7} for n in range(700)]
    fitted = fit(["島" * 1000, {"rows": rows}], 8_000)
    assert (fitted.tier, "699 | 6" in fitted.text) == ("compact", True)


@pytest.mark.parametrize("lines", [20, 600])
def test_labelled_lines_are_written_where_they_fit_without_the_noises_of_speech(lines: int) -> None:
    said = "Um, uh, you know, um, the crane, uh, hm, the crane stopped, um, at night, uh, erm, I mean, hmm."
    talk = [{"role": "speaker", "name": "AB"[n % 2], "content": said} for n in range(lines)]
    value = {"talk": talk, "rows": [{"number": n, "wave": 7 * n} for n in range(9)]}
    whole = fit(value, fit(value, 10**6).tokens - 1)
    assert (whole.tier, "Um" in whole.text) == ("compact", False)
    assert fit(value, whole.tokens) == whole
    assert fit(value, whole.tokens - 1).tier == "extract"


def test_a_field_that_is_opened_says_something() -> None:
    empty: list[Any] = [{"of": {"name": None, "tags": []}} for _ in range(3000)]
    payload: dict[str, Any] = {
        "crates": [*empty, {"of": {"name": "rope", "tags": []}}],
        "notes": "The ship left at dawn. " * 900,
    }
    fitted = fit(payload, 200)
    assert {part.path for part in fitted.parts if part.tokens_after} == {"crates", "notes"}
    assert "rope" in fitted.text


def test_a_field_of_which_not_all_was_read_says_how_many_pieces_fit() -> None:
    fitted = fit({"rows": [{"id": n, "of": {"name": f"item {n}"}} for n in range(4000)]}, 200)
    assert re.fullmatch(r"\d+ pieces of it fit", fitted.parts[0].reason)


class Orders(BaseModel):
    talk: Annotated[list[AnyMessage], Pin()]
    log: str


def test_pinned_messages_stand_whole_beside_a_long_field() -> None:
    orders = Orders(talk=[HumanMessage("Sail at dawn. Take the rope.\nCome back.")], log="The sea was calm. " * 4000)
    assert "human: Sail at dawn. Take the rope.\nCome back." in fit(orders, 200).text


@pytest.mark.parametrize("depth", [70, 300, 700, 950])
def test_json_that_is_nested_deep_is_text(depth: int) -> None:
    assert "bottom" in fit("[" * depth + '"bottom of the sea"' + ', "more of it"]' * depth, 300, task="sea").text


NOTHING: list[Any] = [{"of": {"name": None, "tags": []}} for _ in range(3000)]


def test_a_long_field_that_says_nothing_is_empty_and_not_left_out() -> None:
    fitted = fit({"crates": NOTHING, "notes": "The ship left at dawn. " * 300}, 200)
    crates = next(part for part in fitted.parts if part.path == "crates")
    assert (crates.tier, crates.reason, "left out" in fitted.text) == ("compact", "empty", False)


def test_what_says_nothing_takes_no_room_from_what_does() -> None:
    fitted = fit({"crates": [*NOTHING, {"of": {"name": "rope"}}], "notes": "The ship left at dawn. " * 300}, 2_300)
    assert fitted.omitted == ()


class Rules(BaseModel):
    first: Annotated[str, Pin()]
    crates: list[Any]
    last: Annotated[str, Pin()]


def test_between_pins_no_gap_is_paid_for_what_says_nothing() -> None:
    rules = Rules(first="Sail on.", crates=NOTHING, last="Stay there.")
    assert fit(rules, 6, counter=lambda text: len(text.split())).text == "first: Sail on.\nlast: Stay there."
