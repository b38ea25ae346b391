"""A handoff whose prose a model writes shorter: when it is asked, what it sees, and what the receiver gets."""

import asyncio
import json
import random
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.graph import END, START, StateGraph
from prose import Status, Writer, obedient, prose
from pydantic import BaseModel, RootModel
from support import MASKS_EVERYWHERE, Call, State
from typing_extensions import TypedDict

from crux_langgraph import Fit, Handoff, Omit, Pin, Private, Summarize, add_handoff, errors, estimate_tokens
from crux_langgraph._model_use import ModelUse

pytestmark = pytest.mark.usefixtures("sync_may_block")

LONG = prose(3_000)
SECRET = "sk-never-to-be-sent"


class Notes(BaseModel):
    question: Annotated[str, Pin()]
    findings: str
    sources: list[str] = []


NOTES = {"question": "Which crates are late?", "findings": LONG, "sources": ["port.example", "log.example"]}


def to_writer(model: Any, schema: Any = Notes, max_tokens: int | None = 600, **options: Any) -> Handoff[Any, Any]:
    return Handoff.of(schema, id="to-writer", max_tokens=max_tokens, summarize=Summarize(model, **options))


def tokens(payload: Any) -> int:
    return estimate_tokens(payload.context)


async def test_prose_that_does_not_fit_is_written_shorter(call: Call) -> None:
    model = Writer(script=lambda *_: "Crates of the northern road are late.")
    payload = await call.prepare(to_writer(model), NOTES)
    assert payload.summary == "Crates of the northern road are late."
    assert "Summary of findings:\nCrates of the northern road are late.\n\n{" in payload.context
    assert '"question": "Which crates are late?"' in payload.context
    assert tokens(payload) == payload.receipt.context_tokens <= 600
    assert payload.data.findings == LONG


async def test_the_receipt_says_what_the_model_was_asked_and_what_it_wrote(call: Call) -> None:
    model = Writer(script=lambda *_: "The road is closed. Ref 1 is late.")
    receipt = (await call.prepare(to_writer(model), NOTES)).receipt
    assert (receipt.tier, receipt.model_calls, receipt.degraded) == ("summary", 1, ("invented",))
    assert "model: 1 calls; degraded: invented; " in repr(receipt)
    assert (receipt.model_tokens_read, receipt.invented) == (model.read + 8, ("Ref 1 is late.",))
    assert receipt.durations_s["model"] == receipt.model.duration_s > 0
    assert [(part.path, part.tier) for part in receipt.parts] == [
        ("findings", "summary"),
        ("(summary)", "summary"),
        ("question", "verbatim"),
        ("sources", "verbatim"),
    ]
    assert receipt.omitted == ("findings",)
    [written] = [part for part in receipt.parts if part.path == "(summary)"]
    assert 0 < written.tokens_after < receipt.context_tokens


@pytest.mark.parametrize("findings", ["Short.", "Short enough as lines.\n" * 6])
async def test_what_fits_as_it_is_or_without_loss_costs_no_call(call: Call, findings: str) -> None:
    sources = [f"port-{n}.example" for n in range(20)]
    model = Writer()
    payload = await call.prepare(to_writer(model, max_tokens=330), {**NOTES, "findings": findings, "sources": sources})
    assert payload.receipt.tier in {"verbatim", "compact"}
    assert (model.sent, payload.summary, payload.receipt.model, payload.receipt.degraded) == ([], None, None, ())


async def test_without_prose_no_model_is_asked(call: Call) -> None:
    model = Writer()
    payload = await call.prepare(to_writer(model), {**NOTES, "findings": "", "sources": ["port.example"] * 900})
    assert (model.sent, payload.receipt.tier, payload.receipt.model_calls) == ([], "extract", 0)


