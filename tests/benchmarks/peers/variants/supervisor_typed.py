"""A supervisor whose workers give typed results."""

from typing import Any

from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_supervisor import create_supervisor
from langgraph_supervisor.supervisor import OutputMode
from pydantic import BaseModel

from .._team import Team


class Report(BaseModel):
    subject: str
    report: str
    figure: int


def build(team: Team, output_mode: OutputMode = "last_message") -> Any:
    workers = [
        create_agent(
            team.model(name), team.tools(name), system_prompt=team.prompt(name), response_format=Report, name=name
        )
        for name in team.specialists
    ]
    supervisor = create_supervisor(
        workers, model=team.model("coordinator"), prompt=team.prompt("coordinator"), output_mode=output_mode
    )
    return supervisor.compile(checkpointer=InMemorySaver())
