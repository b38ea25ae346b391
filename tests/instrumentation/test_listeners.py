"""Listeners of every kind hear of our runs, each in its own way, and break none of them."""

import asyncio
from collections.abc import Generator
from contextvars import copy_context
from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler, get_usage_metadata_callback
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata
from support import GOOD, Brief, Call, Research, ScriptedModel, make, to_brief
from watching import Seen, listened

from crux_langgraph import Payload, handoff
from crux_langgraph._waiting import AWAITING

USED = UsageMetadata(input_tokens=3, output_tokens=4, total_tokens=7)


class Breaking(AsyncCallbackHandler):
    """Hears of ends, asynchronously, and breaks at starts."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen

    async def on_chain_start(self, *_: Any, **told: Any) -> None:
        raise ZeroDivisionError(GOOD["question"])

    async def on_chain_end(self, outputs: Any, **told: Any) -> None:
        self.seen.on_chain_end(outputs, **told)


async def test_an_asynchronous_listener_that_breaks_is_logged_by_type_and_hears_of_the_end(
    seen: Seen, caplog: pytest.LogCaptureFixture
) -> None:
    with listened(Breaking(seen)):
        await make().aprepare(GOOD)
    assert len(seen.ended) == 1
    assert [record.getMessage() for record in caplog.records] == [
        "A listener failed at on_chain_start: ZeroDivisionError"
    ]


async def test_a_handoff_cancelled_while_a_listener_breaks_at_its_start_is_cancelled(seen: Seen) -> None:
    hearing = asyncio.Event()

    class Insisting(Breaking):
        raise_error = False

        async def on_chain_start(self, *args: Any, **told: Any) -> None:
            hearing.set()
            await asyncio.sleep(0.02)
            self.raise_error = True
            raise ZeroDivisionError

    with listened(Insisting(seen)):
        task = asyncio.create_task(make().aprepare(GOOD))
        await hearing.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert seen.ended == {}


async def test_listeners_that_suspend_are_told_at_once(seen: Seen) -> None:
    both = asyncio.Barrier(2)

    class Meeting(AsyncCallbackHandler):
        async def on_chain_start(self, *args: Any, **told: Any) -> None:
            await both.wait()

        async def on_chain_end(self, outputs: Any, **told: Any) -> None:
            await both.wait()
            seen.on_chain_end(outputs, **told)

    with listened(Meeting(), Meeting()):
        await asyncio.wait_for(make().aprepare(GOOD), 5)
    assert len(seen.ended) == 1


class CountsTokens(BaseCallbackHandler):
    """Listens to models alone."""

    def __init__(self) -> None:
        self.parents: list[Any] = []

    def on_chat_model_start(self, *_: Any, parent_run_id: Any = None, **told: Any) -> None:
        self.parents.append(parent_run_id)


@pytest.mark.parametrize("others", [(), (Seen(),)], ids=["alone", "beside another"])
async def test_who_listens_to_no_chain_makes_no_run(call: Call, others: tuple[Any, ...]) -> None:
    model = ScriptedModel(replies=["hello"])
    counts = CountsTokens()

    def transform(research: Research) -> Brief:
        model.invoke("hi")
        return to_brief(research)

    with listened(counts, *others):
        await call.prepare(handoff(transform), GOOD)
    assert [parent is not None for parent in counts.parents] == [bool(others)]


async def test_a_count_of_the_tokens_that_models_use_makes_no_run_and_misses_none(call: Call) -> None:
    used = AIMessage("hello", usage_metadata=USED, response_metadata={"model_name": "m"})
    model = ScriptedModel(replies=[used])

    def transform(research: Research) -> Brief:
        model.invoke("hi")
        return to_brief(research)

    looked: list[Any] = []
    crossing = handoff(transform)
    crossing._input.shown = looked.append
    with get_usage_metadata_callback() as count:
        await call.prepare(crossing, GOOD)
    assert looked == []
    assert count.usage_metadata["m"]["total_tokens"] == USED["total_tokens"]


async def test_who_knows_half_of_the_events_hears_of_that_half(call: Call, seen: Seen) -> None:
    class Half(BaseCallbackHandler):
        on_chain_end = seen.on_chain_end
        on_chain_start = property()

    with listened(Half()):
        await call.prepare(make(), GOOD)
    assert len(seen.ended) == 1


async def test_the_tokens_of_an_input_that_a_hook_has_counted_are_not_counted_again(call: Call, seen: Seen) -> None:
    counted: list[str] = []

    def counter(text: str) -> int:
        counted.append(text)
        return len(text)

    def reads(payload: Payload[Any]) -> None:
        assert payload.receipt.input_tokens

    with listened(seen):
        await call.prepare(make(counter=counter, on_prepare=reads), GOOD)
    text = Research(**GOOD).model_dump_json()
    [(_, outputs)] = seen.ours()
    assert counted.count(text) == 1
    assert outputs["crux"]["crux_input_tokens"] == len(text)


class Suspends:
    """Waits for whoever steps the coroutine."""

    def __await__(self) -> Generator[None]:
        yield


def test_a_handoff_that_is_closed_in_another_context_ends_its_run(seen: Seen) -> None:
    async def transform(research: Research) -> Brief:
        await Suspends()
        return to_brief(research)

    seen.run_inline = True
    flow = handoff(transform).flow(AWAITING, GOOD)
    with listened(seen):
        copy_context().run(flow.send, None)
    flow.close()
    [(_, ending)] = seen.ours()
    assert str(ending) == "GeneratorExit"