@pytest.mark.parametrize("max_tokens", [None, 20_000])
async def test_always_asks_for_a_quarter_of_what_would_fit(call: Call, max_tokens: int | None) -> None:
    model = Writer(script=lambda _, quota, __: f"It fits in {'enough' if 700 < quota < 800 else 'other'} tokens.")
    payload = await call.prepare(to_writer(model, max_tokens=max_tokens, always=True), NOTES)
    assert payload.summary == "It fits in enough tokens."
    assert payload.receipt.tier == "summary"


@pytest.mark.parametrize(
    "options, says",
    [
        ({"summarize": Summarize(Writer())}, "Give max_tokens= as well, or Summarize.model, always=True."),
        ({"summarize": Writer(), "max_tokens": 500}, "its summarize is a Writer"),
    ],
)
def test_what_would_never_or_not_work_is_refused_at_definition(options: dict[str, Any], says: str) -> None:
    with pytest.raises(errors.DefinitionError, match=says):
        Handoff.of(Notes, id="x", **options)


class Page(BaseModel):
    url: str
    body: str


class Deep(BaseModel):
    pages: list[Page]
    by_name: dict[str, str | None]
    best: Page | None = None
    terms: Annotated[str, Pin()] = "PINNED " * 60
    raw: Annotated[str, Omit()] = "OMITTED " * 60
    kept: Annotated[list[Page], Fit(summarize=False)] = []
    short: Annotated[list[str], Fit(summarize=True)] = []
    key: Annotated[str, Private()] = f"{SECRET} " * 30
    keys: list[Annotated[str, Private()]] = [f"{SECRET} " * 30]
    secret: Annotated[Page | None, Private()] = None


async def test_prose_is_found_at_any_depth_unless_it_says_otherwise(call: Call) -> None:
    model = Writer(script=lambda text, quota, _: "All read.")
    value = Deep(
        pages=[Page(url="a.example", body="FIRST " * 60), Page(url="b.example", body="SECOND " * 60)],
        by_name={"x": "THIRD " * 60, "none": None, "y": "brief"},
        best=Page(url="c.example", body="FOURTH " * 60),
        kept=[Page(url="d.example", body="KEPT " * 60)],
        short=["one by one", "two by two"],
        secret=Page(url=SECRET, body=f"{SECRET} " * 60),
    )
    payload = await call.prepare(to_writer(model, Deep, max_tokens=700), value)
    sent = model.sent[0][-1].text
    for path in ("pages[0].body:\nFIRST", "pages[1].body:\nSECOND", "by_name.x:\nTHIRD", "best.body:\nFOURTH"):
        assert path in sent
    assert "short:\none by one\ntwo by two" in sent
    for absent in ("PINNED", "OMITTED", "KEPT", "brief", SECRET):
        assert absent not in sent
    assert "Summary of pages[].body, by_name.x, best.body, short:\nAll read." in payload.context
    assert value.terms in payload.context
    assert "a.example" in payload.context
    assert "FIRST" not in payload.context
    assert SECRET not in payload.context


class Row(NamedTuple):
    text: str
    token: Annotated[str, Private()]


class Entry(TypedDict):
    text: str
    token: Annotated[str, Private()]


class Inner(BaseModel):
    text: str
    token: Annotated[str, Private()]


class Guarded(BaseModel):
    entry: Entry
    inner: dict[str, list[Inner] | None]
    pairs: list[tuple[str, Annotated[str, Private()]]]
    whole: Annotated[dict[str, Any], Private()]


class GuardedRows(Guarded):
    rows: list[Row]


async def test_a_secret_beside_prose_reaches_no_model_in_whatever_it_is_held(call: Call) -> None:
    secret, model = f"{SECRET} " * 60, Writer()
    shape = GuardedRows if MASKS_EVERYWHERE else Guarded  # refused before: tests/contract/test_private.py
    value = GuardedRows(
        rows=[Row(prose(300, 2), secret)],
        entry={"text": prose(300, 3), "token": secret},
        inner={"k": [Inner(text=prose(300, 4), token=secret)]},
        pairs=[(prose(300, 5), secret)],
        whole={"text": secret},
    )
    payload = await call.prepare(to_writer(model, shape), shape(**dict(value)))
    assert (
        payload.receipt.omitted == ("entry.text", "inner.k[].text", "pairs[]", "rows[]")[: len(shape.model_fields) - 1]
    )
    shown = [message.text for sent in model.sent for message in sent]
    shown += [payload.context, repr(payload), payload.receipt._repr_html_(), payload.read()]
    assert [text for text in shown if SECRET in text] == []


