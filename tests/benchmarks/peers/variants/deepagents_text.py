"""A deep agent with the barista as its subagent."""

from typing import Any

from deepagents import create_deep_agent
from langgraph.checkpoint.memory import InMemorySaver

from .._team import Team


def build(team: Team) -> Any:
    barista: Any = {
        "name": "barista",
        "description": team.card("barista"),
        "system_prompt": team.prompt("barista"),
        "model": team.model("barista"),
        "tools": team.tools("barista"),
    }
    return create_deep_agent(
        team.model("coordinator"),
        system_prompt=team.prompt("coordinator"),
        subagents=[barista],
        checkpointer=InMemorySaver(),
    )
