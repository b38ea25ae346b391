"""A payload's context keeps the budget, says what it left out, and its data stays whole."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel
from support import Call

from crux_langgraph import Fit, Handoff, Omit, Payload, Pin, Private, compose, errors, estimate_tokens, fit, handoff

SENTENCES = " ".join(f"Sentence number {n} tells of city {n * 7} and of river R-{n}." for n in range(200))


class Report(BaseModel):
    question: Annotated[str, Pin()]
    findings: str
    sources: Annotated[list[str], Fit(weight=3)] = []
    raw: Annotated[str, Omit()] = ""
    token: Annotated[str, Private()] = "s3cret"


class Plain(BaseModel):
    findings: str


VALUE = {"question": "Which river\nruns through city 70?", "findings": SENTENCES, "raw": "<html>raw page</html>"}


def of(model: Any, **options: Any) -> Handoff[Any, Any]:
    return Handoff.of(model, id="report", from_agent="a", **options)


async def test_a_context_never_takes_more_than_the_budget_and_the_data_stays_whole(call: Call) -> None:
    for limit in (120, 300, 1000, 3000, 20000):
        payload = await call.prepare(of(Report, max_tokens=limit), VALUE)
        assert estimate_tokens(payload.context) == payload.receipt.context_tokens <= limit
        assert payload.data.findings == SENTENCES
        assert payload.context.endswith(f"</data {payload.fence}>")


async def test_a_pinned_field_is_kept_byte_for_byte(call: Call) -> None:
    payload = await call.prepare(of(Report, max_tokens=200), VALUE)
    assert VALUE["question"] in payload.context
    assert VALUE["question"] in (await call.prepare(of(Report), VALUE)).context


async def test_omitted_and_private_fields_are_in_no_context(call: Call) -> None:
    for limit in (None, 200, 20000):
        context = (await call.prepare(of(Report, max_tokens=limit), VALUE)).context
        assert "raw page" not in context
        assert "s3cret" not in context


async def test_the_receipt_says_what_became_of_each_field(call: Call) -> None:
    receipt = (await call.prepare(of(Report, max_tokens=300), VALUE)).receipt
    assert receipt.tier == "extract"
    assert {part.path for part in receipt.parts} >= {"question", "findings"}
    assert "findings" in receipt.omitted
    assert "question" not in receipt.omitted
    assert all(part.tokens_after <= part.tokens_before for part in receipt.parts if part.path == "findings")


async def test_what_fits_is_whole_and_leaves_nothing_out(call: Call) -> None:
    payload = await call.prepare(of(Plain, max_tokens=20000), {"findings": SENTENCES})
    assert (payload.receipt.tier, payload.receipt.parts, payload.receipt.omitted) == ("verbatim", (), ())
    assert SENTENCES in payload.context


async def test_a_payload_read_back_gives_the_same_text(call: Call) -> None:
    made = of(Report, max_tokens=300)
    payload = await call.prepare(made, VALUE)
    assert made.from_envelope(payload.to_envelope()).context == payload.context


async def test_a_payload_can_be_rendered_within_another_budget(call: Call) -> None:
    payload: Payload[Any] = await call.prepare(of(Report), VALUE)
    for limit in (150, 500, 2000):
        assert estimate_tokens(payload.context_within(limit)) <= limit
    with pytest.raises(errors.BudgetError, match="must be shown"):
        payload.context_within(20)


async def test_contexts_of_payloads_shrink_by_being_fitted_again(call: Call) -> None:
    made = of(Report)
    low = made.as_context(await call.prepare(made, VALUE), priority=10)
    high = made.as_context(await call.prepare(made, VALUE), priority=90)
    composed = compose([low, high], estimate_tokens(high.text) + 400)
    assert composed.tokens <= estimate_tokens(high.text) + 400
    assert high.text in composed.text
    assert [cut.tokens_after > 0 for cut in composed.cut] == [True]


async def test_the_task_of_the_receiver_decides_what_stays(call: Call) -> None:
    def river(plain: Plain) -> Plain:
        """Find out about river R-150 in city 1050."""
        return plain

    payload = await call.prepare(handoff(max_tokens=200)(river), {"findings": SENTENCES})
    assert "R-150" in payload.context


async def test_a_budget_that_only_the_frame_exceeds_later_is_told(call: Call) -> None:
    payload = await call.prepare(of(Plain), {"findings": "x"})
    with pytest.raises(errors.BudgetError, match="the frame around the text must be shown"):
        payload.context_within(5)


async def test_a_counter_that_answers_differently_each_time_is_told(call: Call) -> None:
    texts: list[str] = []

    def count(text: str) -> int:
        texts.append(text)
        return len(text) + 1000 * texts[:-1].count(text)

    made = of(Plain, max_tokens=400, counter=count)
    texts.clear()
    with pytest.raises(errors.BudgetError, match="answers the same for the same text"):
        await call.prepare(made, {"findings": "word " * 200})


async def test_a_counter_that_fails_on_the_fitted_text_is_told(call: Call) -> None:
    texts: list[str] = []

    def count(text: str) -> int:
        if text in texts:
            raise ZeroDivisionError
        return len(text)

    made = of(Report, max_tokens=400, counter=count)
    payload = made.prepare(VALUE)
    texts.append(payload.context)
    with pytest.raises(errors.BudgetError, match="its counter raised ZeroDivisionError"):
        payload.context_within(400)


def test_turns_of_a_speaker_whom_the_task_names_matter_more() -> None:
    talk = [
        {"role": "user", "name": name, "content": f"Point {n} of {name} is about topic {n % 5}."}
        for n in range(60)
        for name in ("Ann", "Bob")
    ]
    fitted = fit(talk, 300, task="What did Bob say about topic 3?")
    assert fitted.text.count("of Bob is") > fitted.text.count("of Ann is")
