"""One request to a model, as the rules read it: the user's turn, the tools, who was asked already, which figures are seen."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from ._scenario import COORDINATOR, ONE_BY_ONE, Scenario, Specialist

_COMPLAINT = ("error", "your answer is not a valid")


class Request(NamedTuple):
    """What a model was sent, in the scenario that it plays in."""

    scenario: Scenario
    messages: Sequence[BaseMessage]
    tools: Mapping[str, Mapping[str, Any]]
    """The properties of each tool's arguments."""
    is_parallel: bool = True

    @property
    def system(self) -> str:
        return "\n".join(message.text for message in self.messages if isinstance(message, SystemMessage))

    @property
    def me(self) -> str:
        """The agent whose prompt stands in the system prompt."""
        told = [name for name in self.scenario.names if self.scenario.prompt(name) in self.system]
        return told[0] if told else COORDINATOR

    @property
    def specialist(self) -> Specialist | None:
        return None if self.me == COORDINATOR else self.scenario.of(self.me)

    @property
    def turn(self) -> Sequence[BaseMessage]:
        """What was said since a human last spoke; a complaint about an answer begins no turn."""
        starts = [
            place for place, one in enumerate(self.messages) if isinstance(one, HumanMessage) and not complains(one)
        ]
        return self.messages[starts[-1] :] if starts else self.messages

    @property
    def used(self) -> set[str | None]:
        """The tools that answered in this turn."""
        return {one.name for one in self.turn if isinstance(one, ToolMessage) and not complains(one)}

    @property
    def was_refused(self) -> bool:
        """Whether an answer of this agent came back with what is wrong with it."""
        return any(map(complains, self.messages))

    def seen(self) -> list[str]:
        """Give the figures that stand in the turn or in the system prompt, in the scenario's order."""
        text = "\n".join([self.system, *map(written, self.turn)])
        return [figure for figure in self.scenario.figures() if figure in text]

    def routes(self) -> dict[str, str]:
        """Give, by agent, the tool that leads to it."""
        names = self.scenario.names
        found = {name: tool for tool in self.tools for name in names if tool in (name, f"transfer_to_{name}")}
        return found or (dict.fromkeys(names, "task") if "task" in self.tools else {})

    def unasked(self) -> list[str]:
        """Give the agents that can be asked and were not in this turn; the first alone where they come one by one."""
        refused = {one.tool_call_id for one in self.turn if isinstance(one, ToolMessage) and complains(one)}
        calls = [call for one in self.turn if isinstance(one, AIMessage) for call in one.tool_calls]
        asked = {leads_to(call, self.scenario) for call in calls if call["id"] not in refused}
        routes = self.routes()
        left = [name for name in self.scenario.names if name in routes and name not in asked and name != self.me]
        return left if self.is_parallel and ONE_BY_ONE not in self.system else left[:1]


def complains(message: BaseMessage) -> bool:
    if getattr(message, "status", None) == "error":
        return True
    return isinstance(message, ToolMessage | HumanMessage) and message.text.lower().startswith(_COMPLAINT)


def leads_to(call: Mapping[str, Any], scenario: Scenario) -> str | None:
    wanted = call["args"].get("subagent_type", call["name"].removeprefix("transfer_to_"))
    return wanted if wanted in scenario.names else None


def written(message: BaseMessage) -> str:
    """Write a message as a provider is sent it: its role, its text and its tool calls."""
    calls = [{"name": call["name"], "args": call["args"]} for call in getattr(message, "tool_calls", ())]
    return "\n".join([message.type, message.text, *([json.dumps(calls)] if calls else [])])
