"""Telling handlers of an event of a chain, as LangChain's callback managers do it and without what they do besides."""

import asyncio
import inspect
import logging
from collections.abc import Callable, Mapping
from contextvars import copy_context
from functools import partial
from typing import Any

from langchain_core.callbacks.manager import ahandle_event, handle_event

_log = logging.getLogger("crux_langgraph")
_IGNORED_BY = "ignore_chain"

Waiting = asyncio.Future[Any]
"""What tells those who have not heard yet. It goes on to its end also when nobody waits for it any more."""

Told = Mapping[str, Any]
"""What a handler is told by name: which run it is, and more of one that starts."""

Tell = Callable[[list[Any], str, tuple[Any, ...], Told], Waiting | None]
"""Tells handlers of an event; gives what to wait for, None when all have heard."""


def tell(handlers: list[Any], event: str, told: tuple[Any, ...], facts: Told) -> None:
    """Tell them, one after the other; those who are asynchronous in an event loop of their own, after all others.

    Raises nothing but what ends the program, and what cancels the task that it is called in.
    """
    begun: list[Any] = []
    try:
        for handler in handlers:
            try:
                answer = None if handler.ignore_chain else getattr(handler, event)(*told, **facts)
                if answer is not None and asyncio.iscoroutine(answer):
                    begun.append(_Begun(answer))
            except asyncio.CancelledError as error:
                _warn_unless_cancelled(event, error)
            except Exception as error:  # noqa: BLE001 - a listener's failure, whatever it is
                warn(event, error)
    finally:
        if begun:
            handle_event(begun, event, None)


class _Begun:
    """An asynchronous handler that was called, as LangChain waits for those."""

    raise_error = False

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def __getattr__(self, _: str) -> Any:
        return lambda: self._answer


class _Quiet:
    """A handler that asked for its errors to be raised, and is not heard in that: a listener never breaks a handoff."""

    raise_error = False

    def __init__(self, handler: Any) -> None:
        self._handler = handler

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handler, name)


def tell_in_loop(handlers: list[Any], event: str, told: tuple[Any, ...], facts: Told) -> Waiting | None:
    """Tell them from inside an event loop, which none of them holds up.

    Raises as `tell` does.
    """
    suspending = [handler for handler in handlers if _suspends(handler, event)]
    if len(suspending) < len(handlers):
        # The others here and now, as LangChain does: what they set in the context holds for the step that is told of.
        tell([handler for handler in handlers if not any(handler is one for one in suspending)], event, told, facts)
    if len(suspending) > 1:
        quiet: list[Any] = [_Quiet(handler) for handler in suspending]
        return asyncio.ensure_future(ahandle_event(quiet, event, _IGNORED_BY, *told, **facts))
    try:
        return _telling(suspending[0], event, told, facts) if suspending else None
    except RuntimeError as error:  # the loop has no threads any more
        warn(event, error)
        return None


async def heard(event: str, waiting: Waiting, *, whole: bool) -> None:
    """Wait until they have heard. Cancelled, it goes: with `whole` only when they have heard all the same."""
    try:
        await asyncio.shield(waiting)
    except asyncio.CancelledError as error:
        if whole:
            await _wait_out(waiting)
        _warn_unless_cancelled(event, error)
    except Exception as error:  # noqa: BLE001 - a listener's failure, whatever it is
        warn(event, error)


async def _wait_out(waiting: Waiting) -> None:
    while not waiting.done():
        try:
            await asyncio.wait([waiting])
        except asyncio.CancelledError:
            continue  # the first one is on its way already


def _warn_unless_cancelled(event: str, error: asyncio.CancelledError) -> None:
    """Raise it where it is this task that was cancelled, and not something that a listener waited for."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None  # no loop runs here
    if task is not None and task.cancelling() > 0:
        raise error
    warn(event, error)


def _telling(handler: Any, event: str, told: tuple[Any, ...], facts: Told) -> Waiting:
    # Most often it is one that suspends: LangChain puts two more tasks around its one task or thread.
    if inspect.iscoroutinefunction(getattr(handler, event, None)):
        return asyncio.ensure_future(_heard(handler, event, told, facts))
    telling = partial(tell, [handler], event, told, facts)
    return asyncio.get_running_loop().run_in_executor(None, copy_context().run, telling)


async def _heard(handler: Any, event: str, told: tuple[Any, ...], facts: Told) -> None:
    try:
        await getattr(handler, event)(*told, **facts)
    except Exception as error:  # noqa: BLE001 - a listener's failure, whatever it is
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
