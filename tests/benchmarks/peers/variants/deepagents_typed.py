"""A deep agent with one subagent for each specialist, each of which gives a typed result."""

from typing import Any

from deepagents import create_deep_agent
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
    return create_deep_agent(
        team.model("coordinator"),
        system_prompt=team.prompt("coordinator"),
        subagents=subagents,
        checkpointer=InMemorySaver(),
    )
