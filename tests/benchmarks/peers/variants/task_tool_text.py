"""deepagents' task tool in an agent of LangChain, with the barista as its subagent."""

from typing import Any

from deepagents.backends import StateBackend
from deepagents.middleware import SubAgentMiddleware
from langchain.agents import create_agent
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
    return create_agent(
        team.model("coordinator"),
        system_prompt=team.prompt("coordinator"),
        middleware=[SubAgentMiddleware(backend=StateBackend(), subagents=[barista])],
        checkpointer=InMemorySaver(),
    )
