"""The run of one repair: it tells what was wrong, by field and type and without a value."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from crux_langgraph._waiting import Way
from crux_langgraph.instrumentation._recording import Facts, Recording, View

REPAIR = "handoff:repair"


@asynccontextmanager
async def repairing(way: Way, facts: Facts, attempt: int, wrong: View) -> AsyncGenerator[Recording]:
    """Stand around the repair with this number; what runs inside hangs below its run. `wrong` must hold no value."""
    async with Recording(way, REPAIR, {**facts, "crux_attempt": attempt}) as run:
        await run.start(wrong)
        yield run
