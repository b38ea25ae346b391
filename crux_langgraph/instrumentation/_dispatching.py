"""Telling handlers of one run: its start and its one end, on either way, whatever they raise."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackManager, BaseCallbackHandler, BaseCallbackManager, CallbackManager
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import (
    ensure_config,
    get_async_callback_manager_for_config,
    get_callback_manager_for_config,
)
from langchain_core.tracers import LangChainTracer

from crux_langgraph._waiting import BLOCKING, Way
from crux_langgraph.instrumentation._captured import OUR_TAG
from crux_langgraph.instrumentation._events import Waiting, tell, tell_in_loop, warn
from crux_langgraph.instrumentation._listening import Listeners, metadata_of


class _Quiet:
    """A handler that asked for its errors to be raised, and is not heard in that: a listener never breaks a handoff."""

    raise_error = False

    def __init__(self, handler: BaseCallbackHandler) -> None:
        self._handler = handler

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handler, name)


class Dispatch:
    """One run as handlers hear of it. Nothing here raises but what cancels the task.

    They are told what LangChain's callback managers tell, by the functions that those call themselves: making managers
    for one run copies every list and dict of the one around it four times.
    """

    def __init__(self, way: Way, listeners: Listeners, run_id: UUID, metadata: Mapping[str, Any]) -> None:
        """Find who listens. The metadata is the run's own: its children do not inherit it."""
        config: Any = listeners.config
        above = _around(config) if listeners.is_plain else _configured(way, config)
        self._blocks = way is BLOCKING
        self._above = above
        # Where LangChain was asked, what it gave has those of the config in it.
        self._tags: Sequence[str] = (config.get("tags") or ()) if listeners.is_plain else ()
        self._metadata: Mapping[str, Any] = metadata_of(config) if listeners.is_plain else {}
        self._own_metadata = {**above.metadata, **self._metadata, **metadata}
        self.parent_run_id: UUID | None = above.parent_run_id
        """The run around this one."""
        self._identity: dict[str, Any] = {
            "run_id": run_id,
            "parent_run_id": above.parent_run_id,
            "tags": [*_joined(above.tags, self._tags), OUR_TAG],
        }
        self.handlers: list[Any] = [_Quiet(handler) if handler.raise_error else handler for handler in above.handlers]
        """Those who hear of the run."""
        self.tracers: list[Any] = [
            handler for handler in self.handlers if isinstance(getattr(handler, "run_map", None), dict)
        ]
        """Those of them that keep what they heard until it ends."""
        self._has_begun = False

    @property
    def child(self) -> BaseCallbackManager | None:
        """The manager of the runs below this one; None when it has not begun."""
        if not self._has_begun:
            return None
        above, kind = self._above, CallbackManager if self._blocks else AsyncCallbackManager
        tags = _joined(above.inheritable_tags, self._tags)
        metadata = {**above.inheritable_metadata, **self._metadata}
        return kind(  # of these lists and dicts, none is another's
            handlers=above.inheritable_handlers.copy(),
            inheritable_handlers=above.inheritable_handlers.copy(),
            parent_run_id=self._identity["run_id"],
            tags=tags,
            inheritable_tags=tags.copy(),
            metadata=metadata,
            inheritable_metadata=metadata.copy(),
        )

    async def start(self, name: str, inputs: Any, *, is_alone: bool = False) -> None:
        """Tell of the start. A cancelled start is still told to all, so that its end can be.

        Of a run that `is_alone` LangSmith's tracer sends nothing before it ends.
        """
        told: dict[str, Any] = {**self._identity, "metadata": self._own_metadata, "name": name}
        if is_alone and any(isinstance(tracer, LangChainTracer) for tracer in self.tracers):
            told["defers_inputs"] = True  # LangChain's own way, for inputs that a stream has yet to bring
        self._has_begun = True  # also where this is left by what ends the program: some have heard of it
        self._has_begun = await self._tell(name, self._whole, "on_chain_start", None, inputs, **told)

    async def end(self, outputs: Any) -> None:
        """Tell of the end of a run that did its work, or that was interrupted."""
        await self._finish("on_chain_end", outputs)

    async def fail(self, error: BaseException) -> None:
        """Tell of a run that failed."""
        await self._finish("on_chain_error", error)

    async def _finish(self, event: str, told: Any) -> None:
        if self._has_begun:
            await self._tell(event, asyncio.shield, event, told, **self._identity)

    async def _tell(
        self, what: str, heard: Callable[[Waiting], Awaitable[Any]], event: str, *told: Any, **facts: Any
    ) -> bool:
        """Say whether it could be told."""
        try:
            if self._blocks:
                tell(self.handlers, event, *told, **facts)
            elif waiting := tell_in_loop(self.handlers, event, *told, **facts):
                await heard(waiting)
        except asyncio.CancelledError as error:
            if _is_cancelled():
                raise
            warn(what, error)
        except Exception as error:  # noqa: BLE001 - a listener's failure, whatever it is
            warn(what, error)
            return False
        return True

    async def _whole(self, waiting: Waiting) -> None:
        try:
            await asyncio.shield(waiting)
        except asyncio.CancelledError:
            await _wait_out(waiting)
            self._has_begun = waiting.cancelled() or waiting.exception() is None
            raise


def _is_cancelled() -> bool:
    """Say whether it is this task that was cancelled, and not something that a listener waited for."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return False  # no loop runs here
    return task is not None and task.cancelling() > 0


def _configured(way: Way, config: RunnableConfig | None) -> BaseCallbackManager:
    """Give the manager that LangChain makes of everything around: the environment and the context too."""
    configure: Any = get_callback_manager_for_config if way is BLOCKING else get_async_callback_manager_for_config
    manager: BaseCallbackManager = configure(ensure_config(config))
    return manager


def _around(config: Any) -> BaseCallbackManager:
    """Give the manager of the run around, where nobody listens but the handlers of `config`: a fifth of the time."""
    above = config["callbacks"]
    if isinstance(above, BaseCallbackManager):
        return above
    return CallbackManager(handlers=above, inheritable_handlers=above)


def _joined(tags: Sequence[str], more: Sequence[str]) -> list[str]:
    return [*tags, *(tag for tag in more if tag not in tags)] if more else [*tags]


async def _wait_out(waiting: Waiting) -> None:
    while not waiting.done():
        try:
            await asyncio.wait([waiting])
        except asyncio.CancelledError:
            continue  # the first one is on its way already


def tree_of(tracer: Any, run_id: UUID | None) -> Any:
    """Give the run that a tracer keeps under this id."""
    return tracer.run_map.get(str(run_id))
