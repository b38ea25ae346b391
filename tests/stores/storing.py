"""What the tests of stored handoffs call: one operation, both ways."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from support import Call


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
