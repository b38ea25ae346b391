"""A swarm: each agent has a handoff tool to every other one."""

from typing import Any

from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_swarm import create_handoff_tool, create_swarm

from .._team import Team


def build(team: Team) -> Any:
    to_barista = create_handoff_tool(agent_name="barista", description=team.card("barista"))
    desk = create_agent(
        team.model("coordinator"), [to_barista], system_prompt=team.prompt("coordinator"), name="coordinator"
    )
    barista = create_agent(
        team.model("barista"), team.tools("barista"), system_prompt=team.prompt("barista"), name="barista"
    )
    swarm = create_swarm([desk, barista], default_active_agent="coordinator")
    return swarm.compile(checkpointer=InMemorySaver())
