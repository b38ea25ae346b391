"""A real OpenAI client, against a server on this machine that refuses what the provider refuses."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from blockbuster import BlockBuster
from desk import State, look_up, to_billing, to_refunds
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import StateGraph
from legal import illegal, illegal_bodies
from loopback import asks, openai_server, says
from openai import BadRequestError
from support import Call

from crux_langgraph import add_active_router, add_handoffs
from crux_langgraph.middleware import HandoffContext, HandoffRouting

THREAD = {"configurable": {"thread_id": "1"}}


def answer(body: dict[str, Any]) -> dict[str, Any]:
    """The triage model hands over twice beside a tool call, one of them badly at first; the others say who they are."""
    names = {tool["function"]["name"] for tool in body.get("tools", ())}
    if "transfer_to_billing" not in names:
        return says(f"read {json.dumps(body['messages'][0]['content'])}")
    if any(message["role"] == "tool" for message in body["messages"]):
        return asks(
            ("call_a", "transfer_to_billing", {"account": "A", "cents": 5}),
            ("call_b", "look_up", {"question": "x"}),
            ("call_c", "transfer_to_refunds", {"order": "O"}),
        )
    return asks(("call_0", "transfer_to_billing", {"account": "A", "cents": "many"}))


@pytest.fixture
def server(no_blocking: BlockBuster) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    no_blocking.deactivate()  # a synchronous client waits for its answer
    with openai_server(answer) as serving:
        yield serving


def chat(url: str, *, streaming: bool = False) -> ChatOpenAI:
    return ChatOpenAI(model="m", base_url=url, api_key="none", streaming=streaming, max_retries=0)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("history", ["hide", "keep"])
async def test_the_provider_takes_every_history(call: Call, server: Any, history: Any, *, streaming: bool) -> None:
    url, bodies = server
    model = chat(url, streaming=streaming)
    builder: Any = StateGraph(State)
    builder.add_node("triage", create_agent(model, [look_up], middleware=[HandoffRouting(to_billing, to_refunds)]))
    for contract in (to_billing, to_refunds):
        middleware = [HandoffContext(contract, history=history)]
        builder.add_node(contract.to_agent, create_agent(model, middleware=middleware))
    add_active_router(builder, default="triage")
    add_handoffs(builder, "triage", [to_billing, to_refunds])
    graph = builder.compile(checkpointer=InMemorySaver())
    out = await call(graph, {"messages": ["hi"]}, THREAD)
    assert to_billing.received(out).data.cents == 5
    assert to_refunds.received(out).data.order == "O"
    assert '\\"account\\": \\"A\\"' in out["messages"][-2].content
    assert '\\"order\\": \\"O\\"' in out["messages"][-1].content
    assert illegal(out["messages"]) is None
    out = await call(graph, {"messages": ["and now?"]}, THREAD)
    assert [illegal_bodies(body["messages"]) for body in bodies] == [None] * 5
    assert len(out["messages"]) == 11


async def test_the_server_refuses_what_a_parent_command_leaves_behind(call: Call, server: Any) -> None:
    url, _ = server
    calls = asks(("call_a", "transfer_to_billing", {"account": "A"}), ("call_b", "look_up", {"question": "x"}))
    history = [{"role": "user", "content": "hi"}, calls, {"role": "tool", "tool_call_id": "call_a", "content": "ok"}]
    with pytest.raises(BadRequestError, match="did not have response messages: call_b"):
        await call(chat(url), history)
    with pytest.raises(BadRequestError, match="must be a response to a preceding message"):
        await call(chat(url), [*history[:1], history[-1]])
