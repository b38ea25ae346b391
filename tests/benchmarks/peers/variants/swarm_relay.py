"""A swarm in which each agent has a handoff tool to the next."""

from itertools import zip_longest
from typing import Any

from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_swarm import create_handoff_tool, create_swarm

from .._team import Team


def build(team: Team) -> Any:
    names = team.specialists
    agents = [agent(team, name, then) for name, then in zip_longest(names, names[1:])]
    return create_swarm(agents, default_active_agent=names[0]).compile(checkpointer=InMemorySaver())


def agent(team: Team, name: str, then: str | None) -> Any:
    onward = [create_handoff_tool(agent_name=then, description=team.card(then))] if then else []
    return create_agent(team.model(name), [*team.tools(name), *onward], system_prompt=team.prompt(name), name=name)
