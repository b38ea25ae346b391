"""A supervisor with one worker for each specialist."""

from typing import Any

from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_supervisor import create_supervisor
from langgraph_supervisor.supervisor import OutputMode

from .._team import Team


def build(team: Team, output_mode: OutputMode = "last_message") -> Any:
    workers = [
        create_agent(team.model(name), team.tools(name), system_prompt=team.prompt(name), name=name)
        for name in team.specialists
    ]
    supervisor = create_supervisor(
        workers, model=team.model("coordinator"), prompt=team.prompt("coordinator"), output_mode=output_mode
    )
    return supervisor.compile(checkpointer=InMemorySaver())