async def test_the_messages_of_a_conversation_are_one_text_for_the_model(call: Call) -> None:
    class Chat(BaseModel):
        messages: list[AnyMessage]

    asked = AIMessage("", tool_calls=[{"name": "look_up", "args": {"id": "A7"}, "id": "1"}])
    messages = [HumanMessage("Where is A7?"), asked, ToolMessage(LONG, tool_call_id="1", name="look_up")]
    model = Writer(script=lambda text, *_: "A7 waits." if "human: Where" in text and "-> look_up" in text else "")
    payload = await call.prepare(to_writer(model, Chat), Chat(messages=messages))
    assert "Summary of messages:\nA7 waits.\n</data" in payload.context
    assert payload.data.messages == messages


async def test_a_payload_that_is_a_text_is_summarised(call: Call) -> None:
    model = Writer(script=lambda *_: "All late.")
    payload = await call.prepare(to_writer(model, RootModel[str]), RootModel[str](LONG))
    assert "<data " in payload.context
    assert "\nSummary:\nAll late.\n</data" in payload.context


async def test_when_all_is_prose_the_summary_stands_alone_and_what_is_omitted_is_accounted_for(call: Call) -> None:
    class Report(BaseModel):
        body: str
        raw: Annotated[str, Omit()]

    payload = await call.prepare(to_writer(Writer(), Report), {"body": LONG, "raw": "<p>" * 99})
    assert [(part.path, part.tier) for part in payload.receipt.parts] == [
        ("body", "summary"),
        ("(summary)", "summary"),
        ("raw", "reference"),
    ]
    assert "{" not in payload.context


async def test_the_payload_is_the_same_after_its_envelope(call: Call) -> None:
    to = to_writer(Writer(script=lambda *_: "Crates are late. Ref 1 is not."))
    payload = await call.prepare(to, NOTES)
    read = to.from_envelope(json.loads(json.dumps(payload.to_envelope())))
    assert (read, read.context, read.receipt.model) == (payload, payload.context, payload.receipt.model)
    assert read.receipt.invented == ("Ref 1 is not.",)


async def test_an_envelope_from_before_there_was_a_model_is_read(call: Call) -> None:
    to = to_writer(Writer())
    envelope = (await call.prepare(to, {**NOTES, "findings": "Short."})).to_envelope()
    del envelope["receipt"]["model"]
    assert to.from_envelope(envelope).receipt.model is None


async def test_a_smaller_budget_shrinks_the_summary_too(call: Call) -> None:
    payload = await call.prepare(to_writer(Writer()), NOTES)
    for budget in (150, 250, 400):
        context = payload.context_within(budget)
        assert estimate_tokens(context) <= budget
        assert "Summary of findings:" in context
        assert "Which crates are late?" in context


async def test_where_no_summary_fits_beside_the_pins_the_rest_is_fitted_without_it(call: Call) -> None:
    payload = await call.prepare(to_writer(Writer()), NOTES)
    least = payload.context_within(105)
    assert estimate_tokens(least) <= 105
    assert "Which crates are late?" in least


async def test_pins_that_do_not_fit_are_an_error_before_any_call(call: Call) -> None:
    model = Writer()
    with pytest.raises(errors.BudgetError, match="pinned fields question"):
        await call.prepare(to_writer(model, max_tokens=100), {**NOTES, "question": "Why? " * 200})
    assert model.sent == []


