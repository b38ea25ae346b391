"""Handoffs in graphs within graphs, beside each other and again and again; and control flow that passes through."""

import asyncio
import operator
from typing import Annotated, Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import ParentCommand
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from pydantic import BaseModel, ValidationError
from support import GOOD, Brief, Call, Research, State, make, reader, to_brief, two_agents

from crux_langgraph import Handoff, HandoffState, add_handoff, handoff

THREAD = {"configurable": {"thread_id": "t"}}


class Turns(HandoffState, total=False):
    found: Any
    seen: Annotated[list[Any], operator.add]


def passing() -> Any:
    """A subgraph with the channel as input and output: it hands back the records that it was given."""
    inner: Any = StateGraph(HandoffState)
    inner.add_node("first", lambda _: {})
    inner.add_node("second", lambda _: {})
    inner.add_edge(START, "first")
    inner.add_edge("first", "second")
    return inner.compile()


@pytest.mark.parametrize("subgraph", ["aaa", "zzz"], ids=["applied before", "applied after"])
async def test_a_record_that_a_parallel_subgraph_hands_back_does_not_return(call: Call, subgraph: str) -> None:
    contract = make()
    builder: Any = StateGraph(Turns)
    builder.add_node("a", lambda _: {})
    builder.add_node(subgraph, passing())
    builder.add_node("b", lambda s: {"seen": [[p.data.task for p in contract.received_all(s)]]})
    builder.add_edge(START, "a")
    builder.add_edge("a", subgraph)
    node = add_handoff(builder, contract, target=None, read="found")
    builder.add_edge([node, subgraph], "b")
    graph = builder.compile(checkpointer=InMemorySaver())
    out: Any = {}
    for question in ("one", "two", "three"):
        out = await call(graph, {"found": {"question": question}}, THREAD)
    assert out["seen"] == [["one"], ["two"], ["three"]]


async def test_a_receiver_that_hands_the_channel_back_does_not_hold_up_a_loop(call: Call) -> None:
    class Loop(HandoffState, total=False):
        n: int

    contract = make()
    builder: Any = StateGraph(Loop)
    builder.add_node("a", lambda s: {"n": s.get("n", 0) + 1})
    builder.add_node("b", passing())
    builder.add_edge(START, "a")
    add_handoff(builder, contract, read=lambda s: {"question": str(s["n"])})
    builder.add_conditional_edges("b", lambda s: "a" if s["n"] < 4 else END, ["a", END])
    assert [p.data.task for p in contract.received_all(await call(builder.compile(), {}))] == ["4"]


async def test_a_handoff_inside_a_subgraph_that_runs_again_replaces_its_payload(call: Call) -> None:
    class Loop(HandoffState, total=False):
        found: Any
        n: int

    contract = make()
    inner: Any = StateGraph(Loop)
    add_handoff(inner, contract, source=START, target=END, read="found")
    builder: Any = StateGraph(Loop)
    builder.add_node("a", lambda s: {"n": s.get("n", 0) + 1, "found": {"question": str(s.get("n", 0) + 1)}})
    builder.add_node("inner", inner.compile())
    builder.add_edge(START, "a")
    builder.add_edge("a", "inner")
    builder.add_conditional_edges("inner", lambda s: "a" if s["n"] < 3 else END, ["a", END])
    graph = builder.compile(checkpointer=InMemorySaver())
    for turn in ("3", "4"):
        out = await call(graph, {}, THREAD)
        assert [p.data.task for p in contract.received_all(out)] == [turn]


async def test_the_path_of_hops_is_that_of_the_sender_and_of_nobody_else(call: Call) -> None:
    to_a = make(id="to-a", from_agent="z", to_agent="a")
    to_other = make(id="to-other", from_agent="z", to_agent="other")
    onward = make(id="onward", from_agent="a", to_agent="b")
    builder: Any = StateGraph(State)
    add_handoff(builder, to_a, source=START, target="mid", read=lambda _: GOOD)
    builder.add_node("mid", lambda _: {})
    add_handoff(builder, to_other, source="mid", target="a", read=lambda _: GOOD)
    builder.add_node("a", lambda _: {})
    add_handoff(builder, onward, target=END, read=lambda _: GOOD)
    records = (await call(builder.compile(), {}))["handoffs"].values()
    (record,) = [one for one in records if one["handoff"] == "onward"]
    assert [hop["handoff"] for hop in record["hops"]] == ["to-a", "onward"]


async def test_graphs_that_are_called_inside_a_node_make_payloads_of_their_own(call: Call) -> None:
    contract = make()
    inner = two_agents(contract, found=None).compile()

    async def ask(question: str) -> Any:
        return (await call(inner, {"found": {"question": question}}))["handoffs"]

    async def twice(_: Any) -> Any:
        return {"handoffs": await ask("x") | await ask("y")}

    def twice_blocking(_: Any) -> Any:
        asked = [inner.invoke({"found": {"question": question}})["handoffs"] for question in "xy"]
        return {"handoffs": asked[0] | asked[1]}

    builder: Any = StateGraph(HandoffState)
    builder.add_node("outer", twice if call.is_async else twice_blocking)
    builder.add_edge(START, "outer")
    out = await call(builder.compile(), {})
    assert [p.data.task for p in contract.received_all(out)] == ["x", "y"]


