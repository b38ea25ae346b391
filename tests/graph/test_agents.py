"""Handoffs between `create_agent` agents that know nothing of handoffs."""

from typing import Any, NotRequired

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from support import GOOD, Call, Research, ScriptedModel, make

from crux_langgraph import HandoffState, add_handoff, errors

THREAD = {"configurable": {"thread_id": "t"}}


class AgentState(MessagesState, HandoffState):
    structured_response: NotRequired[Research]


def structured(arguments: dict[str, Any]) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": "Research", "args": arguments, "id": "call-1"}])


def between_agents(sender: ScriptedModel, receiver: ScriptedModel, **options: Any) -> Any:
    contract = make()
    builder: Any = StateGraph(AgentState)
    builder.add_node("a", create_agent(sender, response_format=ToolStrategy(Research)))
    builder.add_node("b", create_agent(receiver))
    builder.add_edge(START, "a")
    add_handoff(builder, contract, read="structured_response", write="messages", **options)
    builder.add_edge("b", END)
    return contract, builder


async def test_an_unmodified_agent_is_sent_exactly_the_brief(call: Call) -> None:
    receiver = ScriptedModel(replies=["done"])
    contract, builder = between_agents(ScriptedModel(replies=[structured(GOOD)]), receiver, history="replace")
    out = await call(builder.compile(), {"messages": [HumanMessage("please find out")]})
    ((sent,),) = receiver.sent
    assert sent.text == contract.received(out).context
    assert [message.type for message in out["messages"]] == ["human", "ai"]


async def test_with_the_history_kept_the_brief_comes_last(call: Call) -> None:
    receiver = ScriptedModel(replies=["done"])
    contract, builder = between_agents(ScriptedModel(replies=[structured(GOOD)]), receiver)
    out = await call(builder.compile(), {"messages": [HumanMessage("please find out")]})
    assert [message.type for message in receiver.sent[0]] == ["human", "ai", "tool", "human"]
    assert receiver.sent[0][-1].text == contract.received(out).context


async def test_a_second_user_turn_hands_over_the_second_answer(call: Call) -> None:
    sender = ScriptedModel(replies=[structured(GOOD), structured({"question": "And then?"})])
    receiver = ScriptedModel(replies=["one", "two"])
    _, builder = between_agents(sender, receiver, history="replace")
    graph = builder.compile(checkpointer=InMemorySaver())
    await call(graph, {"messages": [HumanMessage("first")]}, THREAD)
    out = await call(graph, {"messages": [HumanMessage("second")]}, THREAD)
    assert len(receiver.sent[1]) == 1
    assert "And then?" in receiver.sent[1][0].text
    assert [message.text for message in out["messages"]][-1] == "two"


async def test_an_agent_without_a_structured_answer_is_told_with_what_to_do(call: Call) -> None:
    builder: Any = StateGraph(AgentState)
    builder.add_node("a", create_agent(ScriptedModel(replies=["no structure"])))
    builder.add_node("b", create_agent(ScriptedModel(replies=["done"])))
    builder.add_edge(START, "a")
    add_handoff(builder, make(), read="structured_response")
    with pytest.raises(errors.InputError, match=r"'structured_response'.*\n.*give the agent a response_format"):
        await call(builder.compile(), {"messages": [HumanMessage("hi")]})
