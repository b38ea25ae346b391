"""How long to sleep until somebody rings."""

from crux_langgraph._waiting import AWAITING, Way
from crux_langgraph.stores import Ticket

_LOOK_AGAIN_S = 2.0
"""A wake-up may be lost with the process that owed it; so look anyway."""
_SOON_S = 0.005


async def pauses(way: Way, ticket: Ticket, left_s: float, due_s: float | None = None) -> None:
    """Wait for a ring, at most `left_s`, and not past `due_s`, when something falls due that nobody rings for."""
    timeout_s = min(left_s, _LOOK_AGAIN_S, _LOOK_AGAIN_S if due_s is None else max(due_s, _SOON_S))
    await way.call(ticket.wait_async if way is AWAITING else ticket.wait, timeout_s)
