"""What a delegate runs: a subagent, what one call of it is given, and how it is asked to repair what it returned."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel

from crux_langgraph._delegate._context import ContextRule
from crux_langgraph._waiting import Way
from crux_langgraph.errors import FieldProblem


@dataclass(frozen=True, slots=True)
class RepairRequest:
    """What was wrong with the subagent's last return, for a subagent that takes `repair: RepairRequest | None = None`.

    `attempt` counts from 1; `expected` names the handoff's input model; `problems` are its fields that do not fit.
    """

    attempt: int
    expected: str
    problems: tuple[FieldProblem, ...]
    returned: object = field(repr=False)
    """What the subagent returned, as it returned it."""

    @property
    def message(self) -> str:
        """The request as a text for a model: field paths and types, no values."""
        lines = "".join(f"\n- {problem}" for problem in self.problems)
        return (
            f"Your answer is not a valid {self.expected}:{lines}\nAnswer again with a complete, valid {self.expected}."
        )


class Call(NamedTuple):
    """What one run of a subagent is given: validated arguments, the checked context, and LangGraph's runtime if any."""

    arguments: BaseModel
    context: Any
    runtime: Any
    repair: RepairRequest | None = None


class Subagent(Protocol):
    """A function or a graph that a delegate runs."""

    @property
    def name(self) -> str:
        """What its user calls it."""
        ...

    @property
    def description(self) -> str:
        """What it does, for a calling model; may be empty."""
        ...

    @property
    def args_schema(self) -> type[BaseModel]:
        """The model of its arguments."""
        ...

    @property
    def context(self) -> ContextRule:
        """What context it takes."""
        ...

    @property
    def repairable(self) -> bool:
        """Whether it can be asked to repair what it returned."""
        ...

    def begin(self) -> "Run":
        """Start one call, which may take several runs when the return is to be repaired."""
        ...


class Returned(NamedTuple):
    """What a run of a subagent gave, unchecked: the `value` for the handoff, and `whole` what that was read from."""

    value: Any
    whole: Any


class Run(Protocol):
    """One call of a subagent: what it keeps between its runs."""

    async def __call__(self, way: Way, call: Call, /) -> Returned:
        """Run the subagent once."""
        ...
