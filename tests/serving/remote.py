"""Delegates whose subagent is served, and graphs that call them."""

import operator
from typing import Annotated, Any

from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from pydantic import BaseModel
from support import Brief, Call, Research, ScriptedModel, calling
from typing_extensions import TypedDict

from crux_langgraph import Delegate, handoff

THREAD = {"configurable": {"thread_id": "t"}}


class Deed(BaseModel):
    do: str
    data: Any = None


class Ask(BaseModel):
    question: str


class Done(BaseModel):
    out: Any


class State(TypedDict, total=False):
    got: Annotated[list[Any], operator.add]


@handoff
def as_done(done: Done) -> Done:
    return done


@handoff
def research_to_brief(research: Research) -> Brief:
    return Brief(task=research.question, facts=research.findings)


def far(url: str, **options: Any) -> Delegate[Any, Any, Any, Any]:
    """A delegate of the graph that does what its input says."""
    given: Any = {
        "handoff": as_done,
        "args_schema": Deed,
        "prompt": lambda deed: {"do": deed.do, "data": deed.data},
        "output": lambda state: {"out": state["out"]},
        "description": "Do it.",
    }
    return Delegate.from_remote(url, "far", **{**given, **options})


def researcher(url: str, **options: Any) -> Delegate[Any, Any, Any, Any]:
    """A delegate of the graph with a conversation."""
    given: Any = {"handoff": research_to_brief, "args_schema": Ask, "description": "Research a question."}
    return Delegate.from_remote(url, "researcher", **{**given, **options})


def calling_node(call: Call, made: Delegate[Any, Any, Any, Any], *deeds: dict[str, Any], **compiled: Any) -> Any:
    """A graph whose one node calls the delegate, once for each of the deeds."""

    async def awaited(_: State) -> State:
        return {"got": [(await made.arun(deed)).data.out for deed in deeds]}

    def node(_: State) -> State:
        return {"got": [made.run(deed).data.out for deed in deeds]}

    return calling_one(awaited if call.is_async else node, **compiled)


def calling_one(node: Any, **options: Any) -> Any:
    """A graph of this one node, with a checkpointer."""
    builder: Any = StateGraph(State)
    builder.add_node("node", node, **options)
    builder.add_edge(START, "node")
    return builder.compile(checkpointer=InMemorySaver())


def calling_agent(made: Delegate[Any, Any, Any, Any], *arguments: dict[str, Any], turns: int = 1) -> Any:
    """An agent whose model, in each turn, calls the delegate's tool with each of the arguments at once, and then ends."""
    calls = [
        {"name": made.__name__, "args": one, "id": str(number), "type": "tool_call"}
        for number, one in enumerate(arguments)
    ]
    model = ScriptedModel(replies=[calling(*calls), "the end"] * turns)
    return create_agent(model, tools=made.as_tools(), checkpointer=InMemorySaver())
