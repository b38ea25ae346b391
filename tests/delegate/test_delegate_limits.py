"""Limits of a delegate: seconds, depth of a nest, cancellation; and the tokens that models below it used."""

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from support import Brief, Call, Research, ScriptedModel, calling, to_brief

from crux_langgraph import Delegate, RepairRequest, delegate, errors, handoff

CONTRACT = handoff(id="a-to-b")(to_brief)


def counting(replies: list[Any]) -> ScriptedModel:
    """A model that says what it used: 10 tokens in and 5 out by each call."""
    used = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    meta = {"model_name": "scripted"}
    made = [AIMessage(one) if isinstance(one, str) else one for one in replies]
    return ScriptedModel(
        replies=[m.model_copy(update={"usage_metadata": used, "response_metadata": meta}) for m in made]
    )


async def test_a_call_that_takes_too_long_is_cancelled() -> None:
    cancelled: list[str] = []

    @delegate(handoff=CONTRACT, timeout_s=0.3)
    async def slow() -> Research:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            cancelled.append("slow")
            raise
        raise NotImplementedError

    with pytest.raises(errors.TimeLimitError, match=r"it took longer than timeout_s=0\.3") as caught:
        await slow.arun({})
    assert (caught.value.timeout_s, caught.value.layer, cancelled) == (0.3, "limit", ["slow"])
    assert errors.is_retryable(caught.value)


async def test_a_subagent_that_answers_its_cancellation_was_late_all_the_same() -> None:
    @delegate(handoff=CONTRACT, timeout_s=0.3)
    async def stubborn() -> Research:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            return Research(question="late")
        raise NotImplementedError

    with pytest.raises(errors.TimeLimitError):
        await stubborn.arun({})


async def test_a_subagent_that_makes_an_error_of_its_cancellation_was_late_all_the_same() -> None:
    @delegate(handoff=CONTRACT, timeout_s=0.3)
    async def client() -> Research:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            raise ConnectionError from None
        raise NotImplementedError

    with pytest.raises(errors.TimeLimitError) as caught:
        await client.arun({})
    assert isinstance(caught.value.original, errors.SubagentError)
    assert errors.is_retryable(caught.value)


async def test_a_failure_within_the_time_is_not_the_limits() -> None:
    @delegate(handoff=CONTRACT, timeout_s=5)
    async def client() -> Research:
        raise ConnectionError

    with pytest.raises(errors.SubagentError, match="raised ConnectionError"):
        await client.arun({})


async def test_a_cancellation_of_the_subagents_own_is_its_failure(call: Call) -> None:
    async def awaits() -> Research:
        inner = asyncio.create_task(asyncio.sleep(10))
        inner.cancel()
        await inner
        raise NotImplementedError

    def raises() -> Research:
        raise asyncio.CancelledError

    with pytest.raises(errors.SubagentError, match="raised CancelledError"):
        await call.run(delegate(handoff=CONTRACT)(awaits if call.is_async else raises), {})


def test_without_a_loop_a_cancellation_is_the_subagents_own() -> None:
    @delegate(handoff=CONTRACT)
    def raises() -> Research:
        raise asyncio.CancelledError

    with pytest.raises(errors.SubagentError, match="raised CancelledError"):
        raises.run({})


async def test_a_call_within_its_time_is_not_touched() -> None:
    @delegate(handoff=CONTRACT, timeout_s=5)
    async def quick() -> Research:
        return Research(question="q")

    assert (await quick.arun({})).data.task == "q"


async def test_a_timeout_inside_the_subagent_is_the_subagents_own() -> None:
    @delegate(handoff=CONTRACT, timeout_s=5)
    async def subagent() -> Research:
        raise TimeoutError

    with pytest.raises(errors.SubagentError, match="raised TimeoutError"):
        await subagent.arun({})


async def test_repairs_share_the_time_of_one_call() -> None:
    @delegate(handoff=CONTRACT, timeout_s=0.05, max_repairs=50)
    async def subagent(*, repair: RepairRequest | None = None) -> Research:
        await asyncio.sleep(0.02)
        return {"question": repair.attempt if repair else 0}  # type: ignore[return-value]

    with pytest.raises(errors.TimeLimitError):
        await subagent.arun({})


