"""Telling handlers of one run: its start and its one end, in either kind of callback manager, whatever they raise."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackManager, BaseCallbackHandler, BaseCallbackManager, CallbackManager
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import (
    ensure_config,
    get_async_callback_manager_for_config,
    get_callback_manager_for_config,
)

from crux_langgraph._waiting import BLOCKING, Way
from crux_langgraph.instrumentation._captured import OUR_TAG
from crux_langgraph.instrumentation._listening import Listeners, metadata_of

_log = logging.getLogger("crux_langgraph")


class _Quiet:
    """A handler that asked for its errors to be raised, and is not heard in that: a listener never breaks a handoff."""

    raise_error = False

    def __init__(self, handler: BaseCallbackHandler) -> None:
        self._handler = handler

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handler, name)


class Dispatch:
    """One run as the callback managers see it. Nothing here raises but what cancels the task."""

    def __init__(self, way: Way, listeners: Listeners, metadata: Mapping[str, Any]) -> None:
        """Find who listens. The metadata is the run's own: its children do not inherit it."""
        manager = _inherited(way, listeners.config) if listeners.is_plain else _configured(way, listeners.config)
        manager.metadata.update(metadata)
        manager.tags.append(OUR_TAG)
        manager.handlers = [_Quiet(handler) if handler.raise_error else handler for handler in manager.handlers]
        self._manager = manager
        self._blocks = way is BLOCKING
        self._run: Any = None

    @property
    def handlers(self) -> list[Any]:
        """Those who hear of the run."""
        return cast("list[Any]", self._manager.handlers)

    @property
    def parent_run_id(self) -> UUID | None:
        """The run around this one."""
        return cast("UUID | None", self._manager.parent_run_id)

    @property
    def child(self) -> BaseCallbackManager | None:
        """The manager of the runs below this one; None when it has not begun."""
        if self._run is None:
            return None
        above: Any = self._manager
        kind: Callable[..., BaseCallbackManager] = above.__class__
        return kind(
            handlers=above.inheritable_handlers.copy(),
            inheritable_handlers=above.inheritable_handlers,
            parent_run_id=self._run.run_id,
            tags=above.inheritable_tags.copy(),
            inheritable_tags=above.inheritable_tags,
            metadata=above.inheritable_metadata.copy(),
            inheritable_metadata=above.inheritable_metadata,
        )

    async def start(self, run_id: UUID, name: str, inputs: Any) -> None:
        """Tell of the start. A cancelled start is still told to all, so that its end can be."""
        try:
            started = self._manager.on_chain_start(None, inputs, run_id=run_id, name=name)
            self._run = started if self._blocks else await self._whole(started)
        except Exception as error:  # noqa: BLE001 - a listener's failure, whatever it is
            warn(name, error)

    async def end(self, outputs: Any) -> None:
        """Tell of the end of a run that did its work, or that was interrupted."""
        await self._tell("on_chain_end", outputs)

    async def fail(self, error: BaseException) -> None:
        """Tell of a run that failed."""
        await self._tell("on_chain_error", error)

    async def _tell(self, event: str, told: Any) -> None:
        run, self._run = self._run, None
        if run is None:
            return
        try:
            telling = getattr(run, event)(told)
            if not self._blocks:
                await telling
        except Exception as error:  # noqa: BLE001 - as in start
            warn(event, error)

    async def _whole(self, starting: Awaitable[Any]) -> Any:
        if not any(map(_suspends, self.handlers)):
            return await starting
        task = asyncio.ensure_future(starting)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await _wait_out(task)
            self._run = task.result()
            raise


def _configured(way: Way, config: RunnableConfig | None) -> Any:
    """Give the manager that LangChain makes of everything around: the environment and the context too."""
    configure = get_callback_manager_for_config if way is BLOCKING else get_async_callback_manager_for_config
    return configure(ensure_config(config))


def _inherited(way: Way, config: Any) -> Any:
    """Give the same where nobody listens but the handlers of `config`: a fifth of the time."""
    above = config["callbacks"]
    kind = CallbackManager if way is BLOCKING else AsyncCallbackManager
    tags: Any = config.get("tags") or ()
    metadata = metadata_of(config)
    if not isinstance(above, BaseCallbackManager):
        above = kind(handlers=above, inheritable_handlers=above)
    return kind(
        handlers=above.handlers.copy(),
        inheritable_handlers=above.inheritable_handlers.copy(),
        parent_run_id=above.parent_run_id,
        tags=[*above.tags, *(tag for tag in tags if tag not in above.tags)],
        inheritable_tags=[*above.inheritable_tags, *(tag for tag in tags if tag not in above.inheritable_tags)],
        metadata={**above.metadata, **metadata},  # of these two dicts and four lists, none is another's
        inheritable_metadata={**above.inheritable_metadata, **metadata},
    )


def _suspends(handler: Any) -> bool:
    return not handler.run_inline or inspect.iscoroutinefunction(handler.on_chain_start)


async def _wait_out(task: "asyncio.Future[Any]") -> None:
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            continue  # the first one is on its way already


def warn(what: str, error: BaseException) -> None:
    """Log that a listener failed; by type alone, since its words may quote what it was told."""
    _log.warning("A listener failed at %s: %s", what, type(error).__name__)


def tree_of(handler: Any, run_id: UUID | None) -> Any:
    """Give the run that a tracer keeps under this id; None for other handlers."""
    runs: Any = getattr(handler, "run_map", None)
    return runs.get(str(run_id)) if runs else None
