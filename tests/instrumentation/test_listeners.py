"""Listeners of every kind hear of our runs, each in its own way, and break none of them."""

import asyncio
from contextvars import ContextVar, copy_context
from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler, get_usage_metadata_callback
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata
from support import GOOD, Brief, Call, Research, ScriptedModel, make, to_brief
from watching import Seen, Suspends, listened

from crux_langgraph import Handoff, Payload, handoff
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


SET: ContextVar[bool] = ContextVar("set by a listener", default=False)


@pytest.mark.parametrize("more", range(3))
async def test_what_an_inline_listener_sets_in_the_context_holds_in_the_transform(call: Call, more: int) -> None:
    class Sets(BaseCallbackHandler):
        run_inline = True

        def on_chain_start(self, *args: Any, **told: Any) -> None:
            SET.set(True)

    def transform(research: Research) -> Brief:
        return to_brief(research.model_copy(update={"question": str(SET.get())}))

    with listened(*(Seen() for _ in range(more)), Sets()):
        payload = await call.prepare(handoff(transform), GOOD)
    assert payload.data.task == "True"


class Gone(BaseCallbackHandler):
    """Waits at an event for what was cancelled."""

    def __init__(self, event: str, *, run_inline: bool) -> None:
        self.run_inline = run_inline
        setattr(self, event, self.wait)

    def wait(self, *_: Any, **told: Any) -> None:
        raise asyncio.CancelledError


class GoneAsync(Gone):
    async def wait(self, *_: Any, **told: Any) -> None:
        raise asyncio.CancelledError


@pytest.mark.parametrize("event", ["on_chain_start", "on_chain_end"])
@pytest.mark.parametrize("run_inline", [True, False])
@pytest.mark.parametrize("kind", [Gone, GoneAsync])
@pytest.mark.parametrize("others", [0, 2])
async def test_what_a_listener_waits_for_and_is_cancelled_cancels_no_handoff(
    kind: type[Gone], event: str, others: int, seen: Seen, *, run_inline: bool
) -> None:
    seen.run_inline = True
    with listened(seen, kind(event, run_inline=run_inline), *(Seen() for _ in range(others))):
        await make().aprepare(GOOD)
    assert len(seen.ended) == len(seen.started) == 1


def test_what_a_listener_waits_for_and_is_cancelled_cancels_no_handoff_outside_of_a_loop(seen: Seen) -> None:
    with listened(seen, Gone("on_chain_start", run_inline=True)):
        make().prepare(GOOD)
    assert len(seen.ended) == 1


def test_a_run_whose_start_ends_the_program_is_ended_for_who_heard_of_it(seen: Seen) -> None:
    class Ends(BaseCallbackHandler):
        def on_chain_start(self, *args: Any, **told: Any) -> None:
            raise KeyboardInterrupt

    with listened(seen, Ends()), pytest.raises(KeyboardInterrupt):
        make().prepare(GOOD)
    assert list(map(str, seen.ended.values())) == ["KeyboardInterrupt"]


def test_a_handoff_crosses_where_the_loop_has_no_threads_left_for_its_listeners(
    seen: Seen, caplog: pytest.LogCaptureFixture
) -> None:
    async def cross() -> Payload[Research]:
        await asyncio.get_running_loop().shutdown_default_executor()
        with listened(seen):
            return await Handoff.of(Research, id="onward").aprepare(GOOD)

    with asyncio.Runner() as runner:
        assert runner.run(cross()).data == Research(**GOOD)
    assert [record.getMessage() for record in caplog.records] == [
        f"A listener failed at on_chain_{event}: RuntimeError" for event in ("start", "end")
    ]


def test_a_run_whose_start_is_cut_off_with_the_event_loop_is_ended(seen: Seen) -> None:
    hearing = asyncio.Event()

    class Slow(AsyncCallbackHandler):
        async def on_chain_start(self, *args: Any, **told: Any) -> None:
            hearing.set()
            await asyncio.sleep(60)

    async def leave() -> asyncio.Task[Any]:
        with listened(seen, Slow()):
            left = asyncio.create_task(make().aprepare(GOOD))
            await hearing.wait()
            return left

    seen.run_inline = True
    with asyncio.Runner() as runner:
        left = runner.run(leave())
    assert left.cancelled()
    assert [type(ended).__name__ for ended in seen.ended.values()] == ["CancelledError"]


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


@pytest.mark.parametrize("others", [0, 1])
@pytest.mark.parametrize("name", ["ignore_chain", "on_chain_start", "on_chain_end", "run_inline", "run_map"])
async def test_a_listener_that_breaks_when_it_is_looked_at_breaks_neither_a_handoff_nor_others(
    call: Call, name: str, others: int, seen: Seen
) -> None:
    def broken(_: BaseCallbackHandler) -> Any:
        raise ZeroDivisionError

    with listened(type("Broken", (BaseCallbackHandler,), {name: property(broken)})(), *[seen][:others]):
        await call.prepare(make(), GOOD)
    assert len(seen.ended) == len(seen.started) == others


async def test_a_listener_keeps_what_it_wants_under_the_ids_of_runs(call: Call, seen: Seen) -> None:
    class Keeping(BaseCallbackHandler):
        def __init__(self) -> None:
            self.run_map: dict[str, str] = {}

        def on_chain_start(self, *_: Any, run_id: Any, name: str, **told: Any) -> None:
            self.run_map[str(run_id)] = name

    keeping = Keeping()
    with listened(keeping, seen):
        await call.prepare(make(), GOOD)
    assert [*keeping.run_map.values()] == [name for name, _ in seen.ours()] == ["handoff:prepare"]


async def test_listeners_that_cannot_be_asked_a_second_time_break_no_asynchronous_handoff(
    seen: Seen, caplog: pytest.LogCaptureFixture
) -> None:
    class Fickle(Seen):
        asked = 0

        @property
        def run_inline(self) -> bool:
            self.asked += 1
            if self.asked > 1:
                raise ZeroDivisionError(GOOD["question"])
            return False

    seen.run_inline = True
    with listened(Fickle(), Fickle(), seen):
        await make().aprepare(GOOD)
    assert len(seen.ended) == len(seen.started) == 1
    assert {record.getMessage() for record in caplog.records} == {
        "A listener failed at on_chain_start: ZeroDivisionError"
    }


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


async def test_of_a_run_whose_view_ends_the_program_nobody_hears_the_end_only(call: Call, seen: Seen) -> None:
    def ends(_: Any) -> Any:
        raise KeyboardInterrupt

    crossing = make()
    crossing._input.shown = ends
    with listened(seen), pytest.raises(KeyboardInterrupt):
        await call.prepare(crossing, GOOD)
    assert seen.started == seen.ended == {}


async def test_a_handoff_that_is_closed_while_a_listener_hears_of_its_start_waits_for_no_listener() -> None:
    heard: list[str] = []

    class Waiting(AsyncCallbackHandler):
        async def on_chain_start(self, *_: Any, **told: Any) -> None:
            heard.append("start")

        async def on_chain_error(self, error: BaseException, **told: Any) -> None:
            heard.append(str(error))

    with listened(Waiting()):
        crossing: Any = make().aprepare(GOOD)
        crossing.send(None)
        crossing.close()
    await asyncio.sleep(0.02)
    assert heard == ["start", "GeneratorExit"]


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
