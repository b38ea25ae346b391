"""Who is active: the agent that a model handed to goes on with the user's next turn; static handoffs change nothing."""

from typing import Any

import pytest
from desk import Desk, State, bill, both
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from support import Call, calling, make

from crux_langgraph import HandoffState, add_active_router, add_handoff, check, errors

THREAD = {"configurable": {"thread_id": "1"}}


def routed(*triage: Any) -> Desk:
    desk = Desk(*triage)
    add_active_router(desk.builder, default="triage")
    return desk


async def test_the_agent_that_was_handed_to_begins_the_next_turn(call: Call) -> None:
    desk = routed(calling(bill()))
    graph = desk.builder.compile(checkpointer=InMemorySaver())
    first = await call(graph, {"messages": ["hi"]}, THREAD)
    assert first["active_agent"] == "billing"
    await call(graph, {"messages": ["and?"]}, THREAD)
    assert (len(desk.triage.sent), len(desk.billing.sent)) == (1, 2)


async def test_without_a_handoff_every_turn_begins_at_the_default(call: Call) -> None:
    desk = routed("talk")
    graph = desk.builder.compile(checkpointer=InMemorySaver())
    await call(graph, {"messages": ["hi"]}, THREAD)
    out = await call(graph, {"messages": ["and?"]}, THREAD)
    assert len(desk.triage.sent) == 2
    assert out.get("active_agent") is None


async def test_of_several_handoffs_in_one_turn_the_last_one_called_is_active(call: Call) -> None:
    out = await call(routed(both()).builder.compile(), {"messages": ["hi"]})
    assert out["active_agent"] == "refunds"


async def test_an_active_agent_that_is_not_here_leaves_the_turn_to_the_default(call: Call) -> None:
    desk = routed("talk")
    await call(desk.builder.compile(), {"messages": ["hi"], "active_agent": "somebody else"})
    assert len(desk.triage.sent) == 1


async def test_a_static_handoff_changes_nobody(call: Call) -> None:
    contract = make()

    class Chat(MessagesState, HandoffState, total=False):
        found: Any

    builder: Any = StateGraph(Chat)
    builder.add_node("a", lambda _: {"found": {"question": "Why?"}})
    builder.add_node("b", lambda _: {"messages": [AIMessage("b")]})
    builder.add_edge(START, "a")
    add_handoff(builder, contract, read="found")
    graph = builder.compile()
    assert (await call(graph, {"messages": ["hi"], "active_agent": "a"}))["active_agent"] == "a"
    assert (await call(graph, {"messages": ["hi"]})).get("active_agent") is None


def test_the_drawing_shows_where_a_turn_can_begin() -> None:
    edges = routed("talk").builder.compile().get_graph().edges
    assert {edge.target for edge in edges if edge.source == START} == {"triage", "billing", "refunds"}


def findings(builder: Any) -> list[str]:
    with pytest.raises(errors.WiringError) as caught:
        builder.compile()
    return [finding.code for finding in caught.value.findings]


def test_a_default_that_is_no_node_is_refused() -> None:
    builder: Any = StateGraph(State)
    builder.add_node("triage", lambda _: {})
    add_active_router(builder, default="nobody")
    assert findings(builder) == ["unknown-node"]


def test_a_state_without_the_channel_is_refused() -> None:
    builder: Any = StateGraph(MessagesState)
    builder.add_node("triage", lambda _: {})
    add_active_router(builder, default="triage")
    assert findings(builder) == ["missing-channel"]


def test_a_plain_edge_from_start_to_another_node_is_refused() -> None:
    builder: Any = StateGraph(State)
    builder.add_node("triage", lambda _: {})
    builder.add_node("other", lambda _: {})
    add_active_router(builder, default="triage")
    builder.add_edge(START, "other")
    assert findings(builder) == ["routed-twice"]


@pytest.mark.parametrize("default", [START, END, None])
def test_a_default_that_can_be_no_node_is_refused_at_once(default: Any) -> None:
    with pytest.raises(errors.WiringError, match="bad-option"):
        add_active_router(StateGraph(State), default=default)


def test_a_second_router_is_refused() -> None:
    builder: Any = StateGraph(State)
    add_active_router(builder, default="triage")
    with pytest.raises(errors.WiringError, match="duplicate-route"):
        add_active_router(builder, default="triage")


def test_an_edge_to_the_default_gives_way_added_before_or_after() -> None:
    desk = Desk("talk")
    desk.builder.add_edge(START, "triage")
    add_active_router(desk.builder, default="triage")
    assert (START, "triage") not in desk.builder.edges
    desk.builder.add_edge(START, "triage")
    assert check(desk.builder) == ()
    desk.builder.compile()
    assert (START, "triage") not in desk.builder.edges
