"""Three delegates called in one turn: what happens to one of them costs the others nothing, and each call is answered."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt
from pydantic import BaseModel
from support import Call, Research, ScriptedModel, calling, to_brief

from crux_langgraph import Delegate, RepairRequest, delegate, errors, handoff

CONTRACT = handoff(id="a-to-b")(to_brief)
CONFIG: Any = {"configurable": {"thread_id": "1"}}


class Ask(BaseModel):
    name: str


class Children:
    """Delegates whose behaviour is asked for by an argument, with a count of how often each call's body began."""

    def __init__(self, call: Call, **options: Any) -> None:
        self.began: Counter[str] = Counter()
        self.sleeping = asyncio.Event()
        limits = {"timeout_s": 0.5} if call.is_async else {}
        function = self._async() if call.is_async else self._sync()
        self.delegate: Delegate[Any, Any] = delegate(**{"handoff": CONTRACT, **limits, **options})(function)

    def _sync(self) -> Any:
        def child(kind: str, name: str, *, repair: RepairRequest | None = None) -> Research:
            """Do one thing."""
            return self.act(kind, name, repair)

        return child

    def _async(self) -> Any:
        async def child(kind: str, name: str, *, repair: RepairRequest | None = None) -> Research:
            """Do one thing."""
            if kind == "raises once":
                await asyncio.sleep(0.1)  # lets its siblings finish
            answer = self.act(kind, name, repair)
            if kind == "sleeps" and self.began[name] == 1:
                await asyncio.sleep(0.1)  # lets its siblings finish
                self.sleeping.set()
                await asyncio.sleep(10)
            return answer

        return child

    def act(self, kind: str, name: str, repair: RepairRequest | None) -> Any:
        self.began[name] += 1
        if kind == "raises" or (kind == "raises once" and self.began[name] == 1):
            raise KeyError(name)
        if kind == "interrupts":
            return Research(question=f"{name} {interrupt(name)}")
        if kind == "always wrong" or (kind == "wrong once" and repair is None):
            return {"question": self.began[name]}
        return Research(question=name)

    def agent(self, *more: Any) -> Any:
        model = ScriptedModel(replies=[calling(*self.calls, *more), "done"])
        tools = [*self.delegate.as_tools(), *steering().as_tools()]
        return create_agent(model, tools=tools, checkpointer=InMemorySaver())

    calls: tuple[Any, ...] = ()

    def calling(self, kind: str) -> Any:
        """The agent whose model calls one child of this kind between two that are well."""
        kinds = ("ok", kind, "ok")
        self.calls = tuple(
            {"name": "child", "args": {"kind": one, "name": name}, "id": name, "type": "tool_call"}
            for one, name in zip(kinds, "abc", strict=True)
        )
        return self.agent()


def steering() -> Delegate[Any, Any, Any, Any]:
    """A graph that tries to steer its caller."""
    builder: Any = StateGraph(MessagesState)
    builder.add_node("node", lambda _: Command(graph=Command.PARENT, goto="__end__"))
    builder.add_edge(START, "node")
    return Delegate.from_graph(
        builder.compile(name="steers"),
        handoff=CONTRACT,
        args_schema=Ask,
        output="text",
        description="Steer.",
        on_error="tell",
    )


def answers(children: Children, out: Any) -> dict[str, str]:
    """What each call was answered with, after checking that the history is valid: each answered once, in one turn."""
    _, asked, *answered, last = out["messages"]
    assert last.content == "done"
    assert [one.tool_call_id for one in answered] == [one["id"] for one in asked.tool_calls]
    assert all(isinstance(one, ToolMessage) for one in answered)
    return {one.tool_call_id: told(children, one) for one in answered}


def told(children: Children, message: Any) -> str:
    if message.status == "error":
        return str(message.content).split("layer: ")[1].split(")")[0]
    return children.delegate.result(message).data.task


@pytest.mark.parametrize(
    "kind, answer, bodies",
    [("ok", "b", 1), ("raises", "subagent", 1), ("wrong once", "b", 2), ("always wrong", "return", 2)],
)
async def test_one_child_of_three_costs_its_siblings_nothing(call: Call, kind: str, answer: str, bodies: int) -> None:
    children = Children(call, on_error="tell")
    out = await call(children.calling(kind), {"messages": ["go"]}, CONFIG)
    assert answers(children, out) == {"a": "a", "b": answer, "c": "c"}
    assert children.began == {"a": 1, "b": bodies, "c": 1}


