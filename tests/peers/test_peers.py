"""Handoffs that models choose, on the agents of deepagents and on the builders of swarm and supervisor, unchanged."""

import sys
from pathlib import Path
from typing import Any

import pytest
from deepagents import create_deep_agent
from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph_supervisor import create_supervisor
from langgraph_swarm import SwarmState, create_swarm
from legal import illegal
from support import Call, ScriptedModel, calling

from crux_langgraph import HandoffState, add_handoffs, check
from crux_langgraph.middleware import HandoffContext, HandoffRouting

sys.path.append(str(Path(__file__).parents[1] / "routing"))

from desk import State, bill, both, call_of, look_up, to_billing, to_refunds

THREAD = {"configurable": {"thread_id": "1"}}
TOLD = ["Transferred to billing.", "found x", "Transferred to refunds."]

pytestmark = pytest.mark.filterwarnings("ignore")  # what these packages warn of is theirs


def triage(make: Any = create_agent, *turns: Any) -> Any:
    model = ScriptedModel(replies=[*(turns or [both()]), "triaged"])
    return make(model, [look_up], middleware=[HandoffRouting(to_billing, to_refunds)], name="triage")


def receivers(make: Any = create_agent) -> list[Any]:
    told = ((to_billing, "billed"), (to_refunds, "refunded"))
    return [
        make(ScriptedModel(replies=[reply]), middleware=[HandoffContext(to)], name=to.to_agent) for to, reply in told
    ]


async def test_agents_of_deepagents_hand_over_and_receive(call: Call) -> None:
    builder: Any = StateGraph(State)
    for agent in (triage(create_deep_agent), *receivers(create_deep_agent)):
        builder.add_node(agent.name, agent)
    builder.add_edge(START, "triage")
    add_handoffs(builder, "triage", [to_billing, to_refunds])
    assert check(builder) == ()
    out = await call(builder.compile(), {"messages": ["hi"]})
    assert [message.content for message in out["messages"][2:]] == [*TOLD, "billed", "refunded"]
    assert illegal(out["messages"]) is None


async def test_a_builder_of_swarm_takes_routed_handoffs(call: Call) -> None:
    class Swarm(SwarmState, HandoffState):
        pass

    builder = create_swarm([triage(), *receivers()], default_active_agent="triage", state_schema=Swarm)
    add_handoffs(builder, "triage", [to_billing, to_refunds])
    assert check(builder) == ()
    graph = builder.compile(checkpointer=InMemorySaver())
    out = await call(graph, {"messages": ["hi"]}, THREAD)
    assert [message.content for message in out["messages"][2:]] == [*TOLD, "billed", "refunded"]
    assert out["active_agent"] == "refunds"
    out = await call(graph, {"messages": ["and?"]}, THREAD)
    assert out["messages"][-1].content == "refunded"


async def test_a_worker_of_supervisor_hands_over_to_another_one(call: Call) -> None:
    class Team(State, total=False):
        remaining_steps: int

    model = ScriptedModel(replies=[calling(call_of("transfer_to_triage", "s")), "all done"])
    workers = [triage(), *receivers()]
    builder = create_supervisor(
        workers, model=model, state_schema=Team, output_mode="full_history", add_handoff_back_messages=False
    )
    add_handoffs(builder, "triage", [to_billing, to_refunds], default="supervisor")
    assert check(builder) == ()
    out = await call(builder.compile(), {"messages": ["hi"]})
    assert [message.content for message in out["messages"][4:]] == [*TOLD, "billed", "refunded", "all done"]
    assert illegal(out["messages"]) is None


async def test_a_worker_that_hands_nothing_over_goes_back_to_the_supervisor(call: Call) -> None:
    class Team(State, total=False):
        remaining_steps: int

    model = ScriptedModel(replies=[calling(call_of("transfer_to_triage", "s")), "all done"])
    builder = create_supervisor([triage(create_agent, "nothing"), *receivers()], model=model, state_schema=Team)
    add_handoffs(builder, "triage", [to_billing, to_refunds], default="supervisor")
    out = await call(builder.compile(), {"messages": ["hi"]})
    assert out["messages"][-1].content == "all done"
    assert len(model.sent) == 2


async def test_a_supervisor_itself_hands_over(call: Call) -> None:
    class Team(State, total=False):
        remaining_steps: int

    model = ScriptedModel(replies=[calling(bill()), "handed over"])
    builder = create_supervisor(receivers(), model=model, state_schema=Team, tools=[to_billing.as_tool(name="bill_it")])
    model.replies[0].tool_calls[0]["name"] = "bill_it"
    add_handoffs(builder, "supervisor", [to_billing])
    out = await call(builder.compile(), {"messages": ["hi"]})
    assert to_billing.received(out).data.account == "A"
    assert "billed" in [message.content for message in out["messages"]]
