"""What a delegate costs as a tool, against a bare `StructuredTool` that does the same checks and gives an equal artifact.

One call: both tools are called by hand with a tool call, alternately in one process; the ratio is of the medians.
A hundred calls of one turn: both in the same graph with a ToolNode, with subagents that take 50 ms.

    uv run python tests/benchmarks/delegates.py [--rounds N]
"""

import argparse
import asyncio
import secrets
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessage
from langchain_core.tools import StructuredTool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json

from crux_langgraph import delegate, handoff

MOST_CALL, MOST_TURN = 1.5, 1.25


class Source(BaseModel):
    url: str
    title: str
    score: float


class Research(BaseModel):
    question: str
    findings: str
    sources: list[Source]


class Brief(BaseModel):
    question: str
    findings: str
    key_sources: list[Source]


class Ask(BaseModel):
    model_config = ConfigDict(extra="forbid")

    question: str
    depth: int = 1


SOURCES = [Source(url=f"https://example.com/{n}", title=f"Article {n}", score=n / 10) for n in range(10)]
FOUND = Research(question="How did it go?", findings="It took 14 weeks and cost 1.2 million. " * 20, sources=SOURCES)


@handoff
def to_brief(research: Research) -> Brief:
    """Answer."""
    return Brief(question=research.question, findings=research.findings, key_sources=research.sources)


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


def handed_over(research: Research, started: float, worked: float) -> tuple[str, dict[str, Any]]:
    """By hand: input and output validated (a dump and a validation), JSON content, and an equal artifact."""
    began = time.perf_counter()
    given = Research.model_validate(research.model_dump())
    checked = time.perf_counter()
    returned = to_brief(given)
    transformed = time.perf_counter()
    brief = Brief.model_validate(returned.model_dump())
    durations = {"input": checked - began, "transform": transformed - checked}
    durations["output"] = time.perf_counter() - transformed
    data = brief.model_dump(mode="json")
    payload = {
        "format": 1,
        "id": f"ho-{uuid4().hex}",
        "handoff": "to-brief",
        "version": 1,
        "from_agent": None,
        "to_agent": None,
        "created_at": datetime.now(UTC).isoformat(timespec="microseconds"),
        "data": data,
        "summary": None,
        "fence": secrets.token_urlsafe(16),
        "receipt": {"durations_s": durations, "measured": {}},
    }
    artifact = {
        "format": 1,
        "delegate": "research",
        "payload": payload,
        "duration_s": time.perf_counter() - started,
        "subagent_duration_s": worked,
        "repairs": 0,
        "usage": {},
    }
    return to_json({"data": data, "summary": None}).decode(), artifact


def by_hand(seconds: float) -> StructuredTool:
    research, aresearch = subagents(seconds)

    def run(question: str, depth: int = 1) -> Any:
        started = time.perf_counter()
        found = research(question, depth)
        return handed_over(found, started, time.perf_counter() - started)

    async def arun(question: str, depth: int = 1) -> Any:
        started = time.perf_counter()
        found = await aresearch(question, depth)
        return handed_over(found, started, time.perf_counter() - started)

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
    decorate = delegate(handoff=to_brief, id="research")
    return (decorate(awaited) if is_async else decorate(plain)).as_tool(name="research")


CALL = {"name": "research", "args": {"question": "How did it go?"}, "id": "1", "type": "tool_call"}


def medians(rounds: int, *runs: Callable[[], Any]) -> list[float]:
    """Median seconds of each run, taken turn about so that the machine's noise falls on all of them."""
    seconds: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for taken, run in zip(seconds, runs, strict=True):
            started = time.perf_counter()
            run()
            taken.append(time.perf_counter() - started)
    return [statistics.median(taken) for taken in seconds]


def one_call(rounds: int, *, is_async: bool) -> tuple[float, float]:
    bare, made = by_hand(0), ours(0, is_async=is_async)
    if not is_async:
        base, cost = medians(rounds, lambda: bare.invoke(dict(CALL)), lambda: made.invoke(dict(CALL)))
        return base, cost
    with asyncio.Runner() as loop:
        base, cost = medians(
            rounds, lambda: loop.run(bare.ainvoke(dict(CALL))), lambda: loop.run(made.ainvoke(dict(CALL)))
        )
    return base, cost


def one_turn(rounds: int, *, is_async: bool) -> tuple[float, float]:
    asked = AIMessage("", tool_calls=[{**CALL, "id": str(n)} for n in range(100)])
    graphs = [graph_of(tool) for tool in (by_hand(0.05), ours(0.05, is_async=is_async))]
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
