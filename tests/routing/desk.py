"""A help desk: a triage agent whose model hands over to billing and refunds."""

from collections.abc import Sequence
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.graph import MessagesState, StateGraph
from pydantic import BaseModel, Field
from support import ScriptedModel, calling

from crux_langgraph import HandoffState, add_handoffs, handoff
from crux_langgraph.middleware import HandoffContext, HandoffRouting


class Bill(BaseModel):
    account: str = Field(description="the account that pays")
    cents: int = 0


class Refund(BaseModel):
    order: str


@handoff(to_agent="billing", max_tokens=300)
def to_billing(bill: Bill) -> Bill:
    """Send the customer a bill."""
    return bill


@handoff(to_agent="refunds", max_tokens=300)
def to_refunds(refund: Refund) -> Refund:
    """Refund an order."""
    return refund


@tool
def look_up(question: str) -> str:
    """Look something up."""
    return f"found {question}"


class State(MessagesState, HandoffState):
    pass


def call_of(tool_name: str, call_id: str = "1", **arguments: Any) -> dict[str, Any]:
    return {"name": tool_name, "args": arguments, "id": call_id, "type": "tool_call"}


def bill(call_id: str = "1", **arguments: Any) -> dict[str, Any]:
    return call_of("transfer_to_billing", call_id, **{"account": "A", **arguments})


def refund(call_id: str = "2", **arguments: Any) -> dict[str, Any]:
    return call_of("transfer_to_refunds", call_id, **{"order": "O", **arguments})


class Desk:
    """The agents' models, by name, and the builder of their graph."""

    def __init__(
        self, *triage: Any, schema: Any = State, middleware: Sequence[Any] | None = None, **options: Any
    ) -> None:
        self.triage = ScriptedModel(replies=[*triage, "triaged"])
        self.billing = ScriptedModel(replies=["billed"])
        self.refunds = ScriptedModel(replies=["refunded"])
        routing = [HandoffRouting(to_billing, to_refunds)] if middleware is None else middleware
        self.builder: Any = StateGraph(schema)
        self.builder.add_node("triage", create_agent(self.triage, [look_up], middleware=routing))
        self.builder.add_node("billing", create_agent(self.billing, middleware=[HandoffContext(to_billing)]))
        self.builder.add_node("refunds", create_agent(self.refunds, middleware=[HandoffContext(to_refunds)]))
        self.builder.set_entry_point("triage")
        add_handoffs(self.builder, "triage", [to_billing, to_refunds], **options)


def both() -> AIMessage:
    """One turn of a model: two handoffs, with a tool call between them."""
    return calling(bill("1"), call_of("look_up", "2", question="x"), refund("3"))
