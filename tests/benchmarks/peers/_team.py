"""What every variant is given: the agents' models, prompts and tools. A variant only puts them together."""

from langchain_core.tools import BaseTool

from ._model import RuledModel, Sent
from ._rules import Fault
from ._scenario import COORDINATOR, Scenario, tool_of


class Team:
    """The agents of a scenario; `sent` has every call of a model, in the order in which they ended."""

    def __init__(self, scenario: Scenario, latency_s: float = 0.0, fault: Fault | None = None) -> None:
        self.scenario = scenario
        self.sent: list[Sent] = []
        self._latency_s = latency_s
        self._fault = fault
        self._tools = {one.name: tool_of(one) for one in scenario.specialists}

    @property
    def specialists(self) -> list[str]:
        return self.scenario.names

    @property
    def agents(self) -> list[str]:
        return [COORDINATOR, *self.specialists]

    def model(self, name: str) -> RuledModel:
        """Give the model of an agent; that of the second specialist has the fault."""
        fault = self._fault if name in self.specialists[1:2] else None
        return RuledModel(
            scenario=self.scenario, agent=name, keep=self.sent.append, latency_s=self._latency_s, fault=fault
        )

    def prompt(self, name: str) -> str:
        return self.scenario.prompt(name)

    def card(self, name: str) -> str:
        return self.scenario.of(name).card

    def tools(self, name: str) -> list[BaseTool]:
        return [self._tools[name]] if name in self._tools and not self.scenario.in_prompt else []
