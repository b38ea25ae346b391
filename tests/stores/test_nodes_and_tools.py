"""A node that sends, a node that receives, and the tools with which agents do both."""

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import MessagesState
from langgraph.prebuilt import ToolNode
from langgraph.types import RetryPolicy
from pydantic import BaseModel, Field, field_validator
from storing import both, graph_of, in_memory
from support import GOOD, Brief, Call, ScriptedModel, calling, make, reader

from crux_langgraph import ReceiveNode, SendNode, errors, handoff
from crux_langgraph.stores.sqlite import SqliteStore

THREAD = {"configurable": {"thread_id": "t"}}

inbox = pytest.fixture(in_memory)


def line(*nodes: Any, **options: Any) -> Any:
    return graph_of(*nodes, checkpointer=InMemorySaver(), **options)


async def test_one_graph_sends_and_another_receives(call: Call, inbox: Any) -> None:
    assert not (await call(line(ReceiveNode(inbox)), {"found": 1}, THREAD)).get("handoffs")
    await call(line(SendNode(inbox, read="found")), {"found": GOOD}, THREAD)
    result = await call(line(ReceiveNode(inbox, wait_s=1), reader(inbox)), {}, THREAD)
    assert result["seen"] == {"task": "Why?", "facts": ["one", "two"]}


async def test_the_nodes_work_by_hand_with_a_scope(call: Call, inbox: Any) -> None:
    await call(SendNode(inbox, read=lambda state: state["x"], scope="u"), {"x": GOOD})
    update = await call(ReceiveNode(inbox, scope="u"), {})
    assert inbox.received(update).data.task == "Why?"
    with pytest.raises(errors.InputError, match="it reads the state key 'found'"):
        await call(SendNode(inbox, read="found", scope="u"), {})


async def test_a_node_that_runs_again_sends_once_though_it_says_something_else(call: Call, inbox: Any) -> None:
    said: list[str] = []

    def question(_: Any) -> dict[str, Any]:
        said.append("x")
        return {"question": f"{len(said)}"}

    class FlakyNode(SendNode):
        def _failing(self) -> dict[str, Any]:
            if len(said) < 2:
                raise ConnectionError
            return {}

        def invoke(self, *args: Any, **options: Any) -> dict[str, Any]:
            super().invoke(*args, **options)
            return self._failing()

        async def ainvoke(self, *args: Any, **options: Any) -> dict[str, Any]:
            await super().ainvoke(*args, **options)
            return self._failing()

    policy = RetryPolicy(initial_interval=0.001)
    await call(line(FlakyNode(inbox, read=question), retry_policy=policy), {}, THREAD)
    assert [stored.payload.data.task for stored in await both(call, inbox, "history", scope="t")] == ["1"]


async def test_agents_have_tools_to_send_and_to_receive(call: Call, inbox: Any) -> None:
    send, receive = inbox.as_tools()
    assert (send.name, receive.name) == ("send_a_to_b", "receive_a_to_b")
    assert send.args_schema is inbox.input_schema
    calls = [
        calling({"name": "send_a_to_b", "args": GOOD, "id": "1", "type": "tool_call"}),
        calling({"name": "receive_a_to_b", "args": {}, "id": "2", "type": "tool_call"}),
        AIMessage("done"),
    ]
    agent = create_agent(ScriptedModel(replies=calls), [send, receive], checkpointer=InMemorySaver())
    result = await call(agent, {"messages": [("user", "go")]}, THREAD)
    sent, received = (message.text for message in result["messages"] if message.type == "tool")
    assert sent.startswith("Sent as a-to-b ")
    assert "Why?" in received
    assert (await both(call, inbox, "receive", scope="t")).data.task == "Why?"


async def test_calls_of_one_turn_are_each_sent_and_bad_arguments_are_told(call: Call, inbox: Any) -> None:
    tools = ToolNode(inbox.as_tools(scope="u"))
    good = [{"name": "send_a_to_b", "args": GOOD, "id": i, "type": "tool_call"} for i in "ab"]
    bad = {"name": "send_a_to_b", "args": {"question": 5}, "id": "c", "type": "tool_call"}
    graph = line(tools, schema=MessagesState)
    result = await call(graph, {"messages": [AIMessage("", tool_calls=[*good, bad])]}, THREAD)
    messages = result["messages"][1:]
    assert [message.status for message in messages] == ["success", "success", "error"]
    assert len(await both(call, inbox, "history", scope="u")) == 2


class Listed(BaseModel):
    """An input whose validator cannot read what it has made, and whose fields have names that LangChain uses too."""

    question: str
    findings: list[str] = Field(alias="runtime")

    @field_validator("findings", mode="before")
    @classmethod
    def split(cls, text: str) -> list[str]:
        return text.split(",")


async def test_what_a_model_writes_is_checked_once_whatever_its_fields_are_called(call: Call) -> None:
    def to_brief(listed: Listed) -> Brief:
        return Brief(task=listed.question, facts=listed.findings)

    inbox = handoff(id="a-to-b", store=SqliteStore(":memory:"))(to_brief)
    send, _ = inbox.as_tools(scope="u")
    assert (await call(send, {"question": "Why?", "runtime": "one,two"})).startswith("Sent as a-to-b ")
    assert (await both(call, inbox, "receive", scope="u")).data.facts == ["one", "two"]
    inbox.store.close()


async def test_bad_arguments_are_told_to_a_model_and_raised_to_a_program(call: Call, inbox: Any) -> None:
    send, _ = inbox.as_tools(scope="u")
    told = await call(send, {"name": send.name, "args": {"question": 5}, "id": "c", "type": "tool_call"})
    assert (told.status, "question" in told.text) == ("error", True)
    with pytest.raises(errors.InputError, match="question"):
        await call(send, {"question": 5})
    assert await both(call, inbox, "history", scope="u") == []


async def test_the_tools_work_without_a_graph(call: Call, inbox: Any) -> None:
    send, receive = inbox.as_tools(scope="u")
    assert await call(receive, {}) == "Nothing was sent yet."
    assert (await call(send, GOOD)).startswith("Sent as a-to-b ")
    assert "Why?" in await call(receive, {})
    blank = make(store=inbox.store, id="blank").as_tools()[0]
    with pytest.raises(errors.ScopeError):
        await call(blank, GOOD)
