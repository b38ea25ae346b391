"""The values of a text that a model is told to keep: which they are, what they cost, and what they are good for."""

import re
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prose import Writer, both_ways, cut, prose, sent_text, sent_values
from pydantic import BaseModel
from support import Call

from crux_langgraph import Handoff, Private, Summarize, estimate_tokens, fit
from crux_langgraph.cli._reading import bundled
from crux_langgraph.cli._recall import held
from crux_langgraph.compression._values import values_of

run = pytest.fixture(params=["sync", "async"])(both_ways)

LETTER = (
    "The harbour was quiet in the morning and nothing much was said about it. Then Ann Okonkwo asked about the crates. "
    "Order INV-2024-77 for $1,200.50 left on 2024-05-03, said Ann Okonkwo. Write to ann@example.org or look at "
    "https://example.org/a?b=1 about it. The user_id: x7_kim was there, and weather_report: fine. "
) + "The weather stayed as it had been before and nobody minded that. " * 20


def test_numbers_dates_names_and_identifiers_are_values_as_they_are_written() -> None:
    found = values_of(LETTER, "", 99)
    for value in ("INV-2024-77", "2024-05-03", "Ann Okonkwo", "ann@example.org", "https://example.org/a?b=1", "x7_kim"):
        assert value in found
    assert [value for value in found if value in {"Ann", "harbour", "weather", "user_id", "weather_report"}] == []


def test_names_of_other_sentences_are_names_of_their_own() -> None:
    found = values_of(
        "It was seen by Maria. Lopez came later, and then, as they say, there were Maria and Lopez, and Lopez. " * 3,
        "",
        99,
    )
    assert {"Maria", "Lopez"} <= set(found)


def test_what_stands_near_the_words_of_the_task_comes_first() -> None:
    text = " ".join(f"{noun} number {100_000 + at} is here." for at, noun in enumerate(["Ship", "Crane", "Rope"] * 30))
    text += " The berth of the ferry is QZ-881."
    assert values_of(text, "Book the berth of the ferry.", 1) == ["QZ-881"]


def test_no_more_are_given_than_are_wanted_and_none_where_there_are_none() -> None:
    assert len(values_of(prose(2_000), "", 7)) == 7
    assert values_of("nothing of note was said and so nothing was noted", "", 7) == []
    assert values_of("", "", 7) == []


@given(st.text(max_size=400), st.integers(1, 30))
def test_every_value_stands_in_the_text_and_comes_once(text: str, most: int) -> None:
    found = values_of(text, "", most)
    assert [value for value in found if value not in text] == []
    assert len({value.lower() for value in found}) == len(found) <= most


@pytest.mark.parametrize(
    "text", ["x" * 1_000_000, "a." * 500_000, "Aa " * 300_000, "\ud800\x00" * 5_000, "=:" * 500_000]
)
def test_hostile_text_is_gone_through_once(text: str) -> None:
    assert len(values_of(text, "", 5)) <= 5


async def test_a_request_ends_with_the_values_of_its_text(run: Any) -> None:
    model = Writer()
    await run(Summarize(model, concurrency=1), prose(18_000), quota_tokens=2_000)
    assert len(model.sent) >= 3
    for messages in model.sent:
        numbers = set(re.findall(r"\d{5}", sent_text(messages)))
        assert sent_values(messages)
        assert set(sent_values(messages)) <= numbers
        assert "The last line of the data lists values of it" in messages[0].text


async def test_the_values_take_a_small_share_of_quota_and_window(run: Any) -> None:
    for quota, window in ((60, 8_000), (400, 8_000), (2_000, 1_500)):
        model = Writer()
        await run(Summarize(model), prose(3_000), quota_tokens=quota, window=window)
        line = f"values: {', '.join(sent_values(model.sent[0]))}"
        assert len(sent_values(model.sent[0])) > 0 or quota == 60
        assert estimate_tokens(line) <= min(quota // 4, window // 32) + 6


async def test_where_there_is_no_room_or_nothing_to_keep_none_are_named(run: Any) -> None:
    for text, quota in ((prose(3_000), 60), ("nothing of note was said and so nothing was noted. " * 60, 500)):
        model = Writer()
        await run(Summarize(model), text, quota_tokens=quota)
        assert sent_values(model.sent[0]) == []
        assert "The last line of the data" not in model.sent[0][0].text


async def test_the_one_call_over_the_answers_is_told_what_of_them_to_keep(run: Any) -> None:
    model = Writer(script=lambda text, quota, _: cut(text, quota).rpartition(".")[0] + ".")
    summary = await run(Summarize(model, max_calls=16), prose(40_000), quota_tokens=400)
    assert summary.levels == 2
    last = model.sent[-1]
    assert sent_values(last)
    assert all(value in sent_text(last) for value in sent_values(last))


async def test_private_values_are_never_named(call: Call, no_blocking: Any) -> None:
    class Person(BaseModel):
        notes: str
        passport: Annotated[str, Private()]

    class Case(BaseModel):
        people: list[Person]

    no_blocking.deactivate()
    model = Writer()
    to: Any = Handoff.of(Case, id="to-clerk", max_tokens=600, summarize=Summarize(model))
    people = [{"notes": prose(2_000, seed), "passport": f"P{seed}X-{77_000_001 + seed}" * 30} for seed in range(3)]
    await call.prepare(to, {"people": people})
    assert sent_values(model.sent[0])
    sent = "\n".join(message.text for messages in model.sent for message in messages)
    assert "77000001" not in sent
    assert "P1X" not in sent


def test_a_model_that_heeds_them_keeps_what_the_next_agent_needs() -> None:
    """Of the recorded conversations: the values that the receiving agent's later calls used."""

    def heedless(text: str, quota: int, _: int) -> str:
        return cut(text, quota // 2)

    def needed(script: Any, *, heeds: bool) -> int:
        kept = 0
        for one in bundled():
            model = Heeding(script=script, heeds=heeds)
            shown = fit(list(one.messages), 10**9).text
            summary = Handoff.of(Notes, id="x", max_tokens=700, summarize=Summarize(model)).prepare({"notes": shown})
            kept += len(held(one.needed, summary.summary or ""))
        return kept

    without, with_values = needed(heedless, heeds=False), needed(heedless, heeds=True)
    assert with_values > 2 * without


class Notes(BaseModel):
    notes: str


class Heeding(Writer):
    """Writes the beginning of a text, and after it, where it heeds them, the values that it was told to keep."""

    heeds: bool = True

    def _reply(self, messages: Any, number: int) -> Any:
        result = super()._reply(messages, number)
        if self.heeds:
            message = result.generations[0].message
            message.content += "\n" + ", ".join(sent_values(messages))
        return result
