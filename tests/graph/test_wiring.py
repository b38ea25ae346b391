"""Wiring: what add_handoff does to a builder, and what it refuses when the graph is built."""

import copy
import inspect
import operator
from typing import Annotated, Any, NotRequired

import pytest
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command
from pydantic import BaseModel, ConfigDict, Field, RootModel
from support import Research, State, make, reader, two_agents
from typing_extensions import TypedDict

from crux_langgraph import Handoff, Handoffs, HandoffState, add_handoff, check, errors


def codes(error: errors.WiringError) -> list[str]:
    return [finding.code for finding in error.findings]


def test_the_node_is_named_by_the_handoff_and_its_name_is_given() -> None:
    builder: Any = StateGraph(State)
    assert add_handoff(builder, make(), read="found") == "a-to-b"
    assert builder.nodes["a-to-b"].metadata == {"crux_handoff_id": "a-to-b"}


def test_a_plain_edge_from_source_to_target_is_rewired_whenever_it_was_added() -> None:
    builder: Any = StateGraph(State)
    builder.add_node("a", lambda _: {})
    builder.add_node("b", lambda _: {})
    builder.add_edge(START, "a")
    builder.add_edge("a", "b")
    add_handoff(builder, make(), read="found")
    assert builder.edges == {(START, "a"), ("a", "a-to-b"), ("a-to-b", "b")}
    builder.add_edge("a", "b")
    builder.compile()
    assert builder.edges == {(START, "a"), ("a", "a-to-b"), ("a-to-b", "b")}


def test_nodes_may_be_added_after_the_handoff() -> None:
    contract = make()
    builder: Any = StateGraph(State)
    add_handoff(builder, contract, read="found")
    builder.add_node("a", lambda _: {"found": {"question": "q"}})
    builder.add_node("b", reader(contract))
    builder.add_edge(START, "a")
    assert builder.compile().invoke({})["seen"]["task"] == "q"


def test_a_graph_can_be_compiled_twice() -> None:
    builder = two_agents(make())
    builder.compile()
    assert builder.compile().invoke({})["seen"]["task"] == "Why?"


def test_the_drawing_shows_the_handoff_between_its_agents() -> None:
    drawn = two_agents(make()).compile().get_graph().draw_mermaid()
    assert "a --> a-to-b" in drawn.replace("\\2d", "-")
    assert "a-to-b --> b" in drawn.replace("\\2d", "-")


def test_an_unknown_source_or_target_is_named_when_the_graph_compiles() -> None:
    builder: Any = StateGraph(State)
    builder.add_node("a", lambda _: {})
    builder.add_edge(START, "a")
    add_handoff(builder, make(to_agent="nobody"), read="found")
    with pytest.raises(errors.WiringError, match="its target 'nobody' is no node of this graph") as caught:
        builder.compile()
    assert codes(caught.value) == ["unknown-node"]


def test_check_gives_the_findings_without_compiling_and_nothing_for_a_sound_graph() -> None:
    builder: Any = StateGraph(State)
    add_handoff(builder, make(), read="found")
    assert [finding.code for finding in check(builder)] == ["unknown-node", "unknown-node"]
    assert check(two_agents(make())) == ()
    assert check(StateGraph(State)) == ()


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_side_that_nobody_names_is_refused_with_both_ways_out(side: str) -> None:
    agent = {"source": "from_agent", "target": "to_agent"}[side]
    with pytest.raises(errors.WiringError, match=f"neither {side}= nor {agent}; .* or {side}=None"):
        add_handoff(StateGraph(State), make(**{agent: None}), read="found")


def test_two_handoffs_with_one_id_are_refused() -> None:
    builder = two_agents(make())
    with pytest.raises(errors.WiringError, match="in this graph already, at node 'a-to-b'") as caught:
        add_handoff(builder, make(), read="found", name="again")
    assert codes(caught.value) == ["duplicate-id"]


def test_a_node_of_the_same_name_is_refused() -> None:
    builder = two_agents(make())
    with pytest.raises(errors.WiringError, match=r"a node of this name already; .* another name="):
        add_handoff(builder, make(id="other"), read="found", name="a")


def test_a_refused_handoff_leaves_the_builder_as_it_was() -> None:
    builder: Any = StateGraph(State)
    with pytest.raises(errors.WiringError):
        add_handoff(builder, make(), read="nowhere")
    assert (builder.nodes, builder.edges, check(builder)) == ({}, set(), ())


class NoChannel(TypedDict):
    found: Any


class WrongReducer(TypedDict):
    found: Any
    handoffs: Annotated[dict[str, Any], operator.or_]


class ReducerNotLast(TypedDict):
    found: Any
    handoffs: Annotated[Handoffs, "a note"]


