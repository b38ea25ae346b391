"""Sync and async, once: a flow is written as one `async def` over a `Way`, and driven by either.

`BLOCKING` never suspends, so `finish` can step a flow to its end without an event loop, also inside a running one.
`AWAITING` awaits coroutine functions and sends plain ones to LangChain's executor, which copies the context.
The stepped coroutine is the design of gel-python's blocking client.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar, cast

from langchain_core.runnables.config import run_in_executor

from crux_langgraph._signature import is_async, name_of
from crux_langgraph.errors import WrongWayError

T = TypeVar("T")


class Way(Protocol):
    """How a flow reaches the outside: the only thing that differs between a method and its async twin."""

    async def call(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call a user's function, sync or async, and give what it returns."""
        ...


class _Blocking:
    async def call(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if is_async(function):
            name = name_of(function)
            raise WrongWayError(asked=f"{name}()", use=ASYNC_TWINS)
        return function(*args, **kwargs)


class _Awaiting:
    async def call(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if is_async(function):
            return await function(*args, **kwargs)
        return await run_in_executor(None, function, *args, **kwargs)


ASYNC_TWINS = "the async twin: `await handoff.aprepare(...)`, `await delegate.arun(...)`, or `await graph.ainvoke(...)` for a graph"
BLOCKING: Way = _Blocking()
AWAITING: Way = _Awaiting()


def finish(flow: Coroutine[Any, Any, T]) -> T:
    """Run a flow over `BLOCKING` to its end and give its value. Needs no event loop and starts none."""
    try:
        flow.send(None)
    except StopIteration as end:
        return cast("T", end.value)
    finally:
        flow.close()
    raise WrongWayError(asked=repr(flow), use=ASYNC_TWINS)
