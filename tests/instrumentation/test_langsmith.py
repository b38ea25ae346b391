"""With a real LangSmith client: sound trees wherever a handoff happens, and its facts where LangSmith's filters look."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langchain_core.runnables.config import ContextThreadPoolExecutor
from langchain_core.tools import tool
from langchain_core.tracers import LangChainTracer
from langchain_core.tracers.context import tracing_v2_enabled
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, Send, interrupt
from langsmith import traceable
from langsmith.run_helpers import tracing_context
from support import BAD, GOOD, Brief, Call, Research, ScriptedModel, State, calling, make, to_brief, two_agents
from watching import Traced

from crux_langgraph import Delegate, Handoff, add_handoff, delegate, errors, handoff

CROSSING = make()


def in_a_node(body: Any) -> Any:
    builder: Any = StateGraph(State)
    builder.add_node("n", body)
    builder.add_edge(START, "n")
    return builder.compile()


def crosses(_: Any = None) -> Any:
    CROSSING.prepare(GOOD)
    return {}


async def acrosses(_: Any = None) -> Any:
    await CROSSING.aprepare(GOOD)
    return {}


async def crosses_blocking(_: Any) -> Any:
    return crosses()


async def crosses_gathered(_: Any) -> Any:
    await asyncio.gather(acrosses(), acrosses())
    return {}


async def crosses_in_a_thread(_: Any) -> Any:
    await asyncio.to_thread(crosses)
    return {}


def crosses_in_an_executor(_: Any) -> Any:
    with ContextThreadPoolExecutor() as executor:
        executor.submit(crosses).result()
    return {}


def crosses_in_a_copied_context(_: Any) -> Any:
    with ThreadPoolExecutor() as executor:
        executor.submit(copy_context().run, crosses).result()
    return {}


def crosses_in_a_graph_inside(_: Any) -> Any:
    in_a_node(crosses).invoke({})
    return {}


@tool
def crossing_tool(query: str) -> str:
    """Cross."""
    crosses()
    return query


@tool
async def acrossing_tool(query: str) -> str:
    """Cross."""
    await acrosses()
    return query


def in_a_tool_node(tool: Any) -> Any:
    async def run(_: Any) -> Any:
        call = calling({"name": tool.name, "args": {"query": "q"}, "id": "1"})
        await ToolNode([tool]).ainvoke({"messages": [call]})
        return {}

    return in_a_node(run)


@traceable
def natively(value: Any) -> Any:
    return in_a_node(crosses).invoke(value)


def with_tracer(traced: Traced) -> Any:
    return in_a_node(crosses).invoke({}, {"callbacks": [LangChainTracer(client=traced.client, project_name="own")]})


def with_tracing_v2(traced: Traced) -> Any:
    with tracing_v2_enabled(client=traced.client):
        return in_a_node(crosses).invoke({})


PLACES: dict[str, tuple[Any, list[str | None]]] = {
    "a sync node": (lambda _: in_a_node(crosses).invoke({}), ["n"]),
    "an async node": (lambda _: in_a_node(acrosses).ainvoke({}), ["n"]),
    "a sync node, called asynchronously": (lambda _: in_a_node(crosses).ainvoke({}), ["n"]),
    "a blocking call in an async node": (lambda _: in_a_node(crosses_blocking).ainvoke({}), ["n"]),
    "gathered calls": (lambda _: in_a_node(crosses_gathered).ainvoke({}), ["n", "n"]),
    "a thread of asyncio's": (lambda _: in_a_node(crosses_in_a_thread).ainvoke({}), ["n"]),
    "LangChain's executor": (lambda _: in_a_node(crosses_in_an_executor).invoke({}), ["n"]),
    "a thread with a copied context": (lambda _: in_a_node(crosses_in_a_copied_context).invoke({}), ["n"]),
    "a graph inside a node": (lambda _: in_a_node(crosses_in_a_graph_inside).invoke({}), ["n"]),
    "a tool in a node": (lambda _: in_a_tool_node(crossing_tool).ainvoke({}), ["crossing_tool"]),
    "an async tool in a node": (lambda _: in_a_tool_node(acrossing_tool).ainvoke({}), ["acrossing_tool"]),
    "a tool alone": (lambda _: crossing_tool.invoke({"query": "q"}), ["crossing_tool"]),
    "an async tool alone": (lambda _: acrossing_tool.ainvoke({"query": "q"}), ["acrossing_tool"]),
    "nothing at all": (crosses, [None]),
    "nothing at all, asynchronously": (acrosses, [None]),
    "a runnable": (lambda _: RunnableLambda(crosses).invoke({}), ["crosses"]),
    "a traceable function": (lambda _: natively({}), ["n"]),
    "a tracer of its own": (with_tracer, ["n"]),
    "tracing_v2_enabled": (with_tracing_v2, ["n"]),
}


@pytest.mark.parametrize("place", PLACES)
async def test_a_handoff_hangs_below_whatever_runs_around_it(place: str, traced: Traced) -> None:
    run, parents = PLACES[place]
    done = run(traced)
    if asyncio.iscoroutine(done):
        await done
    server = traced.sent()
    crossings = server.find("handoff:prepare")
    assert [server.parent(one) for one in crossings] == parents
    assert len({run["trace_id"] for run in server.runs}) == 1


def test_in_a_bare_thread_a_handoff_is_a_trace_of_its_own(traced: Traced) -> None:
    def body(_: Any) -> Any:
        thread = threading.Thread(target=crosses)
        thread.start()
        thread.join()
        return {}

    in_a_node(body).invoke({})
    [crossing] = traced.sent().find("handoff:prepare")
    assert crossing.get("parent_run_id") is None


def test_a_trace_that_is_switched_off_for_a_block_has_no_run_of_it(traced: Traced) -> None:
    def body(_: Any) -> Any:
        with tracing_context(enabled=False):
            return crosses()

    in_a_node(body).invoke({})
    assert traced.sent().outline() == ["LangGraph", "  n"]


async def test_two_hundred_branches_have_two_hundred_runs_each_in_its_own(call: Call, traced: Traced) -> None:
    builder: Any = StateGraph(State)
    builder.add_node("a", lambda _: {})
    builder.add_node("b", lambda _: {})
    builder.add_edge(START, "a")
    node = add_handoff(builder, make(), source=None, read="found")
    builder.add_conditional_edges("a", lambda _: [Send(node, {"found": GOOD}) for _ in range(200)], [node])
    await call(builder.compile(), {})
    server = traced.sent()
    crossings = server.find("handoff:prepare")
    assert {server.parent(one) for one in crossings} == {"a-to-b"}
    assert len({one["parent_run_id"] for one in crossings}) == 200
    assert len({one["extra"]["metadata"]["crux_payload_id"] for one in crossings}) == 200


async def test_the_facts_are_metadata_of_the_run_alone(call: Call, traced: Traced) -> None:
    model = ScriptedModel(replies=["hello"])

    def transform(research: Research) -> Brief:
        model.invoke("hi")
        return to_brief(research)

    contract = handoff(id="a-to-b", from_agent="a", to_agent="b", max_tokens=500)(transform)
    graph = two_agents(contract).compile(InMemorySaver())
    await call(graph, {}, {"configurable": {"thread_id": "t"}})
    server = traced.sent()
    [run], [asked] = server.find("handoff:prepare"), server.find("ScriptedModel")
    metadata = run["extra"]["metadata"]
    assert {key: metadata[key] for key in run["outputs"]["crux"]} == run["outputs"]["crux"]
    assert metadata["thread_id"] == "t"
    assert {key for key in asked["extra"]["metadata"] if key.startswith("crux")} == {"crux_handoff_id"}
    assert server.parent(asked) == "handoff:prepare"
    assert "usage_metadata" not in {**metadata, **run["outputs"]}
    assert "crux" in run["tags"]


@pytest.mark.parametrize("found", [GOOD, BAD], ids=["success", "failure"])
async def test_a_handoff_that_nothing_can_hang_below_is_sent_once(call: Call, traced: Traced, found: Any) -> None:
    with suppress(errors.InputError):
        await call.prepare(Handoff.of(Research, id="as-it-is"), found)
    server = traced.sent()
    [run] = server.find("handoff:prepare")
    assert server.patches == {}
    assert run["extra"]["metadata"]["crux_duration_s"] > 0
    assert bool(run.get("error")) == (found is BAD)
    assert bool(run.get("outputs")) == (found is GOOD)


def test_a_handoff_with_a_transform_is_sent_before_that_runs(traced: Traced) -> None:
    sent: list[str] = []

    def transform(research: Research) -> Brief:
        traced.client.flush()
        traced.server.wait_idle()
        sent.extend(run["name"] for run in traced.server.posts.values())
        return to_brief(research)

    handoff(transform).prepare(GOOD)
    assert sent == ["handoff:prepare"]


async def test_an_error_is_an_error_from_the_handoff_to_the_root(call: Call, traced: Traced) -> None:
    with pytest.raises(errors.InputError):
        await call(two_agents(make(), found=BAD).compile(), {})
    server = traced.sent()
    failed = [run["name"] for run in server.runs if run.get("error")]
    assert failed == ["LangGraph", "a-to-b", "handoff:prepare"]
    [crossing] = server.find("handoff:prepare")
    assert crossing["extra"]["metadata"]["crux_layer"] == "input"
    assert "findings: expected a valid list, found str" in crossing["error"]


async def test_an_interrupt_is_marked_as_one_on_the_runs_around_it(call: Call, traced: Traced) -> None:
    def transform(research: Research) -> Brief:
        return Brief(task=interrupt("which?"))

    graph = two_agents(handoff(id="a-to-b", from_agent="a", to_agent="b")(transform)).compile(InMemorySaver())
    await call(graph, {}, {"configurable": {"thread_id": "t"}})
    server = traced.sent()
    [crossing], [node], [root] = (server.find(name) for name in ("handoff:prepare", "a-to-b", "LangGraph"))
    assert not crossing.get("error")
    assert crossing["extra"]["metadata"]["crux_status"] == "interrupted"
    assert node["extra"]["metadata"]["ls_is_error_interrupt"] is True
    assert "ls_is_error_interrupt" not in root["extra"]["metadata"]


async def test_a_parent_command_leaves_the_handoff_itself_without_an_error(call: Call, traced: Traced) -> None:
    inner: Any = StateGraph(State)
    inner.add_node("a", lambda _: {})
    inner.add_node("b", lambda _: Command(graph=Command.PARENT, goto="after"))
    inner.add_edge(START, "a")
    add_handoff(inner, make(), read="found")
    outer: Any = StateGraph(State)
    outer.add_node("inner", inner.compile())
    outer.add_node("after", lambda _: {})
    outer.add_edge(START, "inner")
    await call(outer.compile(), {"found": GOOD})
    [crossing] = traced.sent().find("handoff:prepare")
    assert not crossing.get("error")


def subagents() -> tuple[Any, Any]:
    model = ScriptedModel(replies=["hello"])

    @delegate(handoff=make())
    def research(query: str) -> Research:
        """Research."""
        model.invoke(query)
        return Research(question=query)

    def answer(state: Any) -> Any:
        is_repair = len(state["messages"]) > 1
        return {"messages": [("ai", Research(question="q").model_dump_json() if is_repair else "no JSON")]}

    from langgraph.graph import MessagesState
    from pydantic import BaseModel

    class Ask(BaseModel):
        question: str

    builder: Any = StateGraph(MessagesState)
    builder.add_node("answer", answer)
    builder.add_edge(START, "answer")
    graph = builder.compile(name="asker")
    return research, Delegate.from_graph(graph, handoff=make(), args_schema=Ask, output="text")


async def test_a_delegates_runs_are_in_its_tools_run_and_its_subagent_is_marked(call: Call, traced: Traced) -> None:
    research, asker = subagents()
    from langchain.agents import create_agent

    asks = calling(
        {"name": "research", "args": {"query": "q"}, "id": "1"}, {"name": "ask", "args": {"question": "q"}, "id": "2"}
    )
    tools = [research.as_tool(), asker.as_tool(name="ask", description="Ask.")]
    boss = create_agent(ScriptedModel(replies=[asks, "done"]), tools, name="boss")
    await call(boss, {"messages": [("human", "hi")]}, {"configurable": {"ls_agent_type": "root"}})
    server = traced.sent()
    below = {
        name: [run["name"] for run in server.runs if server.parent(run) == name]
        for name in ("research", "ask", "handoff:repair")
    }
    assert below["research"] == ["delegate:start", "ScriptedModel", "handoff:prepare", "delegate:complete"]
    assert below["ask"] == [
        "delegate:start",
        "asker",
        "handoff:prepare",
        "handoff:repair",
        "handoff:prepare",
        "delegate:complete",
    ]
    assert below["handoff:repair"] == ["asker"]
    marks = {(run["name"], run["extra"]["metadata"].get("ls_agent_type")) for run in server.runs}
    assert {("asker", "subagent"), ("answer", "subagent"), ("ScriptedModel", "subagent"), ("boss", "root")} <= marks
    assert ("delegate:start", "root") in marks
    assert {run["extra"]["metadata"]["lc_agent_name"] for run in server.find("asker")} == {"asker"}
    assert server.find("delegate:complete")[0]["extra"]["metadata"]["crux_delegate_id"] == "research"


async def test_a_delegate_called_outside_of_any_run_is_one_trace(call: Call, traced: Traced) -> None:
    research, _ = subagents()
    await call.run(research, {"query": "q"})
    assert traced.sent().outline() == [
        "research",
        "  delegate:start",
        "  ScriptedModel",
        "  handoff:prepare",
        "  delegate:complete",
    ]