@pytest.mark.parametrize("schema", [NoChannel, WrongReducer, ReducerNotLast])
def test_a_state_without_our_channel_is_refused_with_its_declaration(schema: Any) -> None:
    with pytest.raises(errors.WiringError, match="handoffs: Handoffs") as caught:
        add_handoff(StateGraph(schema), make(), read="found")
    assert codes(caught.value) == ["missing-channel"]


def test_an_undeclared_state_key_is_named() -> None:
    with pytest.raises(errors.WiringError, match="reads the state key 'nowhere', which the state does not declare"):
        add_handoff(StateGraph(State), make(), read="nowhere")


def test_a_state_with_none_of_the_inputs_fields_is_told_to_give_read() -> None:
    with pytest.raises(errors.WiringError, match=r"none of the fields of Research \(findings, question\)"):
        add_handoff(StateGraph(State), make())


class HalfFields(HandoffState, total=False):
    findings: list[str]


def test_a_required_field_that_the_state_lacks_is_named() -> None:
    with pytest.raises(errors.WiringError, match="reads the state key 'question'"):
        add_handoff(StateGraph(HalfFields), make())


class OnlyRequired(HandoffState, total=False):
    question: str


def test_an_optional_field_may_be_missing_from_the_state() -> None:
    assert add_handoff(StateGraph(OnlyRequired), make()) == "a-to-b"


class Aliased(BaseModel):
    question: str = Field(alias="q")


class AliasState(HandoffState, total=False):
    q: str


def test_a_field_is_found_in_the_state_by_its_alias() -> None:
    contract = Handoff.of(Aliased, id="a-to-b", from_agent="a", to_agent="b")
    builder: Any = StateGraph(AliasState)
    add_handoff(builder, contract, source=START, target=END)
    assert contract.received(builder.compile().invoke({"q": "why"})).data.question == "why"


def test_writing_messages_needs_a_messages_channel() -> None:
    with pytest.raises(errors.WiringError, match="needs a 'messages' channel"):
        add_handoff(StateGraph(State), make(), read="found", write="messages")


def test_replacing_the_history_needs_the_brief_as_a_message() -> None:
    with pytest.raises(errors.WiringError, match="needs write='messages'"):
        add_handoff(StateGraph(State), make(), read="found", history="replace")


def holding(**keys: Any) -> Any:
    """A state class with these keys and the channel."""
    fields = {**keys, "handoffs": Handoffs}
    return TypedDict("Holding", fields)


class Other(BaseModel):
    name: str


class Lookalike(BaseModel):
    question: str


Ancestor = BaseModel


class OpenResearch(Research):
    model_config = ConfigDict(extra="allow")


class Dicted(TypedDict):
    question: str


class ListRoot(RootModel[list[int]]):
    pass


@pytest.mark.parametrize(
    "held",
    [Other, Lookalike, int, list[Research], list[str], Other | None, Other | int, NotRequired[Other], ListRoot],
    ids=str,
)
def test_a_key_that_can_never_hold_the_input_is_refused(held: Any) -> None:
    schema = holding(found=held)
    with pytest.raises(errors.WiringError, match="reads Research from the state key 'found', which holds") as caught:
        add_handoff(StateGraph(schema), make(), read="found")
    assert codes(caught.value) == ["mistyped-key"]


@pytest.mark.parametrize(
    "held",
    [
        Research,
        Research | None,
        Other | Research,
        dict,
        dict[str, Any],
        Dicted,
        str,
        Any,
        object,
        OpenResearch,
        Ancestor,
        NotRequired[Research],
        Annotated[Research, "note"],
    ],
    ids=str,
)
def test_a_key_that_may_hold_the_input_is_no_finding(held: Any) -> None:
    schema = holding(found=held)
    assert add_handoff(StateGraph(schema), make(), read="found") == "a-to-b"


@pytest.mark.parametrize(
    "held,wrong",
    [(int, True), (dict, True), (list[str], True), (Other, True), (str, False), (int | str, False), (Any, False)],
    ids=str,
)
def test_the_types_of_fields_are_compared_too(held: Any, wrong: bool) -> None:
    schema = holding(question=held, findings=list[str])
    if wrong:
        with pytest.raises(errors.WiringError, match="reads str from the state key 'question'"):
            add_handoff(StateGraph(schema), make())
    else:
        assert add_handoff(StateGraph(schema), make()) == "a-to-b"


class Reads(BaseModel):
    found: str | int | list[int]


