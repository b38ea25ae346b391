"""What the type checkers know of handoffs that a model chooses; never run."""

from typing import Any, assert_type

from langchain_core.tools import BaseTool
from langgraph.graph import MessagesState, StateGraph
from pydantic import BaseModel

from crux_langgraph import HandoffState, Repair, add_active_router, add_handoff, add_handoffs, handoff
from crux_langgraph.middleware import HandoffRouting


class Refund(BaseModel):
    order: str


@handoff(to_agent="refunds")
def to_refunds(refund: Refund) -> Refund:
    return refund


@handoff(to_agent="billing")
async def to_billing(refund: Refund) -> Refund:
    return refund


class State(MessagesState, HandoffState):
    pass


assert_type(to_refunds.as_tool(), BaseTool)
HandoffRouting(to_refunds, to_billing, to_refunds.as_tool(fields=["order"]))

builder: StateGraph[State, None, State, State] = StateGraph(State)
assert_type(add_handoffs(builder, "triage", [to_refunds, to_billing], max_hops=3), list[str])
add_handoff(builder, to_refunds, source="a", on_invalid=Repair(max_attempts=1, fallback="person"))
add_active_router(builder, default="triage")


def reads(state: State) -> str | None:
    assert_type(state.get("active_agent"), str | None)
    requests: dict[str, dict[str, Any]] | None = state.get("handoff_requests")
    return None if requests is None else state.get("active_agent")


Repair(max_attempts="2")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
HandoffRouting("refunds")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
add_handoffs(builder, "triage", to_refunds)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
