"""The demo's third scene: one turn of a triage model makes two handoffs and a tool call, and nothing gets lost."""

from dataclasses import dataclass
from typing import Any

from langchain_core.callbacks import Callbacks
from langchain_core.messages import AIMessage, BaseMessage, ToolCall
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from pydantic import BaseModel

from crux_langgraph import HandoffState, Payload, add_handoffs, handoff
from crux_langgraph.cli._conversations import Conversation

TRIAGE = "triage"
DESKS = ("bookings", "refunds")


class Case(BaseModel):
    """What a desk is handed: which case, and what it is to do there."""

    case: str
    task: str


class State(MessagesState, HandoffState):
    """The state of the scene's graph."""


@handoff(to_agent=DESKS[0], max_tokens=200)
def to_bookings(case: Case) -> Case:
    """Hand a case to the desk that changes bookings."""
    return case


@handoff(to_agent=DESKS[1], max_tokens=200)
def to_refunds(case: Case) -> Case:
    """Hand a case to the desk that pays money back."""
    return case


@dataclass(frozen=True, slots=True)
class Triaged:
    """The calls of the one turn, the messages that answer them, and what each desk received."""

    calls: list[ToolCall]
    answers: list[BaseMessage]
    received: dict[str, Payload[Case]]


def triage(conversation: Conversation, heard_by: Callbacks = None) -> Triaged:
    """Have a scripted triage model hand the case of `conversation` to two desks in one turn, and look it up besides."""
    calls = [
        _call("1", "transfer_to_bookings", case=conversation.id, task="Change the booking."),
        _call("2", "look_up", case=conversation.id),
        _call("3", "transfer_to_refunds", case=conversation.id, task="Pay the difference back."),
    ]

    @tool
    def look_up(case: str) -> str:
        """Look up a case."""
        return f"{case}: {len(conversation.messages)} messages on record"

    received: dict[str, Payload[Case]] = {}

    def ask(_: State) -> dict[str, Any]:
        return {"messages": [AIMessage("", tool_calls=calls)]}

    def bookings(state: State) -> None:
        received[DESKS[0]] = to_bookings.received(state)

    def refunds(state: State) -> None:
        received[DESKS[1]] = to_refunds.received(state)

    builder: Any = StateGraph(State)
    builder.add_node(TRIAGE, ask)
    builder.add_node("tools", ToolNode([to_bookings.as_tool(), look_up, to_refunds.as_tool()]))
    builder.add_node(DESKS[0], bookings)
    builder.add_node(DESKS[1], refunds)
    builder.add_edge(START, TRIAGE)
    builder.add_edge(TRIAGE, "tools")
    add_handoffs(builder, "tools", [to_bookings, to_refunds])
    _, *answers = builder.compile(name=TRIAGE).invoke({"messages": []}, {"callbacks": heard_by})["messages"]
    return Triaged(calls, answers, {desk: received[desk] for desk in DESKS})


def _call(call_id: str, name: str, **arguments: str) -> ToolCall:
    return ToolCall(name=name, args=arguments, id=call_id, type="tool_call")
