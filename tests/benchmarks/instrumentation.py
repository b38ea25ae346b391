"""What the runs cost: CPU that instrumentation adds to one handoff of 1 KB, against an empty `BaseTool.invoke`.

uv run python tests/benchmarks/instrumentation.py [--rounds N]

The same handoff with and without its recording, in turn, in one process; CPU time of the calling thread, so that a busy
machine changes little. Below that, a payload of 10 MB in a graph of three nodes with `client_for`, against tracing off.
"""

import argparse
import asyncio
import gc
import statistics
import sys
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from time import thread_time
from typing import Any, Self
from unittest.mock import patch

import langsmith
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.callbacks.manager import AsyncCallbackManager
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tools import BaseTool
from langgraph.graph import START, StateGraph
from langsmith import Client
from pydantic import BaseModel

from crux_langgraph import Handoff, HandoffState, add_handoff
from crux_langgraph.instrumentation.langsmith import client_for

sys.path.insert(0, str(Path(__file__).parent.parent / "instrumentation"))
from langsmith_server import LangSmithServer

CALLS = 100
SENTENCE = "Station 7 measured 21 mm of rain on that day. "


class Empty(BaseTool):
    name: str = "empty"
    description: str = "Do nothing."

    def _run(self) -> None:
        return None


class Note(BaseModel):
    question: str
    findings: list[str]


class Listener(BaseCallbackHandler):
    run_inline = True


PAYLOAD = {"question": "How wet was it?", "findings": [SENTENCE * 2] * 10}
BUDGETED = Handoff.of(Note, id="budgeted", max_tokens=2_000)
UNLIMITED = Handoff.of(Note, id="unlimited")


def microseconds(work: Callable[[], object], calls: int = CALLS) -> float:
    gc.collect()
    gc.disable()
    try:
        started = thread_time()
        for _ in range(calls):
            work()
        return (thread_time() - started) / calls * 1e6
    finally:
        gc.enable()


def interleaved(rounds: int, **works: Callable[[], object]) -> dict[str, float]:
    for work in works.values():
        microseconds(work, 20)
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            taken[name].append(microseconds(work))
    return {name: statistics.median(times) for name, times in taken.items()}


class NoRecording:
    """What stands in for a recording in the baseline: it does nothing at all."""

    def __init__(self, *_: object) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def start(self, *_: object) -> None:
        pass

    def end(self, *_: object) -> None:
        pass


def many(work: Callable[[], object], *, recorded: bool) -> Callable[[], object]:
    """Ten calls, so that the patch of the baseline costs next to nothing."""

    def ten() -> None:
        with ExitStack() as stack:
            if not recorded:
                stack.enter_context(patch("crux_langgraph._handoff._handoff.Recording", NoRecording))
            for _ in range(10):
                work()

    return ten


def added(rounds: int, handoff: Any) -> float:
    def work() -> object:
        return handoff.prepare(PAYLOAD)

    taken = interleaved(rounds, bare=many(work, recorded=False), recorded=many(work, recorded=True))
    return (taken["recorded"] - taken["bare"]) / 10


def in_a_run(handlers: list[Any], work: Callable[[], float]) -> float:
    token = var_child_runnable_config.set({"callbacks": handlers} if handlers is not None else None)
    try:
        return work()
    finally:
        var_child_runnable_config.reset(token)


