"""Each specialist is a delegate: a tool of the coordinator, whose result is checked and made to fit."""

from typing import Any

from langchain.agents import create_agent
from langchain_core.tools import BaseTool
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

from crux_langgraph import Delegate, Handoff

from .._team import Team


class Ask(BaseModel):
    question: str


class Report(BaseModel):
    subject: str
    report: str
    figure: int


def build(team: Team) -> Any:
    tools = [specialist(team, name) for name in team.specialists]
    return create_agent(
        team.model("coordinator"), tools, system_prompt=team.prompt("coordinator"), checkpointer=InMemorySaver()
    )


def specialist(team: Team, name: str) -> BaseTool:
    agent = create_agent(
        team.model(name), team.tools(name), system_prompt=team.prompt(name), response_format=Report, name=name
    )
    report = Handoff.of(Report, id=f"{name}-report", from_agent=name, max_tokens=300)
    return Delegate.from_graph(agent, handoff=report, args_schema=Ask, description=team.card(name)).as_tool()
