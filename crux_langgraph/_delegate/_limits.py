"""The time that one call of a delegate may take."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from crux_langgraph.errors import CruxError, TimeLimitError

T = TypeVar("T")


async def within(delegate: str, timeout_s: float | None, work: Coroutine[Any, Any, T]) -> T:
    """Do `work`, cancelled after `timeout_s` seconds. Raises `TimeLimitError` then; a cancellation from outside passes.

    A subagent that answers its cancellation with a value or an error was late all the same. `work` gives every error of
    the subagent its layer, so a bare TimeoutError can only be the limit's own.
    """
    if timeout_s is None:
        return await work
    limit = asyncio.timeout(timeout_s)
    try:
        async with limit:
            done = await work
    except TimeoutError:
        raise _too_long(delegate, timeout_s) from None
    except CruxError as error:
        if not limit.expired():
            raise
        raise _too_long(delegate, timeout_s, error) from error
    if limit.expired():
        raise _too_long(delegate, timeout_s)
    return done


def _too_long(delegate: str, timeout_s: float, original: BaseException | None = None) -> TimeLimitError:
    return TimeLimitError(
        delegate=delegate,
        found=f"it took longer than timeout_s={timeout_s:g}",
        fix="Ask for less at once, or raise timeout_s.",
        timeout_s=timeout_s,
        original=original,
    )
