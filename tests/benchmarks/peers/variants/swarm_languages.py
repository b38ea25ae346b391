"""A swarm: each agent has a handoff tool to every other one."""

from typing import Any

from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_swarm import create_handoff_tool, create_swarm

from .._team import Team

TOGETHER = """Hand over to one agent at a time: the next specialist that has not reported. When all have reported,
write the final answer, with the figure that each of them reports."""


def build(team: Team) -> Any:
    agents = [agent(team, name) for name in team.agents]
    return create_swarm(agents, default_active_agent="coordinator").compile(checkpointer=InMemorySaver())


def agent(team: Team, name: str) -> Any:
    others = [other for other in team.specialists if other != name]
    handoffs = [create_handoff_tool(agent_name=other, description=team.card(other)) for other in others]
    prompt = f"{team.prompt(name)}\n\n{TOGETHER}"
    return create_agent(team.model(name), [*team.tools(name), *handoffs], system_prompt=prompt, name=name)
