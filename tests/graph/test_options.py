"""Options of add_handoff that cannot work are refused at the call, and leave the builder as it was."""

from typing import Any

import pytest
from langgraph.graph import END, START, StateGraph
from support import State, make, to_brief, two_agents

from crux_langgraph import add_handoff, check, errors


@pytest.mark.parametrize(
    "options,told",
    [
        ({"name": "a:b"}, "neither ':' nor '|'"),
        ({"name": "a|b"}, "neither ':' nor '|'"),
        ({"name": START}, "a node of this name already"),
        ({"name": END}, "a node of this name already"),
        ({"read": ["found"]}, "read= is a list; give a state key"),
        ({"write": "message"}, "write='message' is none of the ways to write; give 'messages'"),
        ({"history": "forget"}, "history='forget' is unknown; give 'keep' or 'replace'"),
        ({"history": "replace"}, "needs write='messages'"),
    ],
    ids=str,
)
def test_an_option_that_cannot_work_is_refused_and_the_builder_stays_usable(options: Any, told: str) -> None:
    builder: Any = StateGraph(State)
    with pytest.raises(errors.WiringError) as caught:
        add_handoff(builder, make(), **{"read": "found", **options})
    assert told in str(caught.value)
    assert (builder.nodes, builder.edges, check(builder)) == ({}, set(), ())
    assert add_handoff(builder, make(), source=START, target=END, read="found") == "a-to-b"
    assert builder.compile()


def test_what_is_wrong_is_told_all_at_once() -> None:
    with pytest.raises(errors.WiringError) as caught:
        add_handoff(StateGraph(State), make(from_agent=None), read="nowhere", write="message")
    assert [finding.code for finding in caught.value.findings] == ["unknown-node", "bad-option", "missing-key"]


def test_all_findings_of_all_handoffs_are_told_when_the_graph_compiles() -> None:
    builder: Any = StateGraph(State)
    builder.add_edge(START, "a")
    for name in ("one", "two"):
        add_handoff(builder, make(id=name), read="found")
    with pytest.raises(errors.WiringError) as caught:
        builder.compile()
    assert [(finding.code, finding.node) for finding in caught.value.findings] == [
        ("unknown-node", "one"),
        ("unknown-node", "one"),
        ("unknown-node", "two"),
        ("unknown-node", "two"),
    ]


def test_a_function_without_the_decorator_is_named() -> None:
    undecorated: Any = to_brief
    with pytest.raises(errors.WiringError, match=r"'to_brief' was given, which is no handoff; .* @handoff"):
        add_handoff(StateGraph(State), undecorated)


def test_a_graph_that_is_compiled_already_is_refused() -> None:
    graph = two_agents(make()).compile()
    with pytest.raises(errors.WiringError, match="give a StateGraph that is not compiled yet"):
        add_handoff(graph, make(id="other"), read="found")


def test_a_compiled_graph_can_be_checked() -> None:
    builder = two_agents(make())
    graph = builder.compile()
    assert check(graph) == ()
    builder.add_conditional_edges("a", lambda _: "b", ["b"])
    assert [finding.code for finding in check(graph)] == ["conditional-bypass"]