async def test_one_child_of_three_may_time_out() -> None:
    children = Children(Call("ainvoke"), on_error="tell")
    out = await children.calling("sleeps").ainvoke({"messages": ["go"]}, CONFIG)
    assert answers(children, out) == {"a": "a", "b": "limit", "c": "c"}
    assert children.began == {"a": 1, "b": 1, "c": 1}


async def test_one_child_of_three_may_interrupt(call: Call) -> None:
    children = Children(call)
    agent = children.calling("interrupts")
    out = await call(agent, {"messages": ["go"]}, CONFIG)
    assert [one.value for one in out["__interrupt__"]] == ["b"]
    out = await call(agent, Command(resume="yes"), CONFIG)
    assert answers(children, out) == {"a": "a", "b": "b yes", "c": "c"}
    assert children.began == {"a": 1, "b": 2, "c": 1}


async def test_all_three_children_may_interrupt_and_are_resumed_by_id(call: Call) -> None:
    children = Children(call)
    children.calls = tuple(
        {"name": "child", "args": {"kind": "interrupts", "name": name}, "id": name, "type": "tool_call"}
        for name in "abc"
    )
    agent = children.agent()
    out = await call(agent, {"messages": ["go"]}, CONFIG)
    resume = {one.id: f"to {one.value}" for one in out["__interrupt__"]}
    out = await call(agent, Command(resume=resume), CONFIG)
    assert answers(children, out) == {"a": "a to a", "b": "b to b", "c": "c to c"}
    assert children.began == {"a": 2, "b": 2, "c": 2}


async def test_one_child_of_three_may_steer_its_caller_in_vain(call: Call) -> None:
    children = Children(call)
    children.calling("ok")
    steers = {"name": "steers", "args": {"name": "d"}, "id": "d", "type": "tool_call"}
    out = await call(children.agent(steers), {"messages": ["go"]}, CONFIG)
    assert answers(children, out) == {"a": "a", "b": "b", "c": "c", "d": "subagent"}


async def test_a_child_that_raised_is_alone_run_again_on_resuming(call: Call) -> None:
    children = Children(call)
    agent = children.calling("raises once")
    with pytest.raises(errors.SubagentError):
        await call(agent, {"messages": ["go"]}, CONFIG)
    out = await call(agent, None, CONFIG)
    assert set(answers(children, out).values()) == {"a", "b", "c"}
    assert children.began["b"] == 2
    if call.is_async:  # a thread that had not begun when a sibling failed begins on resuming
        assert children.began == {"a": 1, "b": 2, "c": 1}


async def test_a_cancelled_run_cancels_its_child_and_keeps_what_its_siblings_did() -> None:
    children = Children(Call("ainvoke"), timeout_s=None)
    agent = children.calling("sleeps")
    task = asyncio.create_task(agent.ainvoke({"messages": ["go"]}, CONFIG))
    await children.sleeping.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    out = await agent.ainvoke(None, CONFIG)
    assert answers(children, out) == {"a": "a", "b": "b", "c": "c"}
    assert children.began == {"a": 1, "b": 2, "c": 1}


async def test_a_parent_command_of_a_function_passes_to_the_graph_of_its_caller(call: Call) -> None:
    def steers() -> Research:
        """Steer."""
        builder: Any = StateGraph(MessagesState)
        builder.add_node("node", lambda _: Command(graph=Command.PARENT, update={"messages": [AIMessage("steered")]}))
        builder.add_edge(START, "node")
        return builder.compile().invoke({"messages": []})

    made = delegate(handoff=CONTRACT, on_error="tell")(steers)
    builder: Any = StateGraph(MessagesState)
    builder.add_node("node", lambda _: made.run({}))
    builder.add_edge(START, "node")
    out = await call(builder.compile(), {"messages": []})
    assert out["messages"][-1].content == "steered"


async def test_delegates_of_one_turn_run_at_the_same_time() -> None:
    together = asyncio.Barrier(3)

    @delegate(handoff=CONTRACT, timeout_s=5)
    async def meets(name: str) -> Research:
        """Meet the others."""
        await together.wait()
        return Research(question=name)

    calls = [{"name": "meets", "args": {"name": name}, "id": name, "type": "tool_call"} for name in "abc"]
    agent = create_agent(ScriptedModel(replies=[calling(*calls), "done"]), tools=meets.as_tools())
    out = await agent.ainvoke({"messages": ["go"]})
    assert [meets.result(message).data.task for message in out["messages"][2:5]] == ["a", "b", "c"]
