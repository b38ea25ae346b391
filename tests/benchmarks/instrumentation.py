"""What the runs cost: CPU that instrumentation adds to one handoff of 1 KB, against an empty `BaseTool.invoke`.

uv run python tests/benchmarks/instrumentation.py [--rounds N]

The same handoff with and without its recording, call by call in turn, in one process: CPU time of the calling thread, of
each the fastest twentieth, so that a busy machine changes little. What the recording adds is given as a ratio of what the
tool adds to the same handoff, and in brackets of the tool alone in a loop of its own, where the processor's caches hold
nothing else. Beside that stands what a start and an end add that LangChain's callback manager is asked for by hand, with
two views made before, and nothing else. Below, a payload of 10 MB in a graph of three nodes with `client_for`, against
tracing off.
"""

import argparse
import asyncio
import gc
import statistics
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, copy_context
from pathlib import Path
from time import thread_time, thread_time_ns
from types import FunctionType
from typing import Any, NamedTuple, Self

import langsmith
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.callbacks.manager import AsyncCallbackManager
from langchain_core.runnables.config import (
    ensure_config,
    get_async_callback_manager_for_config,
    get_callback_manager_for_config,
    patch_config,
    var_child_runnable_config,
)
from langchain_core.tools import BaseTool
from langgraph.graph import START, StateGraph
from langsmith import Client
from langsmith.run_helpers import tracing_context
from pydantic import BaseModel

from crux_langgraph import Handoff, HandoffState, add_handoff
from crux_langgraph._waiting import AWAITING, BLOCKING, finish
from crux_langgraph.instrumentation.langsmith import client_for

sys.path.insert(0, str(Path(__file__).parent.parent / "instrumentation"))
from langsmith_server import LangSmithServer

CALLS = 25
SENTENCE = "Station 7 measured 21 mm of rain on that day. "


class Empty(BaseTool):
    name: str = "empty"
    description: str = "Do nothing."

    def _run(self) -> None:
        return None


class Note(BaseModel):
    question: str
    findings: list[str]


class Quiet(BaseCallbackHandler):
    """A handler as users write them, that hears of every chain: asynchronous callers send it to a thread."""

    def on_chain_start(self, *_: Any, **__: Any) -> None:
        pass

    def on_chain_end(self, *_: Any, **__: Any) -> None:
        pass


class Listener(Quiet):
    run_inline = True


PAYLOAD = {"question": "How wet was it?", "findings": [SENTENCE * 2] * 10}
BUDGETED = Handoff.of(Note, id="budgeted", max_tokens=2_000)
UNLIMITED = Handoff.of(Note, id="unlimited")


def fastest(times: list[int]) -> float:
    """Microseconds of the fastest twentieth: what else runs on the machine only ever adds to them."""
    return statistics.quantiles(times, n=20)[0] / 1e3


def interleaved(rounds: int, **works: Callable[[], object]) -> dict[str, float]:
    """Time single calls of each in turn, so that all of them meet the same machine."""
    taken: dict[str, list[int]] = {name: [] for name in works}
    for _ in range(rounds):
        gc.collect()
        gc.disable()
        for name, work in works.items():
            work()
            for _ in range(CALLS):
                started = thread_time_ns()
                work()
                taken[name].append(thread_time_ns() - started)
        gc.enable()
    return {name: fastest(times) for name, times in taken.items()}


