"""What `check` finds about handoffs that models choose: for each rule one seeded defect, and one near-miss."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from desk import Bill, Desk, State, look_up, to_billing, to_refunds
from langchain.agents import create_agent
from langchain.agents.middleware import AgentState
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from pydantic import BaseModel
from support import Research, ScriptedModel, make

from crux_langgraph import (
    Handoff,
    HandoffRequests,
    Handoffs,
    HandoffState,
    Repair,
    add_active_router,
    add_handoff,
    add_handoffs,
    check,
    errors,
    handoff,
)
from crux_langgraph.middleware import HandoffContext, HandoffRouting


def agent(*tools: Any, middleware: Any = (), **options: Any) -> Any:
    return create_agent(ScriptedModel(replies=["done"]), list(tools), middleware=list(middleware), **options)


def desk(
    triage: Any = None,
    *,
    handoffs: Any = (to_billing,),
    schema: Any = State,
    billing: Any = None,
    source: str = "triage",
    **options: Any,
) -> Any:
    builder: Any = StateGraph(schema)
    builder.add_node("triage", triage or agent(middleware=[HandoffRouting(*handoffs)]))
    builder.add_node("billing", billing or agent(middleware=[HandoffContext(*handoffs)]))
    builder.add_edge(START, "triage")
    add_handoffs(builder, source, handoffs, **options)
    return builder


def codes(builder: Any) -> list[str]:
    return sorted({finding.code for finding in check(builder)})


class Found(MessagesState, HandoffState, total=False):
    found: Any
    structured_response: Any


def edge(
    contract: Any, source: Any = None, target: Any = None, schema: Any = Found, read: Any = "found", **options: Any
) -> Any:
    builder: Any = StateGraph(schema)
    builder.add_node("a", source or (lambda _: {}))
    builder.add_node("b", target or (lambda _: {}))
    builder.add_edge(START, "a")
    add_handoff(builder, contract, read=read, **options)
    return builder


BUDGETED = make(max_tokens=300)
again = handoff(id="again", to_agent="billing", max_tokens=300)(to_billing.__wrapped__)


class Other(BaseModel):
    something: int


class Keyed(AgentState[Any], total=False):
    account: str


class NoRequests(MessagesState):
    handoffs: Handoffs
    active_agent: str


class NoActive(MessagesState):
    handoffs: Handoffs
    handoff_requests: HandoffRequests


class PlainQueue(State, total=False):
    handoff_requests: dict[str, Any]


@tool
def transfer_to_billing(note: str) -> str:
    """Something of the user's own that has the name of a handoff's tool."""
    return note


def with_edge(builder: Any, source: str, target: str) -> Any:
    builder.add_edge(source, target)
    return builder


def with_branch(builder: Any, source: str, target: str) -> Any:
    builder.add_conditional_edges(source, lambda _: target, [target])
    return builder


def with_node(builder: Any, name: str, action: Any = None) -> Any:
    builder.add_node(name, action or (lambda _: {}))
    return builder


def with_join(builder: Any, sources: list[str], target: str) -> Any:
    builder.add_edge(sources, target)
    return builder


def routed(builder: Any, default: str) -> Any:
    add_active_router(builder, default=default)
    return builder


def lonely() -> Any:
    builder: Any = StateGraph(Found)
    builder.add_node("a", lambda _: {})
    builder.add_node("b", lambda _: {})
    builder.add_edge(START, "a")
    add_handoff(builder, BUDGETED, target=None, read="found")
    return builder


RULES: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "unknown-node": (lambda: desk(source="nobody"), lambda: desk(default="billing")),
    "missing-channel": (lambda: desk(schema=NoRequests), desk),
    "missing-channel (of another kind)": (lambda: desk(schema=PlainQueue), desk),
    "missing-channel (who is active)": (lambda: desk(schema=NoActive), desk),
    "missing-key": (
        lambda: desk(agent(middleware=[HandoffRouting(to_billing.as_tool(fields=["cents"]))])),
        lambda: desk(agent(middleware=[HandoffRouting(to_billing.as_tool(fields=["cents"]))], state_schema=Keyed)),
    ),
    "unrouted": (
        lambda: desk(agent(middleware=[HandoffRouting(to_billing, to_refunds)])),
        lambda: desk(agent(look_up, middleware=[HandoffRouting(to_billing)])),
    ),
    "no-routing": (
        lambda: desk(agent(to_billing.as_tool())),
        lambda: desk(agent(to_billing.as_tool(), middleware=[HandoffRouting()])),
    ),
    "colliding-tools": (
        lambda: desk(
            agent(to_billing.as_tool(), again.as_tool(), middleware=[HandoffRouting()]), handoffs=[to_billing, again]
        ),
        lambda: desk(
            agent(to_billing.as_tool(), again.as_tool(name="again"), middleware=[HandoffRouting()]),
            handoffs=[to_billing, again],
        ),
    ),
    "colliding-tools (in an agent that cannot be seen)": (
        lambda: desk(lambda _: {}, handoffs=[to_billing, again]),
        lambda: desk(lambda _: {}),
    ),
    "colliding-tools (with a tool of another kind)": (
        lambda: desk(agent(to_billing.as_tool(), transfer_to_billing, middleware=[HandoffRouting()])),
        lambda: desk(agent(to_billing.as_tool(), look_up, middleware=[HandoffRouting()])),
    ),
    "routed-twice": (
        lambda: with_edge(with_node(desk(), "other"), "triage", "other"),
        lambda: with_edge(with_node(desk(default="other"), "other"), "triage", "other"),
    ),
    "routed-twice (behind the handoff)": (
        lambda: with_edge(desk(), "to-billing", "billing"),
        lambda: with_edge(desk(), "billing", END),
    ),
    "never-asked": (
        lambda: desk(agent(look_up, middleware=[HandoffRouting()])),
        lambda: desk(lambda _: {}),
    ),
    "no-budget": (
        lambda: edge(make(), target=agent(middleware=[HandoffContext(make())])),
        lambda: edge(make(), target=agent(middleware=[HandoffContext(make(), max_tokens=300)])),
    ),
    "no-budget (a function has its own say)": (
        lambda: edge(make(), target=agent(middleware=[HandoffContext(make())])),
        lambda: edge(make()),
    ),
    "never-read": (lambda: edge(BUDGETED, target=agent()), lambda: edge(BUDGETED, target=agent(), write="messages")),
    "never-read (another handoff is)": (
        lambda: edge(BUDGETED, target=agent(middleware=[HandoffContext(to_billing)])),
        lambda: edge(BUDGETED, target=agent(middleware=[HandoffContext(to_billing, BUDGETED)])),
    ),
    "no-receiver": (
        lonely,
        lambda: with_edge(lonely(), "a-to-b", "b"),
    ),
    "no-receiver (a join receives)": (lonely, lambda: with_join(lonely(), ["a-to-b", "a"], "b")),
    "no-receiver (a path receives)": (lonely, lambda: with_branch(lonely(), "a-to-b", "b")),
    "mistyped-response": (
        lambda: edge(BUDGETED, source=agent(response_format=Other), read="structured_response"),
        lambda: edge(BUDGETED, source=agent(response_format=Research), read="structured_response"),
    ),
    "mistyped-response (of a graph that does not tell)": (
        lambda: edge(BUDGETED, source=agent(response_format=Other), read="structured_response"),
        lambda: edge(BUDGETED, source=desk().compile(), read="structured_response"),
    ),
    "repair-bypass": (
        lambda: with_edge(edge(BUDGETED, on_invalid=Repair()), "a-to-b", "b"),
        lambda: with_edge(edge(BUDGETED, on_invalid=Repair()), "b", END),
    ),
    "repair-bypass (by a join)": (
        lambda: with_join(with_node(edge(BUDGETED, on_invalid=Repair()), "c"), ["a-to-b", "a"], "c"),
        lambda: with_join(with_node(edge(BUDGETED, on_invalid=Repair()), "c"), ["a", "b"], "c"),
    ),
    "repair-bypass (by a path)": (
        lambda: with_branch(edge(BUDGETED, on_invalid=Repair()), "a-to-b", "b"),
        lambda: with_branch(edge(BUDGETED, on_invalid=Repair()), "b", END),
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_seeded_defect_is_found_by_its_code(rule: str) -> None:
    defect, _ = RULES[rule]
    assert rule.partition(" ")[0] in codes(defect())


@pytest.mark.parametrize("rule", RULES)
def test_a_near_miss_is_no_finding(rule: str) -> None:
    _, near_miss = RULES[rule]
    assert check(near_miss()) == ()


WARNINGS = {"never-asked", "no-budget", "never-read", "no-receiver"}


@pytest.mark.parametrize("rule", RULES)
def test_an_error_is_refused_when_the_graph_is_built_and_a_warning_is_not(rule: str) -> None:
    defect, near_miss = RULES[rule]
    near_miss().compile()
    if rule.partition(" ")[0] in WARNINGS:
        assert {finding.level for finding in check(defect())} == {"warning"}
        defect().compile()
    else:
        with pytest.raises(errors.WiringError, match=rf"\[{rule.partition(' ')[0]}\]"):
            defect().compile()


def test_a_copied_builder_is_checked_and_runs_by_itself() -> None:
    original = Desk("talk").builder
    copied = copy.deepcopy(original)
    copied.add_edge("to-billing", "refunds")
    assert codes(original) == []
    assert codes(copied) == ["routed-twice"]
    assert original.compile().invoke({"messages": ["hi"]})["messages"][-1].content == "talk"


def test_an_agent_inside_of_a_graph_that_routes_its_handoffs_asks_nothing_of_the_graph_around() -> None:
    outer: Any = StateGraph(State)
    outer.add_node("team", desk().compile())
    outer.add_node("billing", lambda _: {})
    outer.add_edge(START, "team")
    add_handoffs(outer, "team", [to_billing])
    assert "unrouted" not in codes(outer)


@pytest.mark.parametrize(
    "wire, code",
    [
        (lambda builder: add_handoffs(builder, START, [to_billing]), "bad-option"),
        (lambda builder: add_handoffs(builder, "triage", []), "bad-option"),
        (lambda builder: add_handoffs(builder, "triage", [to_billing.__wrapped__]), "bad-option"),
        (lambda builder: add_handoffs(builder, "triage", [to_billing], write=lambda _: {}), "bad-option"),
        (lambda builder: add_handoffs(builder, "triage", [to_billing], max_hops=0), "bad-option"),
        (lambda builder: add_handoffs(builder, "triage", [to_billing, to_billing]), "duplicate-id"),
        (lambda builder: add_handoffs(builder, "triage", [Handoff.of(Bill, id="nowhere")]), "unknown-node"),
        (
            lambda builder: add_handoffs(builder, "triage", [Handoff.of(Bill, id="billing", to_agent="b")]),
            "duplicate-id",
        ),
    ],
    ids=["start", "none", "function", "write", "hops", "twice", "targetless", "node"],
)
def test_what_cannot_work_is_refused_at_the_call(wire: Any, code: str) -> None:
    builder: Any = StateGraph(State)
    builder.add_node("billing", lambda _: {})
    with pytest.raises(errors.WiringError, match=code):
        wire(builder)


def test_the_handoffs_of_one_source_are_routed_once() -> None:
    with pytest.raises(errors.WiringError, match="duplicate-route"):
        add_handoffs(desk(), "triage", [to_refunds])


def test_one_handoff_cannot_be_on_an_edge_and_be_chosen() -> None:
    builder: Any = StateGraph(Found)
    builder.add_node("a", lambda _: {})
    builder.add_node("b", lambda _: {})
    add_handoff(builder, BUDGETED, read="found")
    with pytest.raises(errors.WiringError, match="duplicate-id"):
        add_handoffs(builder, "b", [BUDGETED])


@pytest.mark.parametrize(
    "options, found",
    [
        ({"on_invalid": "retry"}, "on_invalid= is a str"),
        ({"on_invalid": Repair(max_attempts=-1)}, "is no number of attempts"),
        ({"on_invalid": Repair(), "source": START}, "a repair needs the node that produces"),
        ({"on_invalid": Repair(), "target": None}, "a repair needs the node that produces"),
        ({"on_invalid": Repair(fallback="a")}, "leads round in a circle"),
        ({"max_hops": 0}, "is no number of hops"),
    ],
)
def test_options_of_a_repair_that_cannot_work_are_refused_at_the_call(options: dict[str, Any], found: str) -> None:
    builder: Any = StateGraph(Found)
    with pytest.raises(errors.WiringError, match=found):
        add_handoff(builder, BUDGETED, read="found", **options)


def test_a_repair_needs_messages_to_say_what_is_wrong() -> None:
    class Silent(HandoffState, total=False):
        found: Any

    with pytest.raises(errors.WiringError, match="on_invalid needs a 'messages' channel"):
        edge(BUDGETED, schema=Silent, on_invalid=Repair())


def test_a_fallback_that_is_no_node_is_refused_when_the_graph_compiles() -> None:
    builder = edge(BUDGETED, on_invalid=Repair(fallback="nobody"))
    with pytest.raises(errors.WiringError, match="its fallback 'nobody' is no node"):
        builder.compile()
