"""What a delegate costs as a tool, against a bare `StructuredTool` that does the same checks and gives an equal artifact.

One call: both tools are called by hand with a tool call, alternately in one process; the ratio is of the medians of the
process's own CPU time. A hundred calls of one turn: both in the same graph with a ToolNode, with subagents that take
50 ms; the ratio is of the medians of the time until the turn is answered.

    uv run python tests/benchmarks/delegates.py [--rounds N]
"""

import argparse
import asyncio
import time
from collections.abc import Callable
from typing import Any

from alternating import medians
from by_hand import Research, Source, handed_over, to_brief
from langchain_core.messages import AIMessage
from langchain_core.tools import StructuredTool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json

from crux_langgraph import delegate, handoff

MOST_CALL, MOST_TURN = 1.5, 1.25
PROCESS = time.process_time


class Ask(BaseModel):
    model_config = ConfigDict(extra="forbid")

    question: str
    depth: int = 1


SOURCES = [Source(url=f"https://example.com/{n}", title=f"Article {n}", score=n / 10) for n in range(10)]
FOUND = Research(question="How did it go?", findings="It took 14 weeks and cost 1.2 million. " * 20, sources=SOURCES)


CONTRACT = handoff(to_brief)


def subagents(seconds: float) -> tuple[Callable[..., Research], Callable[..., Any]]:
    """The same subagent, plain and async."""

    def research(question: str, depth: int = 1) -> Research:
        """Research a question."""
        if seconds:
            time.sleep(seconds)
        return FOUND

    async def aresearch(question: str, depth: int = 1) -> Research:
        """Research a question."""
        if seconds:
            await asyncio.sleep(seconds)
        return FOUND

    return research, aresearch


def answered(research: Research, started: float, worked: float) -> tuple[str, dict[str, Any]]:
    """By hand: input and output validated, JSON content, and an equal artifact."""
    payload = handed_over(research.model_dump(), from_agent=None, to_agent=None)
    artifact = {
        "format": 1,
        "delegate": "research",
        "payload": payload,
        "duration_s": time.perf_counter() - started,
        "subagent_duration_s": worked,
        "repairs": 0,
        "usage": {},
    }
    return to_json({"data": payload["data"], "summary": None}).decode(), artifact


def bare(seconds: float) -> StructuredTool:
    research, aresearch = subagents(seconds)

    def run(question: str, depth: int = 1) -> Any:
        started = time.perf_counter()
        found = research(question, depth)
        return answered(found, started, time.perf_counter() - started)

    async def arun(question: str, depth: int = 1) -> Any:
        started = time.perf_counter()
        found = await aresearch(question, depth)
        return answered(found, started, time.perf_counter() - started)

    return StructuredTool(
        name="research",
        description="Research a question.",
        args_schema=Ask,
        func=run,
        coroutine=arun,
        response_format="content_and_artifact",
    )


def ours(seconds: float, *, is_async: bool) -> Any:
    plain, awaited = subagents(seconds)
    decorate = delegate(handoff=CONTRACT, id="research")
    return (decorate(awaited) if is_async else decorate(plain)).as_tool(name="research")


CALL = {"name": "research", "args": {"question": "How did it go?"}, "id": "1", "type": "tool_call"}


def one_call(rounds: int, *, is_async: bool) -> tuple[float, float]:
    tools = bare(0), ours(0, is_async=is_async)
    if not is_async:
        base, cost = medians(rounds, *(lambda tool=tool: tool.invoke(dict(CALL)) for tool in tools), clock=PROCESS)
        return base, cost
    with asyncio.Runner() as loop:
        runs = (lambda tool=tool: loop.run(tool.ainvoke(dict(CALL))) for tool in tools)
        base, cost = medians(rounds, *runs, clock=PROCESS)
    return base, cost


def one_turn(rounds: int, *, is_async: bool) -> tuple[float, float]:
    asked = AIMessage("", tool_calls=[{**CALL, "id": str(n)} for n in range(100)])
    graphs = [graph_of(tool) for tool in (bare(0.05), ours(0.05, is_async=is_async))]
    given = {"messages": [asked]}
    if not is_async:
        base, cost = medians(rounds, *(lambda graph=graph: graph.invoke(given) for graph in graphs))
        return base, cost
    with asyncio.Runner() as loop:
        base, cost = medians(rounds, *(lambda graph=graph: loop.run(graph.ainvoke(given)) for graph in graphs))
    return base, cost


def graph_of(tool: Any) -> Any:
    builder: Any = StateGraph(MessagesState)
    builder.add_node("tools", ToolNode([tool]))
    builder.add_edge(START, "tools")
    return builder.compile()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1000)
    rounds = parser.parse_args().rounds
    print(f"{'what':24} {'way':8} {'bare ms':>9} {'ours ms':>9} {'ratio':>6}   bar")
    for is_async in (False, True):
        for what, measure, most in (
            ("one call", lambda way: one_call(rounds, is_async=way), MOST_CALL),
            ("100 calls, 50 ms each", lambda way: one_turn(max(3, rounds // 200), is_async=way), MOST_TURN),
        ):
            base, cost = measure(is_async)
            way = "ainvoke" if is_async else "invoke"
            print(f"{what:24} {way:8} {base * 1e3:9.3f} {cost * 1e3:9.3f} {cost / base:6.2f}   <= {most}")


if __name__ == "__main__":
    main()
