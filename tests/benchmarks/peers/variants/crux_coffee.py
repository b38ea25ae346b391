"""A typed handoff to the barista, who stays the active agent."""

from typing import Any, Literal

from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import MessagesState, StateGraph
from pydantic import BaseModel

from crux_langgraph import HandoffState, add_active_router, add_handoffs, handoff
from crux_langgraph.middleware import HandoffContext, HandoffRouting

from .._team import Team


class Order(BaseModel):
    drink: str
    size: Literal["small", "large"]


class State(MessagesState, HandoffState):
    pass


@handoff(to_agent="barista", max_tokens=200)
def order(order: Order) -> Order:
    """Buy what was ordered."""
    return order


def build(team: Team) -> Any:
    desk = create_agent(
        team.model("coordinator"), system_prompt=team.prompt("coordinator"), middleware=[HandoffRouting(order)]
    )
    barista = create_agent(
        team.model("barista"),
        team.tools("barista"),
        system_prompt=team.prompt("barista"),
        middleware=[HandoffContext(order, history="since_handoff")],
    )
    builder = StateGraph(State)
    builder.add_node("coordinator", desk)
    builder.add_node("barista", barista)
    add_active_router(builder, default="coordinator")
    add_handoffs(builder, "coordinator", [order])
    return builder.compile(checkpointer=InMemorySaver())
