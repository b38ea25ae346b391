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

    def __init__(self, call: Call, *kinds: str, **options: Any) -> None:
        self.kinds = dict(zip("abc", kinds, strict=True))
        self.began: Counter[str] = Counter()
        self.cancelled: list[str] = []
        self.all_sleep = asyncio.Event()
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
            if kind == "raises late":
                await self.all_sleep.wait()
            answer = self.act(kind, name, repair)
            if kind == "sleeps" and self.began[name] == 1:
                await self.sleep(name)
            return answer

        return child

    async def sleep(self, name: str) -> None:
        asleep = [one for one, kind in self.kinds.items() if kind == "sleeps" and self.began[one]]
        if len(asleep) == list(self.kinds.values()).count("sleeps"):
            await asyncio.sleep(0.1)  # lets its siblings finish
            self.all_sleep.set()
        try:
            await asyncio.sleep(10)
        finally:
            self.cancelled.append(name)

    def act(self, kind: str, name: str, repair: RepairRequest | None) -> Any:
        self.began[name] += 1
        if kind == "raises" or (kind in ("raises once", "raises late") and self.began[name] == 1):
            raise KeyError(name)
        if kind == "cancels itself":
            raise asyncio.CancelledError
        if kind == "interrupts":
            return Research(question=f"{name} {interrupt(name)}")
        if kind == "wrong always" or (kind == "wrong once" and repair is None):
            return {"question": self.began[name]}
        return Research(question=name)

    def steering(self) -> Delegate[Any, Any, Any, Any]:
        """A graph that tries to steer its caller."""

        def node(state: MessagesState) -> Command[Any]:
            self.began[state["messages"][0].text] += 1
            return Command(graph=Command.PARENT, goto="__end__")

        builder: Any = StateGraph(MessagesState)
        builder.add_node("node", node)
        builder.add_edge(START, "node")
        return Delegate.from_graph(
            builder.compile(name="steers"),
            handoff=CONTRACT,
            args_schema=Ask,
            output="text",
            description="Steer.",
            on_error="tell",
        )

    def agent(self) -> Any:
        """An agent whose model calls all three in one turn."""
        model = ScriptedModel(replies=[calling(*(self.asking(*one) for one in self.kinds.items())), "done"])
        tools = [*self.delegate.as_tools(), *self.steering().as_tools()]
        return create_agent(model, tools=tools, checkpointer=InMemorySaver())

    def asking(self, name: str, kind: str) -> dict[str, Any]:
        if kind == "steers":
            return {"name": "steers", "args": {"name": name}, "id": name, "type": "tool_call"}
        return {"name": "child", "args": {"kind": kind, "name": name}, "id": name, "type": "tool_call"}


def answers(children: Children, out: Any) -> dict[str, str]:
    """What each call was answered with, after checking that the history is valid: each answered once, in one turn."""
    _, asked, *answered, last = out["messages"]
    assert last.content == "done"
    assert [one.tool_call_id for one in answered] == [one["id"] for one in asked.tool_calls]
    assert all(isinstance(one, ToolMessage) for one in answered)
    return {one.tool_call_id: told(children, one) for one in answered}


def told(children: Children, message: Any) -> str:
    if message.status == "error":
        return f"told of the {str(message.content).split('layer: ')[1].split(')')[0]}"
    return children.delegate.result(message).data.task


CELLS = {  # what one call is answered with, and how often its body begins
    "ok": ("{name}", 1),
    "raises": ("told of the subagent", 1),
    "cancels itself": ("told of the subagent", 1),
    "interrupts": ("{name} to {name}", 2),
    "steers": ("told of the subagent", 1),
    "wrong once": ("{name}", 2),
    "wrong always": ("told of the return", 2),
    "sleeps": ("told of the limit", 1),
}