async def test_a_time_limit_is_refused_on_the_sync_way() -> None:
    @delegate(handoff=CONTRACT, timeout_s=1)
    async def quick() -> Research:
        raise NotImplementedError

    with pytest.raises(errors.WrongWayError, match="timeout_s of delegate 'quick'"):
        quick.run({})


async def test_a_cancellation_from_outside_reaches_the_subagent_and_passes() -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    @delegate(handoff=CONTRACT, timeout_s=10)
    async def slow() -> Research:
        started.set()
        try:
            await asyncio.sleep(10)
        finally:
            cancelled.set()
        raise NotImplementedError

    task = asyncio.create_task(slow.arun({}))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cancelled.is_set()


def nest(levels: int, max_depth: int | None) -> Delegate[Any, Any]:
    """Delegates that call each other, each by an agent and its tool; only the innermost has a limit."""

    def innermost() -> Research:
        """Answer."""
        return Research(question="deep")

    inner = delegate(handoff=CONTRACT, max_depth=max_depth)(innermost)
    for level in range(levels - 1):
        inner = wrapped(inner, f"level{level}")
    return inner


def wrapped(inner: Delegate[Any, Any], name: str) -> Delegate[Any, Any]:
    def outer() -> Research:
        """Ask further."""
        tool_call = {"name": inner.__name__, "args": {}, "id": "1", "type": "tool_call"}
        agent = create_agent(ScriptedModel(replies=[calling(tool_call), "done"]), tools=inner.as_tools())
        out = agent.invoke({"messages": ["go"]})
        return Research(question=inner.result(out["messages"][-2]).data.task)

    outer.__name__ = name
    return delegate(handoff=CONTRACT)(outer)


@pytest.mark.parametrize("levels", [1, 2, 3])
async def test_the_depth_of_a_nest_is_limited_exactly(call: Call, levels: int, users_may_block: None) -> None:
    assert (await call.run(nest(levels, levels), {})).data.task == "deep"
    assert (await call.run(nest(levels, None), {})).data.task == "deep"
    if levels > 1:
        with pytest.raises(errors.DepthLimitError) as caught:
            await call.run(nest(levels, levels - 1), {})
        assert (caught.value.depth, caught.value.max_depth) == (levels, levels - 1)


async def test_a_delegate_that_calls_itself_ends_at_the_default_depth(call: Call) -> None:
    depths: list[int] = []

    @delegate(handoff=CONTRACT)
    def itself() -> Research:
        depths.append(len(depths) + 1)
        return Research(question=itself.run({}).data.task)

    with pytest.raises(errors.DepthLimitError, match="number 9 of a nest, and may be number 8 at most"):
        await call.run(itself, {})
    assert depths[-1] == 8
    depths.clear()
    with pytest.raises(errors.DepthLimitError):
        await call.run(itself, {})
    assert depths[-1] == 8


async def test_the_tokens_of_all_models_below_are_counted_once(call: Call, users_may_block: None) -> None:
    @delegate(handoff=CONTRACT)
    def inner(question: str) -> Research:
        """Ask."""
        counting(["one"]).invoke("hi")
        return Research(question=question)

    tool_call = {"name": "inner", "args": {"question": "q"}, "id": "1", "type": "tool_call"}
    results: list[Any] = []

    @delegate(handoff=CONTRACT)
    def outer() -> Research:
        agent = create_agent(counting([calling(tool_call), "done"]), tools=[inner.as_tool()])
        out = agent.invoke({"messages": ["go"]})
        results.append(inner.result(out["messages"][-2]))
        results.append(inner.run({"question": "directly"}))
        ScriptedModel(replies=["says nothing of tokens"]).invoke("hi")
        return Research(question="q")

    result = await call.run(outer, {})
    assert [one.usage["scripted"]["total_tokens"] for one in results] == [15, 15]
    assert result.usage["scripted"]["total_tokens"] == 60
    assert result.data == Brief(task="q")
