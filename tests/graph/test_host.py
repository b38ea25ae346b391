"""What LangGraph does at an edge that would surprise: each surprise that touches a handoff, held still."""

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.tools import tool
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.managed import RemainingSteps
from langgraph.types import Command, RetryPolicy, Send
from pydantic import BaseModel
from support import BAD, GOOD, Call, ScriptedModel, State, make, reader, two_agents
from typing_extensions import TypedDict

from crux_langgraph import Handoff, Handoffs, HandoffState, add_handoff, errors

CROSSED = {"task": "Why?", "facts": ["one", "two"]}


class Count(BaseModel):
    number: int
    note: str = "default"


async def test_a_payload_that_came_by_send_is_validated_too(call: Call) -> None:
    builder: Any = StateGraph(State)
    builder.add_node("a", lambda _: {})
    builder.add_node("b", lambda _: {})
    node = add_handoff(builder, make(), source=None, read="found")
    builder.add_conditional_edges("a", lambda _: [Send(node, {"found": BAD})], [node])
    builder.add_edge(START, "a")
    with pytest.raises(errors.InputError, match="findings"):
        await call(builder.compile(), {})


async def test_the_envelope_holds_the_validated_values_and_not_those_that_came(call: Call) -> None:
    contract = Handoff.of(Count, id="a-to-b", from_agent="a", to_agent="b")
    out = await call(two_agents(contract, found={"number": "5"}).compile(), {})
    (record,) = out["handoffs"].values()
    assert record["data"] == {"number": 5, "note": "default"}
    assert out["found"] == {"number": "5"}


async def test_a_raw_view_of_a_pydantic_state_adds_the_notes_of_a_run_and_no_channel_else(call: Call) -> None:
    class Typed(BaseModel):
        found: Any = None
        seen: Any = None
        handoffs: Handoffs = {}

    builder = two_agents(make(), Typed)
    assert builder.channels.keys() - {"__start__"} == {"found", "seen", "handoffs", "handoff_run"}
    assert (await call(builder.compile(), {}))["seen"] == CROSSED


async def test_a_parent_command_of_a_subgraph_may_go_to_the_handoff(call: Call) -> None:
    @tool
    def pass_on() -> Any:
        """Pass it on."""
        return Command(goto="a-to-b", graph=Command.PARENT, update={"found": GOOD})

    contract = make()
    sender = ScriptedModel(replies=[AIMessage("", tool_calls=[{"name": "pass_on", "args": {}, "id": "1"}])])

    class Chat(MessagesState, HandoffState, total=False):
        found: Any
        seen: Any

    builder: Any = StateGraph(Chat)
    builder.add_node("a", create_agent(sender, tools=[pass_on]), destinations=("a-to-b",))
    builder.add_node("b", reader(contract))
    builder.add_edge(START, "a")
    add_handoff(builder, contract, source=None, read="found")
    out = await call(builder.compile(), {"messages": [HumanMessage("hi")]})
    assert out["seen"] == CROSSED


async def test_node_defaults_of_the_graph_apply_to_the_handoff(call: Call) -> None:
    tries: list[int] = []

    def read(state: Any) -> Any:
        tries.append(1)
        return BAD

    builder = two_agents(make(), read=read)
    builder.set_node_defaults(retry_policy=RetryPolicy(retry_on=errors.is_retryable, initial_interval=0.001))
    with pytest.raises(errors.InputError):
        await call(builder.compile(), {})
    assert tries == [1]


async def test_several_retry_policies_are_tried_in_order(call: Call) -> None:
    tries: list[int] = []

    def read(state: Any) -> Any:
        tries.append(1)
        return GOOD if len(tries) == 2 else BAD

    policies = [
        RetryPolicy(retry_on=errors.BudgetError),
        RetryPolicy(retry_on=errors.InputError, initial_interval=0.001),
    ]
    assert (await call(two_agents(make(), read=read, retry_policy=policies).compile(), {}))["seen"] == CROSSED