async def each_is_answered_as_its_kind_and_not_as_its_siblings(call: Call, *kinds: str) -> None:
    children = Children(call, *kinds, on_error="tell")
    agent = children.agent()
    out = await call(agent, {"messages": ["go"]}, CONFIG)
    if "interrupts" in kinds:
        resume = {one.id: f"to {one.value}" for one in out["__interrupt__"]}
        assert len(resume) == kinds.count("interrupts")
        out = await call(agent, Command(resume=resume), CONFIG)
    expected = {name: CELLS[kind] for name, kind in children.kinds.items()}
    assert answers(children, out) == {name: answer.format(name=name) for name, (answer, _) in expected.items()}
    assert children.began == {name: bodies for name, (_, bodies) in expected.items()}


@pytest.mark.parametrize("kind", [kind for kind in CELLS if kind != "sleeps"])
async def test_one_child_of_three_costs_its_siblings_nothing(call: Call, kind: str) -> None:
    await each_is_answered_as_its_kind_and_not_as_its_siblings(call, "ok", kind, "ok")


@pytest.mark.parametrize("kind", [kind for kind in CELLS if kind not in ("ok", "sleeps")])
async def test_all_three_children_of_a_kind_are_answered_once_each(call: Call, kind: str) -> None:
    await each_is_answered_as_its_kind_and_not_as_its_siblings(call, kind, kind, kind)


@pytest.mark.parametrize("kinds", [("ok", "sleeps", "ok"), ("sleeps", "sleeps", "sleeps")], ids="-".join)
async def test_children_that_time_out_are_answered_once_each(kinds: tuple[str, ...]) -> None:
    await each_is_answered_as_its_kind_and_not_as_its_siblings(Call("ainvoke"), *kinds)


@pytest.mark.parametrize(
    "kinds", [("raises", "wrong always", "interrupts"), ("steers", "wrong once", "cancels itself")], ids="-".join
)
async def test_children_of_different_kinds_are_answered_once_each(call: Call, kinds: tuple[str, ...]) -> None:
    await each_is_answered_as_its_kind_and_not_as_its_siblings(call, *kinds)


async def test_a_run_that_a_child_stopped_can_be_resumed(call: Call) -> None:
    children = Children(call, "ok", "raises once", "ok")
    agent = children.agent()
    with pytest.raises(errors.SubagentError):
        await call(agent, {"messages": ["go"]}, CONFIG)
    out = await call(agent, None, CONFIG)
    assert answers(children, out) == {"a": "a", "b": "b", "c": "c"}
    assert children.began["b"] == max(children.began.values()) == 2


async def test_a_child_that_raises_leaves_no_sibling_running_and_what_is_done_stays_done() -> None:
    children = Children(Call("ainvoke"), "ok", "raises late", "sleeps", timeout_s=None)
    agent = children.agent()
    with pytest.raises(errors.SubagentError, match="raised KeyError"):
        await agent.ainvoke({"messages": ["go"]}, CONFIG)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert children.cancelled == ["c"]
    out = await agent.ainvoke(None, CONFIG)
    assert answers(children, out) == {"a": "a", "b": "b", "c": "c"}
    assert children.began == {"a": 1, "b": 2, "c": 2}


@pytest.mark.parametrize("kinds", [("ok", "sleeps", "ok"), ("sleeps", "sleeps", "sleeps")], ids="-".join)
async def test_a_cancelled_run_cancels_its_children_and_keeps_what_is_done(kinds: tuple[str, ...]) -> None:
    children = Children(Call("ainvoke"), *kinds, timeout_s=None, on_error="tell")
    agent = children.agent()
    task = asyncio.create_task(agent.ainvoke({"messages": ["go"]}, CONFIG))
    await children.all_sleep.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert children.cancelled == [name for name, kind in children.kinds.items() if kind == "sleeps"]
    out = await agent.ainvoke(None, CONFIG)
    assert answers(children, out) == {"a": "a", "b": "b", "c": "c"}
    assert children.began == {name: 1 + (kind == "sleeps") for name, kind in children.kinds.items()}


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
