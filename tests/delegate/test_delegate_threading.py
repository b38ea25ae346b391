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
from pydantic import BaseModel
from support import Call, Research, ScriptedModel, calling, to_brief
from typing_extensions import TypedDict

from crux_langgraph import Delegate, delegate, handoff

CONTRACT = handoff(id="a-to-b")(to_brief)
LEVELS = (1, 2, 3)


@dataclass
class Ctx:
    user: str


class Ask(BaseModel):
    pass


class Nest:
    """Three delegates, each calling the next one `by` a tool, a node, a graph of its own or directly; each notes what reached it."""

    def __init__(self, call: Call, by: str, *, in_graph: bool = True) -> None:
        self.call = call
        self.by = by
        self.in_graph = in_graph
        self.seen: dict[int, Any] = {}
        self.delegate: Delegate[Any, Any, Any, Any] = self._level(1)

    def _level(self, number: int) -> Delegate[Any, Any, Any, Any]:
        inner = self._level(number + 1) if number < 3 else None

        def level(*, context: Ctx, config: RunnableConfig) -> Research:
            """Go deeper."""
            self._note(number, context, config)
            if inner is not None:
                self._deeper(inner, context)
            return Research(question="q")

        async def alevel(*, context: Ctx, config: RunnableConfig) -> Research:
            """Go deeper."""
            self._note(number, context, config)
            if inner is not None:
                await self._deeper(inner, context)
            return Research(question="q")

        function = alevel if self.call.is_async else level
        if self.by == "graph":
            return self._of_graph(function, f"level{number}")
        return delegate(handoff=CONTRACT, context_schema=Ctx, id=f"level{number}")(function)

    def _of_graph(self, function: Any, name: str) -> Delegate[Any, Any, Any, Any]:
        def node(_: Any, runtime: Runtime[Ctx], config: RunnableConfig) -> dict[str, Any]:
            return {"found": function(context=runtime.context, config=config)}

        async def anode(_: Any, runtime: Runtime[Ctx], config: RunnableConfig) -> dict[str, Any]:
            return {"found": await function(context=runtime.context, config=config)}

        builder: Any = StateGraph(Found, context_schema=Ctx)
        builder.add_node("node", anode if self.call.is_async else node)
        builder.add_edge(START, "node")
        return Delegate.from_graph(
            builder.compile(name=name),
            handoff=CONTRACT,
            args_schema=Ask,
            output=lambda state: state["found"],
            description="Go deeper.",
        )

    def _deeper(self, inner: Delegate[Any, Any, Any, Any], context: Ctx) -> Any:
        """Call the next level, or give what is to be awaited; in a graph the context is inherited."""
        handed_on: dict[str, Any] = {} if self.in_graph else {"context": context}
        if self.by in ("direct", "graph"):
            return inner.arun({}, **handed_on) if self.call.is_async else inner.run({}, **handed_on)
        graph = self._agent(inner) if self.by == "tool" else self._node(inner).compile()
        start: Any = {"messages": ["go"]}
        return graph.ainvoke(start, **handed_on) if self.call.is_async else graph.invoke(start, **handed_on)

    def _agent(self, inner: Delegate[Any, Any, Any, Any]) -> Any:
        tool_call = {"name": "deeper", "args": {}, "id": "1", "type": "tool_call"}
        tools = [inner.as_tool(name="deeper")]
        return create_agent(ScriptedModel(replies=[calling(tool_call), "done"]), tools=tools, context_schema=Ctx)

    def _node(self, inner: Delegate[Any, Any, Any, Any]) -> Any:
        async def awaited(_: Any, runtime: Runtime[Ctx]) -> dict[str, Any]:
            await inner.arun({}, context=runtime.context)
            return {}

        def node(_: Any, runtime: Runtime[Ctx]) -> dict[str, Any]:
            inner.run({}, context=runtime.context)
            return {}

        builder: Any = StateGraph(MessagesState, context_schema=Ctx)
        builder.add_node("node", awaited if self.call.is_async else node)
        builder.add_edge(START, "node")
        return builder

    def _note(self, number: int, context: Ctx, config: RunnableConfig) -> None:
        if not self.in_graph:
            self.seen[number] = context.user
            return
        kept = get_store().get(("notes",), "one")
        assert config["configurable"]["thread_id"] == get_config()["configurable"]["thread_id"]
        get_stream_writer()({"level": number})
        self.seen[number] = (context.user, kept and kept.value, *self._of(config))

    def _of(self, config: RunnableConfig) -> tuple[Any, ...]:
        return config["configurable"]["thread_id"], config["metadata"]["mine"], "tagged" in config["tags"]

    def graph(self, place: str) -> Any:
        """A graph in which the outermost delegate is a tool or called by a node."""
        store = InMemoryStore()
        store.put(("notes",), "one", {"text": "kept"})
        builder = self._node(self.delegate)
        if place == "tool":
            builder = StateGraph(MessagesState, context_schema=Ctx)
            builder.add_node("node", self._agent(self.delegate))
            builder.add_edge(START, "node")
        return builder.compile(checkpointer=InMemorySaver(), store=store)


class Found(TypedDict, total=False):
    found: Any


CONFIG: Any = {"configurable": {"thread_id": "t"}, "metadata": {"mine": 1}, "tags": ["tagged"]}
ALL_OF_IT = dict.fromkeys(LEVELS, ("ada", {"text": "kept"}, "t", 1, True))


@pytest.mark.parametrize("place", ["tool", "node"])
@pytest.mark.parametrize("by", ["tool", "node", "graph", "direct"])
async def test_all_of_it_arrives_at_every_level(call: Call, by: str, place: str, users_may_block: None) -> None:
    nest = Nest(call, by)
    await call(nest.graph(place), {"messages": ["go"]}, CONFIG, context=Ctx("ada"))
    assert nest.seen == ALL_OF_IT


@pytest.mark.parametrize("place", ["tool", "node"])
@pytest.mark.parametrize("by", ["tool", "node", "graph", "direct"])
async def test_what_every_level_streams_arrives_outside(call: Call, by: str, place: str, users_may_block: None) -> None:
    nest = Nest(call, by)
    chunks = await call.stream(
        nest.graph(place), {"messages": ["go"]}, CONFIG, context=Ctx("ada"), stream_mode="custom", subgraphs=True
    )
    assert [chunk["level"] for _, chunk in chunks] == list(LEVELS)
    assert nest.seen == ALL_OF_IT


@pytest.mark.parametrize("by", ["tool", "node", "graph", "direct"])
async def test_outside_of_any_graph_the_context_arrives_at_every_level(
    call: Call, by: str, users_may_block: None
) -> None:
    nest = Nest(call, by, in_graph=False)
    await call.run(nest.delegate, {}, context=Ctx("ada"))
    assert nest.seen == dict.fromkeys(LEVELS, "ada")
