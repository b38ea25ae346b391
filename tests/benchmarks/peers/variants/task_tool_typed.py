"""deepagents' task tool in an agent of LangChain: without the files, the plan and the prompts of a deep agent."""

from typing import Any

from deepagents.backends import StateBackend
from deepagents.middleware import SubAgentMiddleware
from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

from .._team import Team


class Report(BaseModel):
    subject: str
    report: str
    figure: int


def build(team: Team) -> Any:
    subagents: list[Any] = [
        {
            "name": name,
            "description": team.card(name),
            "system_prompt": team.prompt(name),
            "model": team.model(name),
            "tools": team.tools(name),
            "response_format": Report,
        }
        for name in team.specialists
    ]
    return create_agent(
        team.model("coordinator"),
        system_prompt=team.prompt("coordinator"),
        middleware=[SubAgentMiddleware(backend=StateBackend(), subagents=subagents)],
        checkpointer=InMemorySaver(),
    )
