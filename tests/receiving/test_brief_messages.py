"""The receiving side for nodes written by hand: the same brief by plain functions, from a state of any shape."""

import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from pydantic import BaseModel
from support import GOOD, Call, ScriptedModel, make

from crux_langgraph import Handoffs, HandoffState, add_handoff, brief_in, brief_messages, errors

MESSAGES: list[AnyMessage] = [HumanMessage("asked", id="1"), AIMessage("found", id="2"), HumanMessage("go on", id="3")]


def state_of(*contracts: Any, last: str | None = "2") -> dict[str, Any]:
    records = [{**contract.prepare(GOOD).to_envelope(), "last_message_id": last} for contract in contracts]
    return {"messages": MESSAGES, "handoffs": {record["id"]: record for record in records}}


class State(MessagesState, HandoffState):
    found: Any


async def test_a_node_sends_its_model_what_the_functions_give(call: Call) -> None:
    contract, model = make(), ScriptedModel(replies=["done"])
    builder: Any = StateGraph(State)
    builder.add_node("a", lambda _: {"found": GOOD})
    builder.add_node("b", lambda state: {"messages": model.invoke(brief_messages(state, contract))})
    builder.add_edge(START, "a")
    add_handoff(builder, contract, read="found")
    builder.add_edge("b", END)
    out = await call(builder.compile(), {"messages": MESSAGES})
    assert model.sent == [[HumanMessage(contract.received(out).context)]]
    assert len(out["messages"]) == 4


def test_hiding_leaves_the_prompt_and_the_brief() -> None:
    contract = make()
    state = state_of(contract)
    brief = contract.received(state).context
    assert brief_messages(state, contract, system="Be brief.") == [SystemMessage("Be brief."), HumanMessage(brief)]


def test_since_the_handoff_the_later_messages_follow_the_brief() -> None:
    contract = make()
    state = state_of(contract)
    brief = contract.received(state).context
    prompt = SystemMessage("Be brief.")
    sent = brief_messages(state, contract, system=prompt, history="since_handoff")
    assert sent == [SystemMessage(f"Be brief.\n\n{brief}"), MESSAGES[2]]
    assert prompt.text == "Be brief."


def test_since_several_handoffs_counts_from_the_first_of_them() -> None:
    one, two = make(), make(id="other")
    first, second = state_of(one, last="1"), state_of(two, last="2")
    state = {"messages": MESSAGES, "handoffs": first["handoffs"] | second["handoffs"]}
    assert brief_messages(state, one, two, history="since_handoff")[1:] == MESSAGES[1:]


def test_kept_messages_follow_the_brief() -> None:
    contract = make()
    state = state_of(contract)
    brief = contract.received(state).context
    assert brief_messages(state, contract, history="keep") == [SystemMessage(brief), *MESSAGES]
    assert brief_messages(state, contract, history="keep", as_="human") == [HumanMessage(brief), *MESSAGES]


def test_without_a_payload_it_is_the_prompt_and_all_messages() -> None:
    assert brief_in({"messages": MESSAGES}, make()) is None
    assert brief_messages({"messages": MESSAGES}, make(), system="Be brief.") == [SystemMessage("Be brief."), *MESSAGES]
    assert brief_messages({}, make()) == []


class Model(BaseModel):
    messages: list[Any] = []
    handoffs: Handoffs = {}


@dataclass
class Data:
    messages: list[Any] = field(default_factory=list)
    handoffs: Handoffs = field(default_factory=dict)


@pytest.mark.parametrize("schema", [dict, Model, Data])
def test_states_of_every_shape_are_read(schema: Any) -> None:
    contract = make()
    state = schema(**state_of(contract))
    assert brief_messages(state, contract, history="since_handoff")[1:] == MESSAGES[2:]


def test_the_limit_holds_for_all_briefs_together() -> None:
    one, two = make(), make(id="other")
    state = state_of(one, two)
    whole = brief_in(state, one, two)
    assert whole
    assert [context.id for context in whole.contexts] == ["handoff:a-to-b", "handoff:other"]
    with pytest.raises(errors.ContextsError):
        brief_in(state, one, max_tokens=3)


def test_priorities_are_given_to_the_contexts() -> None:
    contract = make()
    brief = brief_in(state_of(contract), contract, priorities={"a-to-b": 3})
    assert brief
    assert [context.priority for context in brief.contexts] == [3]


def test_the_package_is_imported_without_langchain() -> None:
    code = "import sys, crux_langgraph; sys.exit('langchain' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