async def test_a_subclass_of_the_builder_keeps_its_own_validate(call: Call) -> None:
    calls: list[str] = []

    class Mine(StateGraph):  # type: ignore[type-arg]
        def validate(self, interrupt: Any = None) -> Any:
            calls.append("mine")
            return super().validate(interrupt)

    builder: Any = Mine(State)
    contract = make()
    builder.add_node("a", lambda _: {"found": GOOD})
    builder.add_node("b", reader(contract))
    builder.add_edge(START, "a")
    add_handoff(builder, contract, read="found")
    assert (await call(builder.compile(interrupt_before=["b"], checkpointer=InMemorySaver()), {}, THREAD))["found"]
    assert calls == ["mine"]


THREAD = {"configurable": {"thread_id": "t"}}


async def test_a_managed_value_may_be_read_and_is_judged_at_run_time(call: Call) -> None:
    class Managed(HandoffState, total=False):
        found: RemainingSteps
        seen: Any

    class Steps(BaseModel):
        found: int

    contract = Handoff.of(Steps, id="a-to-b", from_agent="a", to_agent="b")
    builder: Any = StateGraph(Managed)
    builder.add_node("a", lambda _: {})
    builder.add_node("b", reader(contract))
    builder.add_edge(START, "a")
    add_handoff(builder, contract)
    assert (await call(builder.compile(), {}, {"recursion_limit": 10}))["seen"]["found"] > 0


async def test_a_key_that_only_a_nodes_own_schema_mentions_is_not_in_the_state(call: Call) -> None:
    class Private(TypedDict):
        question: str

    builder: Any = StateGraph(State)
    builder.add_node("a", lambda _: {}, input_schema=Private)
    with pytest.raises(errors.WiringError, match="reads the state key 'question', which the state does not declare"):
        add_handoff(builder, make(), read="question")


async def test_unset_fields_of_the_output_do_not_overwrite_the_state(call: Call) -> None:
    class Noted(HandoffState, total=False):
        number: int
        note: str
        seen: Any

    contract = Handoff.of(Count, id="a-to-b", from_agent="a", to_agent="b")
    builder: Any = StateGraph(Noted)
    builder.add_node("a", lambda _: {"number": 1})
    builder.add_node("b", lambda _: {})
    builder.add_edge(START, "a")
    add_handoff(builder, contract, read=lambda s: {"number": s["number"]})
    assert (await call(builder.compile(), {"note": "mine"}))["note"] == "mine"


async def test_a_failed_handoff_writes_nothing(call: Call) -> None:
    graph = two_agents(make(), found=BAD).compile(checkpointer=InMemorySaver())
    with pytest.raises(errors.InputError):
        await call(graph, {}, THREAD)
    assert not graph.get_state(THREAD).values.get("handoffs")


async def test_updates_made_by_hand_remove_a_payload(call: Call) -> None:
    contract = make()
    graph = two_agents(contract).compile(checkpointer=InMemorySaver(), interrupt_before=["b"])
    await call(graph, {}, THREAD)
    payload = contract.received(graph.get_state(THREAD).values)
    graph.update_state(THREAD, {"handoffs": {payload.id: None}})
    with pytest.raises(errors.NotReceivedError):
        await call(graph, None, THREAD)


def test_an_agent_is_drawn_with_its_handoff_also_when_expanded() -> None:
    class Chat(MessagesState, HandoffState, total=False):
        found: Any

    builder: Any = StateGraph(Chat)
    builder.add_node("a", create_agent(ScriptedModel(replies=["x"])))
    builder.add_node("b", create_agent(ScriptedModel(replies=["x"])))
    builder.add_edge(START, "a")
    add_handoff(builder, make(), read="found")
    builder.add_edge("b", END)
    drawn = builder.compile().get_graph(xray=True).draw_mermaid()
    assert "crux_handoff_id" in drawn
