"""A scenario: who takes part, what each is told and can read, what the user says, and which figures must come back."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from langchain_core.tools import BaseTool, StructuredTool

FINAL = "write the final answer"
ONE_BY_ONE = "one agent at a time"


class Specialist(NamedTuple):
    """One agent that knows something: the figures are what its tool gives, one with each user turn."""

    name: str
    card: str
    """What the others are told of it."""
    prompt: str
    tool: str
    tool_text: str
    """What the tool answers, with `{figure}` in it."""
    figures: tuple[str, ...]
    report: str
    """What it writes of that, before the figure."""
    told: str
    """How it writes the figure, with `{figure}` in it."""

    def written(self, figure: str) -> str:
        return f"{self.report} {self.told.format(figure=figure)}"


class Scenario(NamedTuple):
    """What all variants are built from; `knows` says what an agent can fill fields with."""

    name: str
    variant: str
    """The module, for each library, that builds it."""
    coordinator: str
    specialists: Sequence[Specialist]
    turns: Sequence[str]
    question: str
    """What a specialist is asked where it must be told; `{name}` is the specialist."""
    fields: Mapping[str, Any] = {}
    """What else the coordinator can fill the fields of a tool with."""
    in_prompt: bool = False
    """Whether the specialists' material stands in their prompts, instead of behind a tool."""

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.specialists]

    def of(self, name: str) -> Specialist:
        return next(one for one in self.specialists if one.name == name)

    def prompt(self, name: str) -> str:
        """Give what an agent is told about itself."""
        if name == COORDINATOR:
            return self.coordinator
        one = self.of(name)
        return f"{one.prompt}\n\n{read(one, 0)}" if self.in_prompt else one.prompt

    def figures(self, turn: int | None = None) -> list[str]:
        """Give the figures of one turn of the user, or all."""
        of_turns = [one.figures if turn is None else one.figures[turn : turn + 1] for one in self.specialists]
        return [figure for figures in of_turns for figure in figures]


COORDINATOR = "coordinator"


def read(one: Specialist, turn: int) -> str:
    return one.tool_text.format(figure=one.figures[min(turn, len(one.figures) - 1)])


def tool_of(one: Specialist) -> BaseTool:
    """Make the specialist's tool: its n-th call gives its n-th figure."""
    calls: list[str] = []

    def answer() -> str:
        calls.append(one.name)
        return read(one, len(calls) - 1)

    return StructuredTool.from_function(answer, name=one.tool, description=f"What the {one.name} works with.")