def sync_costs(rounds: int) -> None:
    tool = Empty()
    empty = statistics.median(microseconds(lambda: tool.invoke({})) for _ in range(rounds))
    print(f"an empty BaseTool.invoke: {empty:.0f} us")
    for handoff in (BUDGETED, UNLIMITED):
        off = added(rounds, handoff)
        ambient = in_a_run([], lambda handoff=handoff: added(rounds, handoff))
        heard = in_a_run([Listener()], lambda handoff=handoff: added(rounds, handoff))
        with LangSmithServer() as server:
            client = Client(api_url=server.url, api_key="none")
            langsmith.configure(client=client, enabled=True, project_name="bench")
            traced = added(rounds, handoff)
            client.flush()
            langsmith.configure(client=None, enabled=None, project_name=None)
        print(f"{handoff.id}: added to one handoff of 1 KB, as a ratio of that")
        print(f"  nobody listening      {off / empty:6.3f} ({off:.1f} us)   <= 0.05")
        print(f"  ... below a run       {ambient / empty:6.3f} ({ambient:.1f} us)   <= 0.05")
        print(f"  one handler           {heard / empty:6.3f} ({heard:.1f} us)   <= 0.4")
        print(f"  LangSmith tracing on  {traced / empty:6.3f} ({traced:.1f} us)   <= 3")


async def async_costs(rounds: int) -> None:
    manager = AsyncCallbackManager.configure([Quiet()])
    var_child_runnable_config.set({"callbacks": [Quiet()]})

    async def pair() -> None:
        run = await manager.on_chain_start(None, {"input": PAYLOAD}, name="bare")
        await run.on_chain_end({"payload": PAYLOAD})

    async def prepared() -> None:
        await BUDGETED.aprepare(PAYLOAD)

    taken: dict[str, list[float]] = {"pair": [], "bare": [], "recorded": []}
    for _ in range(rounds):
        taken["pair"].append(await one_by_one(pair))
        taken["recorded"].append(await one_by_one(prepared))
        with patch("crux_langgraph._handoff._handoff.Recording", NoRecording):
            taken["bare"].append(await one_by_one(prepared))
    middle = {name: statistics.median(times) for name, times in taken.items()}
    cost = middle["recorded"] - middle["bare"]
    print(f"async, one handler: {cost:.0f} us added, a bare start and end pair {middle['pair']:.0f} us")
    print(f"  ratio                 {cost / middle['pair']:6.3f}   <= 1.2")


async def one_by_one(work: Callable[[], Awaitable[object]]) -> float:
    started = thread_time()
    for _ in range(CALLS):
        await work()
    return (thread_time() - started) / CALLS * 1e6


class Quiet(BaseCallbackHandler):
    """A handler as users write them: asynchronous callers send it to a thread."""


class Pages(BaseModel):
    question: str
    pages: str


class State(HandoffState, total=False):
    found: Any
    read: Any


PAGES = Handoff.of(Pages, id="pages", from_agent="a", to_agent="b")


def three_nodes() -> Any:
    builder: Any = StateGraph(State)
    builder.add_node("a", lambda state: {"found": state["found"]})
    builder.add_node("b", lambda state: {"read": len(PAGES.received(state).context)})
    builder.add_edge(START, "a")
    add_handoff(builder, PAGES, read="found")
    return builder.compile()


def large_costs(rounds: int) -> None:
    graph = three_nodes()
    given = {"found": {"question": "?", "pages": SENTENCE * (10_000_000 // len(SENTENCE))}}
    taken: dict[str, list[float]] = {"off": [], "on": []}
    with LangSmithServer() as server:
        client = client_for(PAGES, api_url=server.url, api_key="none")
        for _ in range(rounds):
            taken["off"].append(microseconds(lambda: graph.invoke(given), 1))
            langsmith.configure(client=client, enabled=True, project_name="bench")
            taken["on"].append(microseconds(lambda: graph.invoke(given), 1))
            langsmith.configure(client=None, enabled=None, project_name=None)
            client.flush()
        server.wait_idle()
        sent = len(server.raw) / rounds
    off, on = (statistics.median(taken[name]) for name in ("off", "on"))
    print(f"10 MB, three nodes, client_for: tracing off {off / 1e3:.0f} ms")
    print(f"  sent                  {sent / 1e6:6.3f} MB   <= 1")
    print(f"  invoke                {on / off:6.3f}   <= 1.3")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    sync_costs(rounds)
    asyncio.run(async_costs(rounds))  # noqa: TID251 - a program of its own
    large_costs(rounds)


if __name__ == "__main__":
    main()