class NoRecording:
    """What stands in for a recording in the baseline: it does nothing at all."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def start(self, *_: object) -> None:
        pass

    def end(self, *_: object) -> None:
        pass


def without_recording() -> Callable[..., Any]:
    """Give the flow of a handoff with nothing where its recording is."""
    flow = Handoff.flow
    code = flow.__code__.replace(co_name="bare")  # of its own: the interpreter adapts code to what it meets
    bare = FunctionType(code, {**flow.__globals__, "Recording": NoRecording})
    bare.__kwdefaults__ = flow.__kwdefaults__
    return bare


BARE = without_recording()


def pair() -> None:
    """What any run costs: the views are made already."""
    run = get_callback_manager_for_config(ensure_config()).on_chain_start(None, {"input": PAYLOAD}, name="bare")
    run.on_chain_end({"payload": PAYLOAD})


def untraced() -> Context:
    """Give a context in which nobody listens, whatever is around it."""
    with tracing_context(enabled=False):
        return copy_context()


class Added(NamedTuple):
    """Microseconds that are added to one handoff: by its recording, by the bare pair, and by an empty tool."""

    recording: float
    pair: float
    tool: float
    tool_alone: float
    """Of the tool in a loop of its own."""


def added(rounds: int, handoff: Any, outside: Context) -> Added:
    tool = Empty()

    def bare() -> None:
        finish(BARE(handoff, BLOCKING, PAYLOAD))

    def paired() -> None:
        bare()
        pair()

    def tooled() -> None:
        bare()
        alone()

    def alone() -> None:
        outside.run(tool.invoke, {})

    taken = interleaved(
        rounds,
        bare=bare,
        recorded=lambda: finish(handoff.flow(BLOCKING, PAYLOAD)),
        paired=paired,
        tooled=tooled,
        alone=alone,
    )
    more = {name: took - taken["bare"] for name, took in taken.items()}
    return Added(more["recorded"], more["paired"], more["tooled"], taken["alone"])


@contextmanager
def in_a_run(config: Any) -> Iterator[None]:
    token = var_child_runnable_config.set(config)
    try:
        yield
    finally:
        var_child_runnable_config.reset(token)


SERVER = """
import sys
sys.path.insert(0, sys.argv[1])
from langsmith_server import LangSmithServer
with LangSmithServer() as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def server_elsewhere() -> Iterator[str]:
    """Run the server in a process of its own, as LangSmith's is: in ours it would hold the interpreter's lock."""
    started = [sys.executable, "-c", SERVER, sys.path[0]]
    with subprocess.Popen(started, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


@contextmanager
def traced() -> Iterator[None]:
    with server_elsewhere() as url:
        client = Client(api_url=url, api_key="none")
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
    outside = untraced()
    situations: list[tuple[str, Callable[[], Any], str]] = [
        ("nobody listening", lambda: in_a_run(None), "<= 0.05"),
        ("... below a run", lambda: in_a_run({"callbacks": []}), "<= 0.05"),
        ("one handler", lambda: in_a_run({"callbacks": [Listener()]}), "<= 0.4"),
        ("LangSmith, below a run", in_a_traced_run, "<= 3"),
        ("LangSmith, a trace of its own", traced, ""),
    ]
    for handoff in (BUDGETED, UNLIMITED):
        print(f"{handoff.id}: added to one handoff of 1 KB, as a ratio of an empty BaseTool.invoke there (and alone)")
        for name, situation, bar in situations:
            with situation():
                cost = added(rounds, handoff, outside)
            told = f"{cost.recording / cost.tool:6.3f} ({cost.recording / cost.tool_alone:6.3f})"
            took = f"{cost.recording:5.1f} us of {cost.tool:3.0f} ({cost.tool_alone:3.0f})"
            print(f"  {name:30} {told}  {bar:7} {took}   bare start and end {cost.pair / cost.tool:6.3f}")


async def async_costs(rounds: int) -> None:
    manager = AsyncCallbackManager.configure([Quiet()])
    var_child_runnable_config.set({"callbacks": [Quiet()]})

    async def pair() -> None:
        run = await manager.on_chain_start(None, {"input": PAYLOAD}, name="bare")
        await run.on_chain_end({"payload": PAYLOAD})

    async def paired() -> None:
        await BARE(BUDGETED, AWAITING, PAYLOAD)
        by_hand = get_async_callback_manager_for_config(ensure_config())
        run = await by_hand.on_chain_start(None, {"input": PAYLOAD}, name="bare")
        await run.on_chain_end({"payload": PAYLOAD})

    works: dict[str, Callable[[], Awaitable[object]]] = {
        "pair": pair,
        "paired": paired,
        "recorded": lambda: BUDGETED.flow(AWAITING, PAYLOAD),
        "bare": lambda: BARE(BUDGETED, AWAITING, PAYLOAD),
    }
    taken: dict[str, list[int]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            for _ in range(CALLS):
                started = thread_time_ns()
                await work()
                taken[name].append(thread_time_ns() - started)
    took = {name: fastest(times) for name, times in taken.items()}
    cost = took["recorded"] - took["bare"]
    print(f"async, one handler: {cost:.0f} us added, as a ratio of a start and an end")
    print(f"  of a manager made beforehand, in a loop of their own   {cost / took['pair']:6.3f}   <= 1.2")
    print(f"  beside the same handoff                                {cost / (took['paired'] - took['bare']):6.3f}")


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


def seconds(work: Callable[[], object]) -> float:
    gc.collect()
    started = thread_time()
    work()
    return thread_time() - started


def large_costs(rounds: int) -> None:
    graph = three_nodes()
    given = {"found": {"question": "?", "pages": SENTENCE * (10_000_000 // len(SENTENCE))}}
    taken: dict[str, list[float]] = {"off": [], "on": []}
    with LangSmithServer() as server:
        client = client_for(PAGES, api_url=server.url, api_key="none")
        for _ in range(rounds):
            taken["off"].append(seconds(lambda: graph.invoke(given)))
            langsmith.configure(client=client, enabled=True, project_name="bench")
            taken["on"].append(seconds(lambda: graph.invoke(given)))
            langsmith.configure(client=None, enabled=None, project_name=None)
            client.flush()
        server.wait_idle()
        sent = len(server.raw) / rounds
    off, on = (statistics.median(taken[name]) for name in ("off", "on"))
    print(f"10 MB, three nodes, client_for: tracing off {off * 1e3:.0f} ms")
    print(f"  sent                  {sent / 1e6:6.3f} MB   <= 1")
    print(f"  invoke                {on / off:6.3f}   <= 1.3")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    sync_costs(rounds)
    asyncio.run(async_costs(rounds))  # noqa: TID251 - a program of its own
    large_costs(rounds)


if __name__ == "__main__":
    main()
