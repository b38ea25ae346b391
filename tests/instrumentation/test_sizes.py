"""What a run shows of a payload is small whatever the payload is; the whole of it is attached where that is asked for."""

import json
from hashlib import sha256
from typing import Any

import pytest
from endless import ENDLESS
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic_core import to_json
from support import GOOD, Call, make, two_agents
from watching import Seen, Traced, listened

from crux_langgraph import Handoff, handoff
from crux_langgraph.instrumentation import recorded
from crux_langgraph.instrumentation._covering import Cover, covered
from crux_langgraph.instrumentation._views import Sums, capped

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | st.text(max_size=400),
    lambda inner: st.lists(inner, max_size=40) | st.dictionaries(st.text(max_size=40), inner, max_size=40),
    max_leaves=60,
)


@given(VALUES, st.integers(256, 4_000))
def test_a_view_is_within_its_bytes_and_is_json(value: Any, most: int) -> None:
    view = capped({"input": value}, most, sums=Sums())
    assert len(to_json(view, inf_nan_mode="constants")) <= most


@given(VALUES)
def test_what_fits_is_shown_as_it_is(value: Any) -> None:
    assert repr(capped({"input": value}, 1_000_000)) == repr({"input": value})


def test_what_just_fits_is_shown_as_it_is_also_where_values_are_of_any_class() -> None:
    text = "x" * 998
    assert capped(text, 1_000, plain=lambda value: value) == text


@pytest.mark.parametrize("letter", ["x", "é", '"', "\n"])
def test_a_text_that_is_cut_tells_its_length_and_its_sum(letter: str) -> None:
    text = letter * 100_000
    shown = capped({"input": text}, 1_000, sums=Sums())["input"]
    told = f"100,000 characters, sha256 {sha256(text.encode()).hexdigest()}"
    assert told in shown
    assert shown.startswith(letter * 9)
    assert shown.endswith(letter * 9)


def test_a_list_that_is_cut_shows_its_first_items_and_tells_their_number_and_its_sum() -> None:
    value = list(range(10_000))
    *shown, rest = capped({"input": value}, 1_000, sums=Sums())["input"]
    assert shown == value[: len(shown)]
    digest = sha256(to_json(value)).hexdigest()
    assert rest == {"…": f"{10_000 - len(shown):,} more, of 10,000 items, sha256 {digest}"}


def test_a_mapping_that_is_cut_tells_the_number_of_its_keys() -> None:
    shown = capped({"input": {str(key): key for key in range(10_000)}}, 1_000)["input"]
    assert shown["0"] == 0
    assert shown["…"].endswith("more, of 10,000 keys")


def test_what_is_nested_beyond_reading_is_told_by_its_size() -> None:
    value: Any = ["deep"]
    for _ in range(100):
        value = [value]
    shown = json.dumps(capped({"input": ["x" * 2_000, value]}, 1_500))
    assert "1 items" in shown or "deep" in shown


@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.parametrize("most", [300, 65_536])
def test_what_has_no_end_is_shown_as_far_as_it_says_something(name: str, most: int) -> None:
    make, _ = ENDLESS[name]
    shown = covered(Cover(()), most, {"state": "begun", "value": make()})
    assert shown["state"] == "begun"
    assert len(to_json(shown)) <= most


def test_a_lone_surrogate_is_shown_as_a_question_mark() -> None:
    assert capped({"input": "a\ud800b"}, 1_000) == {"input": "a?b"}
    assert "sha256" in json.dumps(capped({"input": ["\ud800"] * 1_000}, 500, sums=Sums()))


@pytest.mark.parametrize("given_bytes", [255, 0, -1])
def test_a_view_of_next_to_nothing_is_refused(given_bytes: int) -> None:
    with pytest.raises(ValueError, match="give at least 256 bytes"), recorded(view_bytes=given_bytes):
        pass


async def test_the_whole_is_attached_where_that_is_asked_for(call: Call, traced: Traced) -> None:
    with recorded(attachments=True):
        await call(two_agents(make()).compile(), {})
    server = traced.sent()
    [run] = server.find("handoff:prepare")
    files = {name: json.loads(content) for (run_id, name), content in server.attachments.items() if run_id == run["id"]}
    assert files["input"] == {"input": GOOD}
    assert files["output"] == {"payload": {"task": "Why?", "facts": ["one", "two"]}}


class Pages(BaseModel):
    pages: str


@pytest.mark.parametrize("max_tokens", [None, 200])
def test_of_a_large_payload_bytes_are_told_and_tokens_where_a_budget_had_them_counted(
    seen: Seen, max_tokens: int | None
) -> None:
    contract = Handoff.of(Pages, id="pages", from_agent="a", to_agent="b", max_tokens=max_tokens)
    two_agents(contract, found={"pages": "word " * 100_000}).compile().invoke({}, {"callbacks": [seen]})
    [(_, outputs)] = seen.ours()
    facts = outputs["crux"]
    assert facts["crux_input_bytes"] == pytest.approx(500_000, rel=0.01)
    if max_tokens is None:
        assert not {"crux_input_tokens", "crux_output_tokens", "crux_tier"} & facts.keys()
        assert facts["crux_ratio"] == 1
    else:
        assert facts["crux_output_tokens"] <= 200
        assert facts["crux_tier"] == "extract"


async def test_what_becomes_of_a_large_input_is_told_in_tokens_and_compared_by_bytes(call: Call, seen: Seen) -> None:
    @handoff
    def counted(found: Pages) -> Pages:
        return Pages(pages=f"{len(found.pages):,} characters")

    with listened(seen):
        await call.prepare(counted, {"pages": "word " * 100_000})
    facts = seen.ours()[0][1]["crux"]
    assert "crux_input_tokens" not in facts
    assert facts["crux_output_tokens"] < facts["crux_output_bytes"] < 1_000
    assert facts["crux_ratio"] == round(facts["crux_output_bytes"] / facts["crux_input_bytes"], 4)
