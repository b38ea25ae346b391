"""A typed handoff from each agent to the next, which carries the findings so far."""

from itertools import pairwise
from typing import Any

from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel

from crux_langgraph import Handoff, HandoffState, add_handoffs
from crux_langgraph.middleware import HandoffContext, HandoffRouting

from .._team import Team


class Finding(BaseModel):
    subject: str
    report: str
    figure: int


class Case(BaseModel):
    findings: list[Finding]


class State(MessagesState, HandoffState):
    pass


def build(team: Team) -> Any:
    names = team.specialists
    to = {name: Handoff.of(Case, id=f"to-{name}", to_agent=name, max_tokens=600) for name in names[1:]}
    onward = {name: [to[then]] for name, then in pairwise(names)}
    builder = StateGraph(State)
    for name in names:
        receives = [HandoffContext(to[name])] if name in to else []
        sends = [HandoffRouting(*onward[name])] if name in onward else []
        agent = create_agent(
            team.model(name), team.tools(name), system_prompt=team.prompt(name), middleware=[*receives, *sends]
        )
        builder.add_node(name, agent)
    builder.add_edge(START, names[0])
    for name, handoffs in onward.items():
        add_handoffs(builder, name, handoffs)
    return builder.compile(checkpointer=InMemorySaver())
