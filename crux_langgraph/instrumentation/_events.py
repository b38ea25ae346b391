"""Telling handlers of an event of a chain, as LangChain's callback managers do it and without what they do besides."""

import asyncio
import inspect
import logging
from contextvars import copy_context
from functools import partial
from typing import Any

from langchain_core.callbacks.manager import ahandle_event, handle_event

_log = logging.getLogger("crux_langgraph")
_IGNORED_BY = "ignore_chain"

Waiting = asyncio.Future[Any]
"""What tells those who have not heard yet. It goes on to its end also when nobody waits for it any more."""


def tell(handlers: list[Any], event: str, *told: Any, **facts: Any) -> None:
    """Tell them, one after the other; those who are asynchronous in an event loop of their own.

    Raises what a handler raises that has `raise_error`.
    """
    handle_event(handlers, event, _IGNORED_BY, *told, **facts)


def tell_in_loop(handlers: list[Any], event: str, *told: Any, **facts: Any) -> Waiting | None:
    """Tell them from inside an event loop, which none of them holds up; give what to wait for, None when all have heard.

    Raises as `tell`, or what is waited for does.
    """
    suspending = [handler for handler in handlers if _suspends(handler, event)]
    # The others here and now, as LangChain does: what they set in the context holds for the step that is told of.
    tell([handler for handler in handlers if not any(handler is one for one in suspending)], event, *told, **facts)
    if len(suspending) > 1:
        return asyncio.ensure_future(ahandle_event(suspending, event, _IGNORED_BY, *told, **facts))
    return _telling(suspending[0], event, *told, **facts) if suspending else None


def _telling(handler: Any, event: str, *told: Any, **facts: Any) -> Waiting:
    # Most often it is one that suspends: LangChain puts two more tasks around its one task or thread.
    if inspect.iscoroutinefunction(getattr(handler, event, None)):
        return asyncio.ensure_future(_heard(handler, event, *told, **facts))
    telling = partial(tell, [handler], event, *told, **facts)
    return asyncio.get_running_loop().run_in_executor(None, copy_context().run, telling)


async def _heard(handler: Any, event: str, *told: Any, **facts: Any) -> None:
    try:
        await getattr(handler, event)(*told, **facts)
    except Exception as error:
        if handler.raise_error:
            raise
        warn(event, error)


def _suspends(handler: Any, event: str) -> bool:
    try:
        if handler.ignore_chain:
            return False
        return not handler.run_inline or inspect.iscoroutinefunction(getattr(handler, event, None))
    except Exception:  # noqa: BLE001 - a listener whose attributes raise: LangChain logs that as it is told
        return False


def warn(what: str, error: BaseException) -> None:
    """Log that a listener failed; by type alone, since its words may quote what it was told."""
    _log.warning("A listener failed at %s: %s", what, type(error).__name__)
