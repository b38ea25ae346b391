"""What the tests of stored handoffs share: one operation both ways, a handoff with a store, a graph of a few nodes."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

from langgraph.graph import END, START, StateGraph
from support import Brief, Call, Research, State, make

from crux_langgraph import Handoff
from crux_langgraph.stores.sqlite import SqliteStore


def in_memory() -> Iterator[Handoff[Research, Brief]]:
    """A handoff with a store of its own, for what one kind of store is enough for."""
    made = make(store=SqliteStore(":memory:"))
    yield made
    made.store.close()


def graph_of(*nodes: Any, checkpointer: Any = None, schema: Any = State, **options: Any) -> Any:
    """A graph of these nodes in turn, n0, n1 and so on."""
    builder: Any = StateGraph(schema)
    names = [f"n{position}" for position in range(len(nodes))]
    for name, node in zip(names, nodes, strict=True):
        builder.add_node(name, node, **options)
    for one, other in zip([START, *names], [*names, END], strict=True):
        builder.add_edge(one, other)
    return builder.compile(checkpointer=checkpointer)


async def both(call: Call, handoff: Any, method: str, *args: Any, **options: Any) -> Any:
    """Call a stored operation, or its async twin."""
    if call.is_async:
        return await getattr(handoff, f"a{method}")(*args, **options)
    return getattr(handoff, method)(*args, **options)


@asynccontextmanager
async def claimed(call: Call, handoff: Any, **options: Any) -> AsyncIterator[Any]:
    """Claim, or claim asynchronously."""
    if call.is_async:
        async with handoff.aclaim(**options) as taken:
            yield taken
    else:
        with handoff.claim(**options) as taken:
            yield taken


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what another thread or process brings about."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
