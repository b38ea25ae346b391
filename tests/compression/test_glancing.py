"""Payloads far larger than their budget: what is worth weighing is found without weighing everything."""

import json
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from crux_langgraph.compression import _glancing, fit
from crux_langgraph.compression._relevance import Query
from crux_langgraph.compression._tree import read
from crux_langgraph.compression._walking import document_of
from crux_langgraph.fields import Fit, Pin

FILLER = "The weather was calm and nothing happened on deck today."
NEEDLE = "The captain sold crate HX-4471 to the harbour master."


def needle_in(at: int, size: int = 4000) -> list[str]:
    return [*[FILLER] * at, NEEDLE, *[FILLER] * (size - at)]


@pytest.mark.parametrize("at", [0, 1777, 3999])
def test_a_fact_is_found_anywhere_in_a_long_text(at: int) -> None:
    assert NEEDLE in fit(" ".join(needle_in(at)), 100).text


def test_what_the_task_asks_for_is_found_in_a_long_log() -> None:
    lines = [f"2025-03-11 09:{n % 60:02d} worker-{n % 7} id={n * 7919:08x} finished" for n in range(6000)]
    lines[4200] = "2025-03-11 09:11 worker-3 id=0badf00d quota exceeded for tenant"
    log = [{"role": "tool", "content": "\n".join(lines)}]
    assert "0badf00d" in fit(log, 150, task="Which tenant exceeded the quota?").text


def test_what_the_task_asks_for_is_found_among_many_records() -> None:
    records = [{"id": n, "of": {"name": f"item {n * 31}", "kind": "crate"}} for n in range(4000)]
    records[3100]["of"] = {"name": "item 4", "kind": "lighthouse"}
    assert "lighthouse" in fit(records, 150, task="Where is the lighthouse?").text


def test_a_long_text_in_another_script_is_cut_too() -> None:
    text = "。".join(f"第{n}隻の船は港に着いた" for n in range(9000))
    assert 30 < fit(text, 100, task="船").tokens <= 100


class Voyage(BaseModel):
    order: Annotated[str, Pin()]
    log: Annotated[list[str], Fit(order="last")]
    early: Annotated[list[str], Fit(order="first")]
    notes: str
    talk: list[dict[str, Any]]


def voyage() -> Voyage:
    return Voyage(
        order="Sail on.",
        log=[f"Entry {n} of the log." for n in range(3000)],
        early=[f"Plan {n} of the voyage." for n in range(3000)],
        notes=" ".join(needle_in(900)),
        talk=[
            {"role": "ai", "content": "", "tool_calls": [{"id": "1", "name": "look", "args": {"at": "the chart"}}]},
            {"role": "tool", "tool_call_id": "1", "content": json.dumps([{"reef": n} for n in range(9000)])},
        ],
    )


def test_every_field_of_a_long_payload_is_opened_and_pins_stay() -> None:
    fitted = fit(voyage(), 400)
    assert {part.path for part in fitted.parts if part.tokens_after} == {"order", "log", "early", "notes", "talk"}
    assert "order: Sail on." in fitted.text


def test_ordered_fields_of_a_long_payload_keep_their_end() -> None:
    text = fit(voyage(), 400).text
    assert "Entry 2999" in text
    assert "Plan 0 of" in text


def test_a_result_of_a_long_payload_stands_with_its_call() -> None:
    text = fit(voyage(), 400).text
    assert "-> look(at=the chart)" in text


def test_a_budget_that_holds_most_of_a_long_payload_reads_all_of_it() -> None:
    small, large = fit(voyage(), 400), fit(voyage(), 50_000)
    assert NEEDLE in large.text
    assert set(small.omitted) >= set(large.omitted)


class Deed(BaseModel):
    deed: Annotated[str, Pin()]
    notes: str


def test_beside_a_long_pin_all_of_the_rest_is_weighed_where_it_is_short() -> None:
    deed = Deed(deed=" ".join([FILLER] * 3_000), notes=" ".join(needle_in(200, 400)))
    pinned = fit(Deed(deed=deed.deed, notes=""), 100_000).tokens
    shown = fit(deed, pinned + 300).text
    assert (deed.deed in shown, NEEDLE in shown) == (True, True)


def test_where_there_is_room_for_more_than_there_is_all_is_weighed() -> None:
    document = document_of(read(" ".join(needle_in(200, 400))).root)
    assert _glancing._Glance(document, Query("")).best(1e9) == list(range(len(document.rows)))


NAMES = ("the_name_of_the_harbour_where_it_lies", "the_number_of_days_it_was_under_way", "the_place_in_the_queue")


@pytest.mark.parametrize("budget", [8_000, 16_000])
def test_a_budget_is_used_where_most_of_a_payload_is_the_names_of_its_fields(budget: int) -> None:
    rows = [dict.fromkeys(NAMES, n * 7919 % 10**5) for n in range(9000)]
    assert fit(rows, budget).tokens > 0.95 * budget


def test_a_budget_is_used_where_a_payload_begins_with_what_is_denser_than_the_rest() -> None:
    text = "島" * 20_000 + " ".join(needle_in(200, 9_000))
    assert fit(text, 16_000).tokens > 0.95 * 16_000


def test_a_pool_that_is_drawn_changes_nothing_for_the_next() -> None:
    document = document_of(read(" ".join(f"{FILLER} Crate HX-{n} went ashore." for n in range(2_000))).root)
    glance = _glancing._Glance(document, Query(""))
    before = glance.read(1e9).openers
    first = glance.best(20_000)
    assert (glance.best(20_000), glance.read(1e9).openers) == (first, before)


def test_a_fact_is_found_beside_an_empty_field() -> None:
    payload = {"extra": "", "notes": " ".join(needle_in(1777)), "more": []}
    assert NEEDLE in fit(payload, 100).text


def test_a_large_payload_in_which_nothing_is_said_is_fitted() -> None:
    payload = [{f"a_field_that_nobody_filled_{n}": None} for n in range(2_000)]
    assert fit(payload, 60).tokens <= 60
