"""Routing of the user's own beside a handoff: what leads past it, what goes there twice, and what is fine."""

from typing import Any, Literal

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command
from support import GOOD, Call, State, make, reader, two_agents

from crux_langgraph import add_handoff, check, errors


def routed(**options: Any) -> Any:
    """Node a chooses by a conditional edge whether to hand over."""
    builder = two_agents(make(), **options)
    builder.add_conditional_edges("a", lambda s: "stop" if s.get("stop") else "go", {"go": "a-to-b", "stop": END})
    return builder


def test_a_conditional_edge_to_a_handoff_that_a_plain_edge_reaches_anyway_is_refused() -> None:
    with pytest.raises(errors.WiringError, match=r"goes there always; use source=None") as caught:
        routed().compile()
    assert [finding.code for finding in caught.value.findings] == ["routed-twice"]


async def test_a_conditional_edge_may_choose_not_to_hand_over(call: Call) -> None:
    builder = routed(source=None)
    builder.add_conditional_edges(START, lambda _: "a", ["a"])
    graph = builder.compile()
    assert "seen" in await call(graph, {})


def test_a_conditional_edge_onward_to_the_target_beside_the_plain_one_is_refused() -> None:
    builder = two_agents(make())
    builder.add_conditional_edges("a-to-b", lambda _: "b", ["b", END])
    with pytest.raises(errors.WiringError, match=r"goes there always; use target=None") as caught:
        builder.compile()
    assert [finding.code for finding in caught.value.findings] == ["routed-twice"]


async def test_a_conditional_edge_may_choose_the_receiver_when_the_target_is_left_to_it(call: Call) -> None:
    builder = two_agents(make(), target=None)
    builder.add_conditional_edges("a-to-b", lambda s: "b" if s["handoffs"] else END, ["b", END])
    assert "seen" in await call(builder.compile(), {})


def test_a_conditional_edge_from_the_handoff_to_somewhere_else_is_no_finding() -> None:
    builder = two_agents(make())
    builder.add_node("log", lambda _: {})
    builder.add_conditional_edges("a-to-b", lambda _: "log", ["log"])
    assert check(builder) == ()


def test_a_join_of_other_nodes_into_the_target_is_no_finding() -> None:
    builder = two_agents(make())
    for name in ("c", "d"):
        builder.add_node(name, lambda _: {})
        builder.add_edge(START, name)
    builder.add_edge(["c", "d"], "b")
    assert check(builder) == ()


def commanding(goto: Any) -> Any:
    builder: Any = StateGraph(State)
    builder.add_node("a", goto)
    builder.add_node("b", reader(make()))
    builder.add_edge(START, "a")
    return builder


def to_b(_: Any) -> Command[Literal["b"]]:
    return Command(goto="b")


def to_handoff(_: Any) -> Command[Literal["a-to-b"]]:
    return Command(goto="a-to-b", update={"found": GOOD})


def test_a_command_that_an_annotation_declares_past_the_handoff_is_refused() -> None:
    with pytest.raises(errors.WiringError) as caught:
        add_handoff(commanding(to_b), make(), read="found")
    assert [finding.code for finding in caught.value.findings] == ["command-bypass"]


def test_a_command_to_a_handoff_that_a_plain_edge_reaches_anyway_is_refused() -> None:
    with pytest.raises(errors.WiringError, match=r"Command\(goto='a-to-b'\) chooses when") as caught:
        add_handoff(commanding(to_handoff), make(), read="found")
    assert [finding.code for finding in caught.value.findings] == ["routed-twice"]


async def test_a_command_that_an_annotation_declares_may_go_to_the_handoff(call: Call) -> None:
    builder = commanding(to_handoff)
    add_handoff(builder, make(), source=None, read="found")
    assert (await call(builder.compile(), {}))["seen"]["task"] == "Why?"


def test_a_bypass_that_appears_after_the_handoff_was_added_is_found_when_the_graph_compiles() -> None:
    builder: Any = StateGraph(State)
    add_handoff(builder, make(), read="found")
    builder.add_node("a", to_b)
    builder.add_node("b", reader(make()))
    builder.add_edge(START, "a")
    with pytest.raises(errors.WiringError) as caught:
        builder.compile()
    assert [finding.code for finding in caught.value.findings] == ["command-bypass"]


async def test_a_graph_that_was_refused_compiles_once_it_is_mended(call: Call) -> None:
    builder: Any = StateGraph(State)
    add_handoff(builder, make(), read="found")
    builder.add_node("a", lambda _: {"found": GOOD})
    builder.add_edge(START, "a")
    with pytest.raises(errors.WiringError, match="its target 'b' is no node"):
        builder.compile()
    builder.add_node("b", reader(make()))
    assert (await call(builder.compile(), {}))["seen"]["task"] == "Why?"
