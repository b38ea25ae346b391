"""What becomes of one model turn with handoffs: langgraph-swarm, langgraph-supervisor and this package, side by side.

The same scripted model turns in each: (a) two handoffs in one turn, (b) a handoff beside a tool call, (c) a handoff with
arguments, (d) a chain of five agents over a growing history. Each library with its own handoff tool and its own builder,
as its documentation has it.

    uv run --group peers python tests/benchmarks/routing.py
"""

import itertools
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langchain_core.tools import BaseTool, tool
from langgraph.graph import MessagesState, StateGraph
from langgraph_supervisor import create_supervisor
from langgraph_swarm import create_handoff_tool, create_swarm
from legal import illegal
from pydantic import BaseModel
from support import ScriptedModel, calling

from crux_langgraph import Handoff, HandoffState, add_active_router, add_handoffs, estimate_tokens
from crux_langgraph.middleware import HandoffContext, HandoffRouting

BUDGET = 200
CHAIN = ["a1", "a2", "a3", "a4", "a5"]
LONG = "The report says that it rained. " * 60


class Order(BaseModel):
    order: str
    cents: int


@tool
def look_up(question: str) -> str:
    """Look something up."""
    return f"found {question}"


class Outcome(NamedTuple):
    """What one library made of the turns."""

    messages: Sequence[AnyMessage]
    models: dict[str, ScriptedModel]
    payloads: Sequence[Any] = ()

    def ran(self, *agents: str) -> str:
        return f"{sum(bool(self.models[agent].sent) for agent in agents)} of {len(agents)} ran"

    def results(self, *call_ids: str) -> str:
        """How many of these tool calls have their answer in the history."""
        answers = {message.tool_call_id for message in self.messages if isinstance(message, ToolMessage)}
        return f"{len(answers.intersection(call_ids))} of {len(call_ids)} results"

    @property
    def legal(self) -> str:
        return "illegal" if illegal(self.messages) else "legal"

    def read_by(self, agent: str) -> int:
        """The tokens of what an agent's model was sent last, estimated."""
        sent = self.models[agent].sent
        return sum(estimate_tokens(message.text) for message in sent[-1]) if sent else 0


def call_to(agent: str, call_id: str, **arguments: Any) -> dict[str, Any]:
    return {"name": f"transfer_to_{agent}", "args": arguments, "id": call_id, "type": "tool_call"}


Turns = dict[str, list[Any]]


def swarm(turns: Turns) -> Outcome:
    models = {name: ScriptedModel(replies=replies) for name, replies in turns.items()}
    names = list(models)
    agents = [create_agent(models[name], [look_up, *others(names, name)], name=name) for name in names]
    graph = create_swarm(agents, default_active_agent=names[0]).compile()
    out = graph.invoke({"messages": [("user", "hi")]})
    return Outcome(out["messages"], models)


def others(names: Sequence[str], mine: str) -> list[BaseTool]:
    return [create_handoff_tool(agent_name=name) for name in names if name != mine]


def supervisor(turns: Turns) -> Outcome:
    """The first agent's turns are the supervisor's; in a chain it calls one worker after the other."""
    models = {name: ScriptedModel(replies=replies) for name, replies in turns.items()}
    first, *workers = models
    agents = [create_agent(models[name], [look_up], name=name) for name in workers]
    chained = [calling(call_to(name, name)) for name in workers] if len(workers) > 2 else turns[first]
    models[first] = ScriptedModel(replies=[*chained, "done"])
    for name in workers:
        models[name].replies = [without_calls(reply) for reply in models[name].replies]
    built = create_supervisor(
        agents, model=models[first], tools=[look_up], supervisor_name=first, output_mode="full_history"
    )
    out = built.compile().invoke({"messages": [("user", "hi")]})
    return Outcome(out["messages"], models)


def without_calls(reply: Any) -> Any:
    return AIMessage(reply.content) if isinstance(reply, AIMessage) else reply


class State(MessagesState, HandoffState):
    pass


def ours(turns: Turns) -> Outcome:
    models = {name: ScriptedModel(replies=replies) for name, replies in turns.items()}
    to = {name: Handoff.of(Order, id=f"to-{name}", to_agent=name, max_tokens=BUDGET) for name in models}
    builder: Any = StateGraph(State)
    for name, model in models.items():
        onward = [handoff for other, handoff in to.items() if other != name]
        middleware = [HandoffContext(to[name]), HandoffRouting(*onward)]
        builder.add_node(name, create_agent(model, [look_up], middleware=middleware))
        add_handoffs(builder, name, onward)
    add_active_router(builder, default=next(iter(models)))
    out = builder.compile().invoke({"messages": [("user", "hi")]})
    payloads = [payload.data for handoff in to.values() for payload in handoff.received_all(out)]
    return Outcome(out["messages"], models, payloads)


Library = Callable[..., Outcome]
LIBRARIES: dict[str, Library] = {"langgraph-swarm": swarm, "langgraph-supervisor": supervisor, "crux_langgraph": ours}
ORDER = {"order": "A-1", "cents": 500}


def two_handoffs(library: Library) -> str:
    turn = calling(call_to("refunds", "1", **ORDER), call_to("billing", "2", **ORDER))
    out = library({"triage": [turn, "done"], "refunds": ["refunded"], "billing": ["billed"]})
    return f"{out.ran('refunds', 'billing')}, {out.results('1', '2')}, {out.legal}"


def beside_a_tool(library: Library) -> str:
    look = {"name": "look_up", "args": {"question": "x"}, "id": "2", "type": "tool_call"}
    turn = calling(call_to("refunds", "1", **ORDER), look)
    out = library({"triage": [turn, "done"], "refunds": ["refunded"]})
    return f"{out.ran('refunds')}, {out.results('1', '2')}, {out.legal}"


def with_arguments(library: Library) -> str:
    turn = calling(call_to("refunds", "1", **ORDER))
    out = library({"triage": [turn, "done"], "refunds": ["refunded"]})
    return "typed" if [Order(**ORDER)] == list(out.payloads) else "the arguments are lost"


def chain(library: Library) -> str:
    turns: Turns = {
        name: [AIMessage(LONG, tool_calls=[call_to(then, then, order="A-1", cents=place)])]
        for place, (name, then) in enumerate(itertools.pairwise(CHAIN))
    }
    out = library({**turns, CHAIN[-1]: ["done"]})
    read = out.read_by(CHAIN[-1])
    return f"{out.ran(*CHAIN)}, the last reads {read:,} tokens, {out.legal}"


CASES = {
    "(a) two handoffs in one turn": two_handoffs,
    "(b) a handoff beside a tool call": beside_a_tool,
    "(c) a handoff with arguments": with_arguments,
    f"(d) a chain of five agents (budget {BUDGET})": chain,
}


def told(case: Callable[[Library], str], library: Library) -> str:
    try:
        return case(library)
    except Exception as error:  # noqa: BLE001 - what a library does with the turn is what is asked
        return f"fails: {type(error).__name__}"


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")  # what the other libraries warn of is theirs
    print(f"| | {' | '.join(LIBRARIES)} |")
    print("|---" * (len(LIBRARIES) + 1) + "|")
    for name, case in CASES.items():
        print(f"| {name} | {' | '.join(told(case, library) for library in LIBRARIES.values())} |")


if __name__ == "__main__":
    main()
