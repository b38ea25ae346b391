"""Channels beside our own: messages that take a brief, managed values, and states that cannot carry a payload."""

import operator
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from langgraph.graph import START, MessagesState, StateGraph, add_messages
from langgraph.managed import RemainingSteps
from langgraph.types import Send
from pydantic import BaseModel
from support import GOOD, Call, make, reader, two_agents

from crux_langgraph import HandoffNode, Handoffs, HandoffState, add_handoff, errors


def keep_all(left: list[Any] | None, right: list[Any]) -> list[Any]:
    return [*(left or []), *right]


class Chat(MessagesState, HandoffState, total=False):
    found: Any


class NoReducer(HandoffState, total=False):
    messages: list[Any]
    found: Any


class Adding(HandoffState, total=False):
    messages: Annotated[list[Any], operator.add]
    found: Any


class OwnReducer(HandoffState, total=False):
    messages: Annotated[list[Any], keep_all]
    found: Any


class Merging(HandoffState, total=False):
    messages: Annotated[list[Any], add_messages]
    found: Any


@pytest.mark.parametrize(
    "schema,history,wrong",
    [
        (NoReducer, "keep", True),
        (NoReducer, "replace", True),
        (Adding, "keep", False),
        (Adding, "replace", True),
        (OwnReducer, "replace", False),
        (Merging, "replace", False),
        (Chat, "replace", False),
    ],
)
def test_a_messages_channel_that_cannot_take_the_brief_is_refused(schema: Any, history: Any, wrong: bool) -> None:
    if wrong:
        with pytest.raises(errors.WiringError, match="build the state on MessagesState") as caught:
            add_handoff(StateGraph(schema), make(), read="found", write="messages", history=history)
        assert [finding.code for finding in caught.value.findings] == ["missing-messages"]
    else:
        assert add_handoff(StateGraph(schema), make(), read="found", write="messages", history=history)


class ManagedModel(BaseModel):
    found: Any = None
    seen: Any = None
    handoffs: Handoffs = {}
    left: RemainingSteps = 0


@dataclass
class ManagedData:
    found: Any = None
    seen: Any = None
    handoffs: Handoffs = field(default_factory=dict)
    left: RemainingSteps = 0


@pytest.mark.parametrize("schema", [ManagedModel, ManagedData])
async def test_a_managed_value_of_any_state_reaches_the_read_function(call: Call, schema: Any) -> None:
    left: list[int] = []

    def read(state: Any) -> Any:
        left.append(state.left)
        return state.found

    builder = two_agents(make(), schema, read=read)
    assert "left" not in builder.channels
    assert (await call(builder.compile(), {"found": None}))["seen"]["task"] == "Why?"
    assert left
    assert left[0] > 0


def test_a_dataclass_that_mixes_in_the_typed_dict_is_refused_with_what_to_declare() -> None:
    mixin: Any = HandoffState

    @dataclass
    class Mixed(mixin):  # type: ignore[misc]
        found: Any = None

    with pytest.raises(errors.WiringError, match=r"handoffs: Handoffs = field\(default_factory=dict\)") as caught:
        add_handoff(StateGraph(Mixed), make(), read="found")
    assert [finding.code for finding in caught.value.findings] == ["missing-channel"]


@dataclass
class Defaults:
    found: Any
    seen: Any = None
    count: int = 5
    tags: list[str] = field(default_factory=lambda: ["new"])
    handoffs: Handoffs = field(default_factory=dict)


async def test_what_nobody_wrote_has_the_dataclasss_own_default_in_a_read_function(call: Call) -> None:
    seen: list[Any] = []

    def read(state: Defaults) -> Any:
        seen.append((state.count, state.tags))
        return GOOD

    await call(HandoffNode(make(), read=read, state_schema=Defaults), {"found": 1})
    assert seen == [(5, ["new"])]


class SentModel(BaseModel):
    found: Any = None
    seen: Any = None
    handoffs: Handoffs = {}


@dataclass
class SentData:
    found: Any = None
    seen: Any = None
    handoffs: Handoffs = field(default_factory=dict)


@pytest.mark.parametrize("schema", [SentModel, SentData])
async def test_a_read_function_gets_what_send_carried_whatever_the_state(call: Call, schema: Any) -> None:
    contract = make()
    builder: Any = StateGraph(schema)
    builder.add_node("a", lambda _: {})
    builder.add_node("b", reader(contract))
    node = add_handoff(builder, contract, source=None, read=lambda sent: sent["only here"])
    builder.add_conditional_edges("a", lambda _: [Send(node, {"only here": GOOD})], [node])
    builder.add_edge(START, "a")
    assert (await call(builder.compile(), {"found": None}))["seen"]["task"] == "Why?"


@pytest.mark.parametrize(
    "sent", [[{"role": "user", "content": "x", "id": "1"}], {"role": "user", "content": "x", "id": "1"}]
)
async def test_messages_that_were_sent_as_mappings_are_replaced_too(call: Call, sent: Any) -> None:
    contract = make()
    builder: Any = StateGraph(Chat)
    builder.add_node("a", lambda _: {})
    builder.add_node("b", lambda _: {})
    node = add_handoff(builder, contract, source=None, read="found", write="messages", history="replace")
    builder.add_conditional_edges("a", lambda _: [Send(node, {"found": GOOD, "messages": sent})], [node])
    builder.add_edge(START, "a")
    out = await call(builder.compile(), {"messages": [{"role": "user", "content": "x", "id": "1"}]})
    assert [message.text for message in out["messages"]] == [contract.received(out).context]
    (record,) = out["handoffs"].values()
    assert record["last_message_id"] == "1"


async def test_a_required_field_that_nobody_wrote_is_named_with_what_the_state_has(call: Call) -> None:
    class Fields(HandoffState, total=False):
        question: str
        findings: list[str]
        seen: Any

    graph = two_agents(make(), Fields, found=None, read=None).compile()
    with pytest.raises(
        errors.InputError, match=r"'question', and the state has no such key \(it has: findings, handoffs"
    ):
        await call(graph, {"findings": []})