async def test_a_handoff_inside_an_interrupted_subgraph_resumes_with_its_payload(call: Call) -> None:
    contract = make()
    inner = two_agents(contract)
    inner.add_node("ask", lambda _: {"seen": interrupt("go on?")})
    inner.add_edge("b", "ask")
    builder: Any = StateGraph(State)
    builder.add_node("inner", inner.compile())
    builder.add_edge(START, "inner")
    graph = builder.compile(checkpointer=InMemorySaver())
    await call(graph, {}, THREAD)
    out = await call(graph, Command(resume="yes"), THREAD)
    assert (out["seen"], len(contract.received_all(out))) == ("yes", 1)


async def test_every_run_of_a_graph_without_a_thread_makes_a_payload_of_its_own(call: Call) -> None:
    graph = two_agents(make(), found=None).compile()
    inputs = [{"found": {"question": str(n)}} for n in range(6)]
    outs = await graph.abatch(inputs) if call.is_async else graph.batch(inputs)
    assert [out["seen"]["task"] for out in outs] == list("012345")
    assert len({key for out in outs for key in out["handoffs"]}) == 6


async def test_a_fork_from_the_past_has_the_payload_of_the_fork(call: Call) -> None:
    contract = make()
    graph = two_agents(contract, found=None).compile(checkpointer=InMemorySaver())
    for question in ("first", "second"):
        await call(graph, {"found": {"question": question}}, THREAD)
    past = [state for state in graph.get_state_history(THREAD) if state.next == ("a-to-b",)][-1]
    forked = graph.update_state(past.config, {"found": {"question": "forked"}})
    out = await call(graph, None, forked)
    assert [p.data.task for p in contract.received_all(out)] == ["forked"]


def raising(error: BaseException) -> Handoff[Research, Brief]:
    @handoff(id="a-to-b", from_agent="a", to_agent="b")
    def stop(research: Research) -> Brief:
        raise error

    return stop


async def test_a_parent_command_of_a_transform_passes_through(call: Call) -> None:
    contract = raising(ParentCommand(Command(goto="other", graph=Command.PARENT)))
    builder: Any = StateGraph(State)
    builder.add_node("inner", two_agents(contract).compile())
    builder.add_node("other", lambda _: {"seen": "other"})
    builder.add_edge(START, "inner")
    assert (await call(builder.compile(), {}))["seen"] == "other"


@pytest.mark.parametrize("option", ["read", "write"])
async def test_an_interrupt_in_a_read_or_write_function_resumes(call: Call, option: str) -> None:
    def ask(_: Any) -> Any:
        answer = interrupt("?")
        return {"question": answer} if option == "read" else {"found": answer}

    graph = two_agents(make(), **{option: ask}).compile(checkpointer=InMemorySaver())
    await call(graph, {}, THREAD)
    out = await call(graph, Command(resume="this"), THREAD)
    assert (out["seen"]["task"] if option == "read" else out["found"]) == "this"


class Answer(BaseModel):
    task: str


async def test_a_bad_answer_to_an_interrupt_leaves_it_open_for_a_good_one(call: Call) -> None:
    @handoff(id="a-to-b", from_agent="a", to_agent="b")
    def asked(research: Research) -> Brief:
        return Brief(task=interrupt("which?", response_schema=Answer).task)

    graph = two_agents(asked).compile(checkpointer=InMemorySaver())
    await call(graph, {}, THREAD)
    with pytest.raises(ValidationError):
        await call(graph, Command(resume={"wrong": 1}), THREAD)
    assert (await call(graph, Command(resume={"task": "this"}), THREAD))["seen"]["task"] == "this"


async def test_cancelling_the_run_cancels_the_transform() -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    @handoff(id="a-to-b", from_agent="a", to_agent="b")
    async def endless(research: Research) -> Brief:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return to_brief(research)

    run = asyncio.create_task(two_agents(endless).compile().ainvoke({}))
    await asyncio.wait_for(started.wait(), 5)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert cancelled.is_set()


async def test_a_handoff_is_one_run_in_its_nodes_run_and_both_carry_its_id(call: Call) -> None:
    class Runs(BaseCallbackHandler):
        def __init__(self) -> None:
            self.seen: list[Any] = []

        def on_chain_start(self, *args: Any, **kwargs: Any) -> None:
            self.seen.append((kwargs["name"], kwargs["metadata"].get("crux_handoff_id")))

    runs = Runs()
    await call(two_agents(make()).compile(), {}, {"callbacks": [runs]})
    crossing = [("a-to-b", "a-to-b"), ("handoff:prepare", "a-to-b")]
    assert runs.seen == [("LangGraph", None), ("a", None), *crossing, ("b", None)]


async def test_two_handoffs_may_lie_between_one_pair_of_nodes(call: Call) -> None:
    one, two = make(id="one"), make(id="two")
    builder: Any = StateGraph(State)
    builder.add_node("a", lambda _: {"found": GOOD})
    builder.add_node("b", lambda s: {"seen": [one.received(s).handoff, two.received(s).handoff]})
    builder.add_edge(START, "a")
    builder.add_edge("a", "b")
    for contract in (one, two):
        add_handoff(builder, contract, read="found")
    assert (await call(builder.compile(), {}))["seen"] == ["one", "two"]


async def test_a_second_handoff_may_stand_behind_the_first_on_one_edge(call: Call) -> None:
    first, second = make(), Handoff.of(Brief, id="again", from_agent="a-to-b", to_agent="b")
    builder: Any = StateGraph(State)
    builder.add_node("a", lambda _: {"found": GOOD})
    builder.add_node("b", reader(second))
    builder.add_edge(START, "a")
    add_handoff(builder, first, read="found")
    add_handoff(builder, second, read=lambda s: first.received(s).data)
    assert (await call(builder.compile(), {}))["seen"]["task"] == "Why?"
