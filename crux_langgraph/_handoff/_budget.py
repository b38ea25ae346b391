"""The budget is a guarantee: a context that takes more than its tokens is never handed over."""

from typing import Any

from crux_langgraph._payload import Payload
from crux_langgraph._waiting import Way
from crux_langgraph.errors import BudgetError

_MANY_CHARS = 200_000


async def require_fit(way: Way, payload: Payload[Any], max_tokens: int | None) -> None:
    """Raise `BudgetError` when the context is over `max_tokens`: the exact string is counted, whatever the fit believed.

    Handing over does this last. None is no limit.
    """
    if max_tokens is None:
        return
    if len(payload.texts.whole) > _MANY_CHARS:
        await way.compute(lambda: payload.texts.rendered)  # off the event loop: a megabyte is fitted for half a second
    needed_tokens = payload.receipt.context_tokens
    if needed_tokens <= max_tokens:
        return
    raise BudgetError(
        handoff=payload.handoff,
        found=f"the context takes {needed_tokens} tokens and may take {max_tokens}",
        fix="Give counter= a function that answers the same for the same text. Nothing was handed over.",
        max_tokens=max_tokens,
        needed_tokens=needed_tokens,
    )
