"""What the runs cost: CPU that instrumentation adds to one handoff of 1 KB, against an empty `BaseTool.invoke`.

uv run python tests/benchmarks/instrumentation.py [--rounds N]

The same handoff with and without its recording, in turn, in one process; CPU time of the calling thread, so that a busy
machine changes little. Beside each stands the floor: a start and an end that LangChain's callback manager is asked for by
hand with the same two views, and nothing else. Below that, a payload of 10 MB in a graph of three nodes with
`client_for`, against tracing off.
"""

import argparse
import asyncio
import gc
import statistics
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import thread_time
from typing import Any, Self

import langsmith
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.callbacks.manager import AsyncCallbackManager
from langchain_core.runnables.config import (
    ensure_config,
    get_callback_manager_for_config,
    patch_config,
    var_child_runnable_config,
)
from langchain_core.tools import BaseTool
from langgraph.graph import START, StateGraph
from langsmith import Client
from pydantic import BaseModel

from crux_langgraph import Handoff, HandoffState, add_handoff
from crux_langgraph._handoff import _handoff as prepares
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


def unrecorded(work: Callable[[], object]) -> Callable[[], object]:
    def bare() -> None:
        recording, prepares.Recording = prepares.Recording, NoRecording
        work()
        prepares.Recording = recording

    return bare


def pair() -> None:
    """What any run costs: the views are made already."""
    run = get_callback_manager_for_config(ensure_config()).on_chain_start(None, {"input": PAYLOAD}, name="bare")
    run.on_chain_end({"payload": PAYLOAD})


def added(rounds: int, handoff: Any) -> tuple[float, float]:
    """Microseconds that its recording adds to one handoff, and those of the bare pair."""

    def work() -> object:
        return handoff.prepare(PAYLOAD)

    taken = interleaved(rounds, bare=unrecorded(work), recorded=work, pair=pair)
    return taken["recorded"] - taken["bare"], taken["pair"]


@contextmanager
def in_a_run(config: Any) -> Iterator[None]:
    token = var_child_runnable_config.set(config)
    try:
        yield
    finally:
        var_child_runnable_config.reset(token)


@contextmanager
def traced() -> Iterator[None]:
    with LangSmithServer() as server:
        client = Client(api_url=server.url, api_key="none")
        langsmith.configure(client=client, enabled=True, project_name="bench")
        try:
            yield
        finally:
            client.flush()
            langsmith.configure(client=None, enabled=None, project_name=None)


@contextmanager
def in_a_traced_run() -> Iterator[None]:
    with traced():
        root = get_callback_manager_for_config(ensure_config()).on_chain_start(None, {}, name="root")
        with in_a_run(patch_config({"metadata": {}}, callbacks=root.get_child("seq:step:1"))):
            yield
        root.on_chain_end({})


def sync_costs(rounds: int) -> None:
    tool = Empty()
    empty = statistics.median(microseconds(lambda: tool.invoke({})) for _ in range(rounds))
    print(f"an empty BaseTool.invoke: {empty:.0f} us")
    situations: list[tuple[str, Callable[[], Any], str]] = [
        ("nobody listening", lambda: in_a_run(None), "<= 0.05"),
        ("... below a run", lambda: in_a_run({"callbacks": []}), "<= 0.05"),
        ("one handler", lambda: in_a_run({"callbacks": [Listener()]}), "<= 0.4"),
        ("LangSmith, below a run", in_a_traced_run, "<= 3"),
        ("LangSmith, a trace of its own", traced, ""),
    ]
    for handoff in (BUDGETED, UNLIMITED):
        print(f"{handoff.id}: added to one handoff of 1 KB, as a ratio of that")
        for name, situation, bar in situations:
            with situation():
                cost, floor = added(rounds, handoff)
            print(f"  {name:30} {cost / empty:6.3f} ({cost:5.1f} us)   floor {floor / empty:6.3f}   {bar}")


async def async_costs(rounds: int) -> None:
    manager = AsyncCallbackManager.configure([Quiet()])
    var_child_runnable_config.set({"callbacks": [Quiet()]})

    async def pair() -> None:
        run = await manager.on_chain_start(None, {"input": PAYLOAD}, name="bare")
        await run.on_chain_end({"payload": PAYLOAD})

    async def prepared() -> None:
        await BUDGETED.aprepare(PAYLOAD)

    taken: dict[str, list[float]] = {"pair": [], "bare": [], "recorded": []}
    recording = prepares.Recording
    for _ in range(rounds):
        taken["pair"].append(await one_by_one(pair))
        taken["recorded"].append(await one_by_one(prepared))
        prepares.Recording = NoRecording
        taken["bare"].append(await one_by_one(prepared))
        prepares.Recording = recording
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
