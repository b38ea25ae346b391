"""Telling handlers of an event of a chain, as LangChain's callback managers do it and without what they do besides."""

import asyncio
import inspect
from contextvars import copy_context
from functools import partial
from typing import Any

from langchain_core.callbacks.manager import ahandle_event, handle_event

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
    if len(suspending) > 1 or any(_is_async(handler, event) for handler in suspending):
        return asyncio.ensure_future(ahandle_event(handlers, event, _IGNORED_BY, *told, **facts))
    tell([handler for handler in handlers if handler not in suspending], event, *told, **facts)
    if not suspending:
        return None
    # One thread for the one that needs it, and none of the tasks that LangChain puts around it.
    telling = partial(tell, suspending, event, *told, **facts)
    return asyncio.get_running_loop().run_in_executor(None, copy_context().run, telling)


def _suspends(handler: Any, event: str) -> bool:
    return not handler.ignore_chain and (not handler.run_inline or _is_async(handler, event))


def _is_async(handler: Any, event: str) -> bool:
    return inspect.iscoroutinefunction(getattr(handler, event))
