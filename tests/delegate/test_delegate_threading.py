"""What the outermost run has reaches every level of a nest: context, store, thread, config and stream writer."""

from dataclasses import dataclass
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_config, get_store, get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.runtime import Runtime
from langgraph.store.memory import InMemoryStore
from support import Call, Research, ScriptedModel, calling, to_brief

from crux_langgraph import Delegate, delegate, handoff

CONTRACT = handoff(id="a-to-b")(to_brief)
LEVELS = (1, 2, 3)


@dataclass
class Ctx:
    user: str


class Nest:
    """Three delegates, each calling the next by an agent and its tool; each notes what reached it."""

    def __init__(self, call: Call, *, in_graph: bool = True) -> None:
        self.call = call
        self.in_graph = in_graph
        self.seen: dict[int, Any] = {}
        self.delegate: Delegate[Any, Any, Any, Any] = self._level(1)

    def _level(self, number: int) -> Delegate[Any, Any, Any, Any]:
        inner = self._level(number + 1) if number < 3 else None

        def level(*, context: Ctx, config: RunnableConfig) -> Research:
            """Go deeper."""
            self._note(number, context, config)
            if inner is not None:
                self._agent(inner).invoke({"messages": ["go"]}, **self._handed_on(context))
            return Research(question="q")

        async def alevel(*, context: Ctx, config: RunnableConfig) -> Research:
            """Go deeper."""
            self._note(number, context, config)
            if inner is not None:
                await self._agent(inner).ainvoke({"messages": ["go"]}, **self._handed_on(context))
            return Research(question="q")

        function = alevel if self.call.is_async else level
        return delegate(handoff=CONTRACT, context_schema=Ctx, id=f"level{number}")(function)

    def _agent(self, inner: Delegate[Any, Any, Any, Any]) -> Any:
        tool_call = {"name": "deeper", "args": {}, "id": "1", "type": "tool_call"}
        tools = [inner.as_tool(name="deeper")]
        return create_agent(ScriptedModel(replies=[calling(tool_call), "done"]), tools=tools, context_schema=Ctx)

    def _handed_on(self, context: Ctx) -> dict[str, Any]:
        return {} if self.in_graph else {"context": context}  # in a graph it is inherited

    def _note(self, number: int, context: Ctx, config: RunnableConfig) -> None:
        if not self.in_graph:
            self.seen[number] = context.user
            return
        kept = get_store().get(("notes",), "one")
        assert config["configurable"]["thread_id"] == get_config()["configurable"]["thread_id"]
        get_stream_writer()({"level": number})
        self.seen[number] = (context.user, kept and kept.value, config["configurable"]["thread_id"])

    def as_tool(self) -> Any:
        return self._compiled(self._agent(self.delegate))

    def as_node(self) -> Any:
        async def awaited(_: Any, runtime: Runtime[Ctx]) -> dict[str, Any]:
            await self.delegate.arun({}, context=runtime.context)
            return {}

        def node(_: Any, runtime: Runtime[Ctx]) -> dict[str, Any]:
            self.delegate.run({}, context=runtime.context)
            return {}

        return self._compiled(awaited if self.call.is_async else node)

    def _compiled(self, node: Any) -> Any:
        store = InMemoryStore()
        store.put(("notes",), "one", {"text": "kept"})
        builder: Any = StateGraph(MessagesState, context_schema=Ctx)
        builder.add_node("node", node)
        builder.add_edge(START, "node")
        return builder.compile(checkpointer=InMemorySaver(), store=store)


@pytest.mark.parametrize("place", ["as_tool", "as_node"])
async def test_all_of_it_arrives_at_every_level(call: Call, place: str, users_may_block: None) -> None:
    nest = Nest(call)
    graph = getattr(nest, place)()
    await call(graph, {"messages": ["go"]}, {"configurable": {"thread_id": "t"}}, context=Ctx("ada"))
    assert nest.seen == dict.fromkeys(LEVELS, ("ada", {"text": "kept"}, "t"))


@pytest.mark.parametrize("place", ["as_tool", "as_node"])
async def test_what_every_level_streams_arrives_outside(call: Call, place: str, users_may_block: None) -> None:
    nest = Nest(call)
    graph = getattr(nest, place)()
    config = {"configurable": {"thread_id": "t"}}
    chunks = await call.stream(
        graph, {"messages": ["go"]}, config, context=Ctx("ada"), stream_mode="custom", subgraphs=True
    )
    assert [chunk["level"] for _, chunk in chunks] == list(LEVELS)
    assert nest.seen == dict.fromkeys(LEVELS, ("ada", {"text": "kept"}, "t"))


async def test_outside_of_any_graph_the_context_arrives_at_every_level(call: Call, users_may_block: None) -> None:
    nest = Nest(call, in_graph=False)
    await call.run(nest.delegate, {}, context=Ctx("ada"))
    assert nest.seen == dict.fromkeys(LEVELS, "ada")
