"""Sync and async, once: a flow is written as one `async def` over a `Way`, and driven by either.

`BLOCKING` never suspends, so `finish` can step a flow to its end without an event loop, also inside a running one.
`AWAITING` awaits coroutine functions and sends plain ones to LangChain's executor, which copies the context.
The stepped coroutine is the design of gel-python's blocking client.
"""

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import FIRST_EXCEPTION, wait
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import ContextThreadPoolExecutor, run_in_executor

from crux_langgraph._signature import is_async, name_of
from crux_langgraph.errors import WrongWayError

T = TypeVar("T")

Flow = Callable[[], Coroutine[Any, Any, T]]
"""Starts a flow when it is called: nothing runs before, so one that is never started leaves nothing behind."""


class Way(Protocol):
    """How a flow reaches the outside: the only thing that differs between a method and its async twin."""

    async def call(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call a user's function, sync or async, and give what it returns."""
        ...

    async def compute(self, function: Callable[[], T], /) -> T:
        """Do work of our own that may take long. It never waits for a turn behind what a user's functions wait for."""
        ...

    async def invoke(self, runnable: Runnable[Any, Any], value: Any, config: RunnableConfig | None) -> Any:
        """Run a model or another runnable and give what it answers; its run hangs under the caller's."""
        ...

    async def pause(self, seconds: float) -> None:
        """Wait that long."""
        ...

    async def together(self, flows: Sequence[Flow[T]], *, concurrency: int, timeout_s: float) -> list[T | None]:
        """Run flows at the same time, at most `concurrency` of them, and give their values in order.

        After `timeout_s` seconds the wait ends: None stands for each flow that was not done. On the asynchronous way
        such a flow is cancelled; a thread cannot be, so what it still does goes unheard. The first exception ends the
        wait as well and is raised.
        """
        ...


class _Blocking:
    async def call(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if is_async(function):
            name = name_of(function)
            raise WrongWayError(asked=f"{name}()", use=ASYNC_TWINS)
        return function(*args, **kwargs)

    async def compute(self, function: Callable[[], T], /) -> T:
        return function()

    async def invoke(self, runnable: Runnable[Any, Any], value: Any, config: RunnableConfig | None) -> Any:
        return runnable.invoke(value, config)

    async def pause(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251 - this way never suspends: it blocks the thread that stepped it

    async def together(self, flows: Sequence[Flow[T]], *, concurrency: int, timeout_s: float) -> list[T | None]:
        executor = ContextThreadPoolExecutor(max_workers=concurrency)
        try:
            futures = [executor.submit(_step, flow) for flow in flows]
            done, _ = wait(futures, timeout_s, FIRST_EXCEPTION)
            _raise_first([future.exception() for future in futures if future in done])
            return [future.result() if future in done else None for future in futures]
        finally:
            executor.shutdown(wait=False, cancel_futures=True)


class _Awaiting:
    async def call(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if is_async(function):
            return await function(*args, **kwargs)
        return await run_in_executor(None, function, *args, **kwargs)

    async def compute(self, function: Callable[[], T], /) -> T:
        return await run_in_executor(_own_threads(os.getpid()), function)

    async def invoke(self, runnable: Runnable[Any, Any], value: Any, config: RunnableConfig | None) -> Any:
        return await runnable.ainvoke(value, config)

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def together(self, flows: Sequence[Flow[T]], *, concurrency: int, timeout_s: float) -> list[T | None]:
        turn = asyncio.Semaphore(concurrency)
        tasks = [asyncio.create_task(_in_turn(turn, flow)) for flow in flows]
        grace_s = max(0.0, min(_GRACE_S, timeout_s / 10))  # it is part of the time
        try:
            done, _ = await asyncio.wait(tasks, timeout=timeout_s - grace_s, return_when=asyncio.FIRST_EXCEPTION)
            _raise_first([task.exception() for task in tasks if task in done])
            return [task.result() if task in done else None for task in tasks]
        finally:
            await _abandon([task for task in tasks if not task.done()], grace_s)


ASYNC_TWINS = "the async twin: `await handoff.aprepare(...)`, `await delegate.arun(...)`, or `await graph.ainvoke(...)` for a graph"
BLOCKING: Way = _Blocking()
AWAITING: Way = _Awaiting()

_GRACE_S = 0.05


def finish(flow: Coroutine[Any, Any, T]) -> T:
    """Run a flow over `BLOCKING` to its end and give its value. Needs no event loop and starts none."""
    try:
        flow.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    finally:
        flow.close()
    raise WrongWayError(asked=repr(flow), use=ASYNC_TWINS)


@lru_cache(maxsize=1)
def _own_threads(process: int) -> ContextThreadPoolExecutor:  # noqa: ARG001 - threads do not live on in a fork
    # Models that know no async wait in the event loop's own few threads, also for answers that nobody hears any more.
    return ContextThreadPoolExecutor(thread_name_prefix="crux_langgraph")


def _step(flow: Flow[T]) -> T:
    return finish(flow())


async def _in_turn(turn: asyncio.Semaphore, flow: Flow[T]) -> T:
    async with turn:
        return await flow()


def _raise_first(errors: Sequence[BaseException | None]) -> None:
    for error in errors:
        if error is not None:
            raise error


async def _abandon(tasks: Sequence[asyncio.Task[Any]], grace_s: float) -> None:
    # A task that does not let itself be cancelled must not hold up the caller: it gets a moment, then goes unheard.
    for task in tasks:
        task.cancel()
        task.add_done_callback(_hear)
    if tasks:
        await asyncio.wait(tasks, timeout=grace_s)


def _hear(task: asyncio.Task[Any]) -> None:
    # Asking for the exception keeps asyncio from reporting it as never retrieved.
    if not task.cancelled():
        task.exception()