async def test_a_quota_that_says_nothing_makes_no_call(call: Call) -> None:
    model = Writer()
    payload = await call.prepare(to_writer(model, max_tokens=110), NOTES)
    assert (model.sent, payload.summary) == ([], None)
    assert payload.receipt.model == ModelUse(used=False, degraded=("limits",))


FAILURES: dict[str, tuple[Callable[..., Any], str]] = {
    "timeout": (lambda *_: TimeoutError(), "timeout"),
    "429": (lambda *_: Status(429), "rate_limited"),
    "empty": (lambda *_: "", "empty"),
    "too long": (lambda text, *_: text, "too_long"),
    "invented": (lambda *_: "Ref 1 of 2 is late.", "invented"),
    "auth": (lambda *_: Status(401), "provider_error"),
    "cut off": (lambda *_: AIMessage("half a sent", response_metadata={"finish_reason": "length"}), "empty"),
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_whatever_fails_the_context_is_the_deterministic_fit_and_the_receipt_says_why(
    call: Call, failure: str
) -> None:
    script, reason = FAILURES[failure]
    payload = await call.prepare(to_writer(Writer(script=script)), NOTES)
    assert payload.receipt.degraded == (reason,)
    assert tokens(payload) <= 600
    assert "Which crates are late?" in payload.context
    if failure != "too long":
        plain = Handoff.of(Notes, id="to-writer", max_tokens=600).prepare(NOTES)
        assert payload.context.replace(payload.fence, "") == plain.context.replace(plain.fence, "")
        assert (payload.summary, payload.receipt.model.used, payload.receipt.tier) == (None, False, "extract")


def mixed(seed: int) -> Callable[..., Any]:
    def script(text: str, quota: int, number: int) -> Any:
        chance = random.Random(seed * 1_000 + number)
        answer = chance.choice([obedient, *(script for script, _ in FAILURES.values())])
        return answer(text, quota, number)

    return script


def characters(text: str) -> int:
    return len(text)


def words(text: str) -> int:
    return 2 * len(text.split()) + len(text) // 16 + 1


@examples(max_examples=40, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(150, 4_000),
    st.sampled_from([estimate_tokens, characters, words]),
    st.integers(1, 12_000),
    st.integers(1, 9),
)
def test_no_mix_of_failures_leads_beyond_the_budget(
    seed: int, budget: int, counter: Callable[[str], int], size: int, calls: int
) -> None:
    limits = {"max_calls": calls, "timeout_s": 5, "always": bool(seed % 2)}
    to = Handoff.of(
        Notes, id="x", max_tokens=budget, counter=counter, summarize=Summarize(Writer(script=mixed(seed)), **limits)
    )
    payload = to.prepare({**NOTES, "findings": LONG[:size]})
    assert counter(payload.context) <= budget
    assert counter(payload.context) == payload.receipt.context_tokens
    assert "Which crates are late?" in payload.context
    assert payload.receipt.model_calls <= calls


async def test_no_mix_of_failures_leads_beyond_the_budget_on_either_way(call: Call) -> None:
    for seed in range(20):
        chance = random.Random(seed)
        budget, counter = chance.randrange(150, 4_000), chance.choice([estimate_tokens, characters, words])
        limits = {"max_calls": chance.randrange(1, 9), "timeout_s": 5, "always": bool(seed % 2)}
        settings = Summarize(Writer(script=mixed(seed)), **limits)  # type: ignore[arg-type]
        to = Handoff.of(Notes, id="x", max_tokens=budget, counter=counter, summarize=settings)
        payload = await call.prepare(to, {**NOTES, "findings": LONG[: chance.randrange(1, 12_000)]})
        assert counter(payload.context) == payload.receipt.context_tokens <= budget
        assert payload.receipt.model_calls <= limits["max_calls"]
        assert "Which crates are late?" in payload.context


async def test_far_more_than_the_window_crosses_in_16_calls_and_two_levels(call: Call) -> None:
    model = Writer()
    to = to_writer(model, max_tokens=1_024, max_calls=16, max_input_tokens=10**6)
    payload = await call.prepare(to, {**NOTES, "findings": prose(220_000)})
    assert payload.receipt.model.used
    assert (payload.receipt.model.levels, payload.receipt.degraded) == (2, ())
    assert payload.receipt.model_calls == len(model.sent) <= 16
    assert max(estimate_tokens(one[0].text + one[1].text) for one in model.sent) <= 8_000
    assert tokens(payload) <= 1_024


def crowded(text: str) -> int:
    # Texts cost more together than apart, as with no tokenizer: the summary and the rest no longer fit beside each other.
    return len(text) + (2_000 if "Summary of" in text and "question" in text else 0)


async def test_a_summary_beside_which_the_rest_does_not_fit_is_not_used(call: Call) -> None:
    model = Writer(script=lambda *_: "All late.")
    to = Handoff.of(Notes, id="x", max_tokens=2_000, counter=crowded, summarize=Summarize(model))
    payload = await call.prepare(to, NOTES)
    assert (payload.summary, payload.receipt.model.used, payload.receipt.degraded) == (None, False, ("limits",))
    assert crowded(payload.context) <= 2_000


def failing(text: str) -> int:
    if "Summary of" in text:
        raise RuntimeError
    return len(text)


async def test_a_counter_that_fails_at_the_summary_is_a_typed_error(call: Call) -> None:
    to = Handoff.of(Notes, id="x", max_tokens=3_000, counter=failing, summarize=Summarize(Writer()))
    with pytest.raises(errors.BudgetError, match="its counter raised RuntimeError"):
        await call.prepare(to, NOTES)


async def test_a_counter_that_fails_when_a_summary_is_read_back_is_one_too(call: Call) -> None:
    envelope = (await call.prepare(to_writer(Writer()), NOTES)).to_envelope()
    payload = Handoff.of(Notes, id="to-writer", counter=failing).from_envelope(envelope)
    with pytest.raises(errors.BudgetError, match="its counter raised RuntimeError"):
        _ = payload.context


async def test_a_budget_below_the_frame_is_an_error_with_a_summary_too(call: Call) -> None:
    payload = await call.prepare(to_writer(Writer(), RootModel[str]), RootModel[str](LONG))
    with pytest.raises(errors.BudgetError, match="the frame around the text"):
        payload.context_within(20)


async def test_it_works_on_the_edge_of_a_graph(call: Call) -> None:
    to = to_writer(Writer(script=lambda *_: "All late."))
    builder: Any = StateGraph(State)
    builder.add_node("a", lambda _: {"found": NOTES})
    builder.add_node("b", lambda state: {"seen": to.received(state).summary})
    builder.add_edge(START, "a")
    add_handoff(builder, to, source="a", target="b", read="found")
    builder.add_edge("b", END)
    assert (await call(builder.compile(), {}))["seen"] == "All late."


async def test_cancelling_passes_through_and_hands_nothing_over() -> None:
    model = Writer(latency_s=30)
    handed: list[Any] = []
    to: Any = Handoff.of(
        Notes, id="x", max_tokens=600, summarize=Summarize(model, timeout_s=60), on_prepare=handed.append
    )
    task = asyncio.create_task(to.aprepare(NOTES))
    await asyncio.to_thread(model.was_called.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (model.cancelled, handed) == (1, [])


@pytest.mark.parametrize("summarizing", [None, Summarize(Writer(), max_calls=2)])
async def test_the_event_loop_stays_free_while_megabytes_are_fitted(summarizing: Summarize | None) -> None:
    to: Any = Handoff.of(Notes, id="x", max_tokens=600, summarize=summarizing)
    task = asyncio.create_task(to.aprepare({**NOTES, "findings": LONG * 80}))
    beats = 0
    while not task.done():
        await asyncio.sleep(0.01)
        beats += 1
    assert (await task).receipt.context_tokens <= 600
    assert beats > 2  # it would be one: that of the sleep in which all of it is done
