"""The path of hops travels with the payload: no payload goes round unchanged, and none goes further than `max_hops`."""

from collections.abc import Iterator
from typing import Any

import pytest
from blockbuster import BlockBuster
from desk import Bill, State, call_of
from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from support import Call, ScriptedModel, calling

from crux_langgraph import Handoff, HandoffState, add_active_router, add_handoff, add_handoffs, errors
from crux_langgraph.middleware import HandoffRouting
from crux_langgraph.stores.sqlite import SqliteStore

THREAD = {"configurable": {"thread_id": "1"}}


def ring(size: int, cents: Any, *, stop_after: int | None = None, **options: Any) -> tuple[Any, list[str]]:
    """Agents in a ring, each handing on to the next; `cents(hop)` is what a hop carries."""
    names = [f"agent{place}" for place in range(size)]
    to = {name: Handoff.of(Bill, id=f"to-{name}", to_agent=name) for name in names}
    ran: list[str] = []

    class Next(ScriptedModel):
        target: str

        def _generate(self, *args: Any, **kwargs: Any) -> Any:
            ran.append(self.target)
            reply: Any = "done"
            if stop_after is None or len(ran) <= stop_after:
                carried = {"account": "A", "cents": cents(len(ran))}
                reply = calling(call_of(f"transfer_to_{self.target}", str(len(ran)), **carried))
            self.replies = [reply]
            return super()._generate(*args, **kwargs)

    builder: Any = StateGraph(State)
    for place, name in enumerate(names):
        target = names[(place + 1) % size]
        model = Next(replies=[], target=target)
        builder.add_node(name, create_agent(model, middleware=[HandoffRouting(to[target])]))
        add_handoffs(builder, name, [to[target]], **options)
    return builder, ran


@pytest.mark.parametrize("size", [1, 2, 3, 5])
async def test_a_cycle_that_changes_nothing_is_caught_within_two_rounds(call: Call, size: int) -> None:
    builder, ran = ring(size, lambda _: 1)
    builder.add_edge(START, "agent0")
    with pytest.raises(errors.LoopError, match="the same payload goes round") as caught:
        await call(builder.compile(), {"messages": ["go"]}, {"recursion_limit": 100})
    assert len(ran) == size + 1
    assert len(caught.value.path) == size + 1


async def test_a_payload_that_changes_may_go_to_and_fro(call: Call) -> None:
    builder, ran = ring(2, lambda hop: hop, stop_after=9)
    builder.add_edge(START, "agent0")
    out = await call(builder.compile(), {"messages": ["go"]}, {"recursion_limit": 100})
    assert len(ran) == 10
    assert out["messages"][-1].content == "done"


@pytest.mark.parametrize("hops", [1, 2, 5])
async def test_the_limit_of_hops_is_exact(call: Call, hops: int) -> None:
    builder, ran = ring(2, lambda hop: hop, stop_after=hops, max_hops=hops)
    builder.add_edge(START, "agent0")
    await call(builder.compile(), {"messages": ["go"]}, {"recursion_limit": 100})
    assert len(ran) == hops + 1
    builder, ran = ring(2, lambda hop: hop, stop_after=hops + 1, max_hops=hops)
    builder.add_edge(START, "agent0")
    with pytest.raises(errors.HopLimitError, match=f"it would be hop {hops + 1} .* of at most {hops}"):
        await call(builder.compile(), {"messages": ["go"]}, {"recursion_limit": 100})


async def test_the_path_begins_anew_when_the_user_speaks(call: Call) -> None:
    builder, ran = ring(2, lambda _: 1, stop_after=1, max_hops=1)
    add_active_router(builder, default="agent0")
    graph = builder.compile(checkpointer=InMemorySaver())
    for agent in ("agent1", "agent0", "agent1", "agent0"):
        ran.clear()
        out = await call(graph, {"messages": ["go"]}, THREAD)
        assert out["active_agent"] == agent
        assert len(ran) == 2


def static(schema: Any, *, store: Any = None, **options: Any) -> Any:
    """Two nodes that hand the same payload to and fro on edges, three times each at most."""
    there = Handoff.of(Bill, id="there", from_agent="a", to_agent="b", store=store)
    back = Handoff.of(Bill, id="back", from_agent="b", to_agent="a", store=store)
    builder: Any = StateGraph(schema)
    builder.add_node("a", lambda state: {"n": state.get("n", 0) + 1})
    builder.add_node("b", lambda _: {})
    builder.add_edge(START, "a")

    def read(state: Any) -> Any:
        return {"account": "A", "cents": state["n"] if state.get("changing") else 0}

    add_handoff(builder, there, read=read, **options)
    add_handoff(builder, back, source=None, read=read, **options)
    builder.add_conditional_edges("b", lambda state: "back" if state["n"] % 3 else END, ["back", END])
    return builder


class Numbers(HandoffState, total=False):
    n: int
    changing: bool


class Chatting(MessagesState, Numbers, total=False):
    pass


@pytest.mark.parametrize("schema", [Numbers, Chatting])
async def test_a_loop_over_edges_is_caught_too(call: Call, schema: Any) -> None:
    with pytest.raises(errors.LoopError, match="there -> back -> there"):
        await call(static(schema).compile(), {"messages": ["go"]})


@pytest.mark.parametrize("schema", [Numbers, Chatting])
async def test_a_loop_over_edges_that_changes_something_ends_by_itself(call: Call, schema: Any) -> None:
    out = await call(static(schema).compile(), {"messages": ["go"], "changing": True})
    assert out["n"] == 3


@pytest.fixture
def store(call: Call, no_blocking: BlockBuster) -> Iterator[SqliteStore]:
    """Made outside of any event loop; the sync form is called inside one, as in a notebook, and a store blocks."""
    if not call.is_async:
        no_blocking.deactivate()
    made = SqliteStore(":memory:")
    yield made
    made.close()


async def test_a_loop_is_caught_by_payloads_in_the_store_and_only_by_equal_ones(call: Call, store: SqliteStore) -> None:
    graph = static(Chatting, store=store, store_above_bytes=0).compile()
    out = await call(graph, {"messages": ["go"], "changing": True})
    assert (out["n"], [record["data"] for record in out["handoffs"].values()]) == (3, [None, None])
    with pytest.raises(errors.LoopError, match="there -> back -> there"):
        await call(graph, {"messages": ["go"]})


@pytest.mark.parametrize("schema", [Numbers, Chatting])
async def test_each_run_of_a_thread_has_a_path_of_its_own(call: Call, schema: Any) -> None:
    graph = static(schema, max_hops=5).compile(checkpointer=InMemorySaver())
    for turn in (1, 2, 3):
        out = await call(graph, {"messages": ["go"], "changing": True}, THREAD)
        assert out["n"] == 3 * turn


async def test_a_kill_between_two_hops_forgets_none(call: Call) -> None:
    builder, ran = ring(3, lambda _: 1)
    builder.add_edge(START, "agent0")
    graph = builder.compile(checkpointer=InMemorySaver(), interrupt_before=["agent1", "agent2"])
    await call(graph, {"messages": ["go"]}, THREAD)
    await call(graph, None, THREAD)
    with pytest.raises(errors.LoopError):
        await call(graph, None, {**THREAD, "recursion_limit": 100})
    assert len(ran) == 4
