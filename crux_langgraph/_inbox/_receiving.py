"""Receiving: looking at the newest record of a scope, and waiting for one, without taking it."""

import time
from typing import Any

from crux_langgraph._inbox._waits import pauses
from crux_langgraph._waiting import Way
from crux_langgraph.stores import Record, Store


async def newest(way: Way, store: Store, handoff: str, scope: str, *, after: int, wait_s: float) -> Record | None:
    """Give the newest record of a scope above `after`; None when there is none within `wait_s`."""
    look: Any = store.latest
    found: Record | None = await way.call(look, handoff, scope, after=after)
    if found is not None or wait_s <= 0:
        return found
    deadline = time.monotonic() + wait_s
    with store.watch(handoff, scope) as ticket:
        found = await way.call(look, handoff, scope, after=after)  # what came before the watch began
        while found is None and (left_s := deadline - time.monotonic()) > 0:
            await pauses(way, ticket, left_s)
            found = await way.call(look, handoff, scope, after=after)
    return found