@pytest.mark.parametrize("held,wrong", [(dict, True), (int, False), (ListRoot, False)])
def test_a_union_that_is_wanted_is_met_by_any_of_its_types(held: Any, wrong: bool) -> None:
    schema = holding(found=held)
    contract = Handoff.of(Reads, id="a-to-b", from_agent="a", to_agent="b")
    if wrong:
        with pytest.raises(errors.WiringError, match="found"):
            add_handoff(StateGraph(schema), contract)
    else:
        assert add_handoff(StateGraph(schema), contract) == "a-to-b"


def test_a_conditional_edge_past_the_handoff_is_refused_with_the_way_out() -> None:
    builder = two_agents(make())
    builder.add_conditional_edges("a", lambda _: "b", {"b": "b"})
    with pytest.raises(
        errors.WiringError, match=r"source=None and name 'a-to-b' in its path_map, or in Command\(goto='a-to-b'\)"
    ) as caught:
        builder.compile()
    assert codes(caught.value) == ["conditional-bypass"]


def test_a_conditional_edge_elsewhere_is_no_finding() -> None:
    builder = two_agents(make())
    builder.add_node("c", lambda _: {})
    builder.add_conditional_edges("a", lambda _: "c", ["c"])
    builder.compile()


def test_a_conditional_edge_that_declares_no_targets_is_no_finding() -> None:
    builder = two_agents(make())
    builder.add_conditional_edges("a", lambda _: END)
    builder.compile()


def test_a_join_past_the_handoff_is_refused_with_the_way_out() -> None:
    builder = two_agents(make())
    builder.add_node("c", lambda _: {})
    builder.add_edge(START, "c")
    builder.add_edge(["a", "c"], "b")
    with pytest.raises(errors.WiringError, match=r"use target=None and add_edge\(\[..., 'a-to-b'\], 'b'\)") as caught:
        builder.compile()
    assert codes(caught.value) == ["join-bypass"]


def test_a_join_of_other_nodes_is_no_finding() -> None:
    builder = two_agents(make())
    builder.add_node("c", lambda _: {})
    builder.add_node("d", lambda _: {})
    builder.add_edge(START, "c")
    builder.add_edge(["a", "c"], "d")
    builder.compile()


def test_a_command_destination_past_the_handoff_is_refused_with_the_way_out() -> None:
    builder: Any = StateGraph(State)
    builder.add_node("a", lambda _: Command(goto="b"), destinations=("b",))
    builder.add_node("b", lambda _: {})
    builder.add_edge(START, "a")
    with pytest.raises(errors.WiringError, match=r"declares Command\(goto='b'\), .* use source=None") as caught:
        add_handoff(builder, make(), read="found")
    assert codes(caught.value) == ["command-bypass"]


def test_the_ready_made_builders_of_others_are_plain_builders() -> None:
    class Swarm(MessagesState, HandoffState, total=False):
        active_agent: str
        found: Any

    builder: Any = StateGraph(Swarm)
    builder.add_node("a", lambda _: {"found": {"question": "q"}})
    builder.add_node("b", lambda _: {})
    builder.add_conditional_edges(START, lambda _: "a", ["a", "b"])
    add_handoff(builder, make(), read="found", write="messages")
    assert "q" in builder.compile().invoke({"messages": []})["messages"][0].text


def test_a_state_that_is_no_class_is_named_as_it_is() -> None:
    with pytest.raises(errors.WiringError, match="has no 'handoffs' channel"):
        add_handoff(StateGraph(dict), make(), read="found")


def test_the_default_of_source_and_target_reads_well_in_a_signature() -> None:
    assert "= <as the handoff says>" in str(inspect.signature(add_handoff))


def test_a_deep_copy_of_a_builder_is_watched_on_its_own() -> None:
    builder = two_agents(make())
    copied: Any = copy.deepcopy(builder)
    copied.add_edge("a", "b")
    copied.compile()
    assert ("a", "b") not in copied.edges
    copied.add_conditional_edges("a", lambda _: "b", ["b"])
    assert [finding.code for finding in check(copied)] == ["conditional-bypass"]
    with pytest.raises(errors.WiringError):
        copied.compile()
    assert check(builder) == ()
    assert builder.compile().invoke({})["seen"]["task"] == "Why?"


@pytest.mark.parametrize(
    "sides,told",
    [
        ({"source": 5}, "source= is a int; give the name of one node"),
        ({"target": ["a", "b"]}, "target= is a list"),
        ({"source": END}, "__end__ cannot be a source"),
        ({"target": START}, "__start__ cannot be a target"),
    ],
    ids=str,
)
def test_sides_that_are_no_nodes_are_refused(sides: Any, told: str) -> None:
    with pytest.raises(errors.WiringError, match=told):
        add_handoff(StateGraph(State), make(), read="found", **sides)
