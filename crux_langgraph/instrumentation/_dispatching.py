"""Telling handlers of one run: its start and its one end, on either way, whatever they raise."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackManager, BaseCallbackManager, CallbackManager
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import (
    ensure_config,
    get_async_callback_manager_for_config,
    get_callback_manager_for_config,
)
from langchain_core.tracers import LangChainTracer

from crux_langgraph._waiting import BLOCKING, Way
from crux_langgraph.instrumentation._captured import OUR_TAG
from crux_langgraph.instrumentation._events import Tell, Waiting, tell, tell_in_loop
from crux_langgraph.instrumentation._late import add_metadata, attach, tree_of
from crux_langgraph.instrumentation._listening import Listeners, metadata_of
from crux_langgraph.instrumentation._posting import Post, posts

EndEvent = Literal["on_chain_end", "on_chain_error"]


class Dispatch:
    """One run as handlers hear of it. Nothing here raises but what cancels the task.

    They are told what LangChain's callback managers tell: making managers for one run copies every list and dict of the
    one around it four times.
    """

    # Where LangChain was asked, what it gave has those of the config in it.
    _tags: Sequence[str] = ()
    _metadata: Mapping[str, Any] = MappingProxyType({})
    _has_begun = False
    _posts: Sequence[Post] = ()
    waiting: Waiting | None = None
    """What to wait for until all have heard of the last event; None where they have."""

    def __init__(self, way: Way, listeners: Listeners, run_id: UUID, metadata: Mapping[str, Any]) -> None:
        """Find who listens. The metadata is the run's own: its children do not inherit it."""
        self._way = way
        if listeners.is_plain:
            config: Any = listeners.config
            callbacks = config["callbacks"]
            above = callbacks if isinstance(callbacks, BaseCallbackManager) else _Outside(callbacks)
            self._tags, self._metadata = config.get("tags") or (), metadata_of(config)
        else:
            above = _configured(way, listeners.config)
        self._above = above
        self._own_metadata = {**above.metadata, **self._metadata, **metadata}
        self.parent_run_id: UUID | None = above.parent_run_id
        """The run around this one."""
        self._identity: dict[str, Any] = {
            "run_id": run_id,
            "parent_run_id": above.parent_run_id,
            "tags": [*_joined(above.tags, self._tags), OUR_TAG],
        }
        self._tell: Tell = tell if way is BLOCKING else tell_in_loop
        self._handlers: list[Any] = [*above.handlers]
        self.tracers: list[Any] = [
            handler for handler in self._handlers if isinstance(getattr(handler, "run_map", None), dict)
        ]
        """Those who keep what they heard of a run until it ends."""
        self._keeping = self.tracers
        """Those of them who keep this run."""

    @property
    def trace_id(self) -> UUID | None:
        """The id of the trace that the run is in; None where LangSmith is not told."""
        run_id = self._identity["run_id"]
        trees = (tree_of(tracer, run_id) or tree_of(tracer, self.parent_run_id) for tracer in self.tracers)
        return next((tree.trace_id for tree in trees if tree is not None), None)

    @property
    def child(self) -> BaseCallbackManager:
        """The manager of the runs below this one, once it has begun."""
        above, kind = self._above, CallbackManager if self._way is BLOCKING else AsyncCallbackManager
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

    def start(self, name: str, inputs: Any, *, is_alone: bool = False) -> None:
        """Tell of the start. Of a run that `is_alone` LangSmith is told when it ends: of both at once."""
        told = {**self._identity, "metadata": self._own_metadata, "name": name}
        if is_alone and self.tracers:
            self._posts = posts(self.tracers, self._identity, self._own_metadata, name, inputs)
            if self._posts:
                posted = [id(post.tracer) for post in self._posts]
                self._handlers = [handler for handler in self._handlers if id(handler) not in posted]
                self._keeping = [tracer for tracer in self.tracers if id(tracer) not in posted]
            if any(isinstance(handler, LangChainTracer) for handler in self._handlers):
                told["defers_inputs"] = True  # LangChain's own way, for inputs that a stream has yet to bring
        self._has_begun = True  # also where this is left by what ends the program: some have heard of it
        self.waiting = self._tell(self._handlers, "on_chain_start", (None, inputs), told)

    def end(self, event: EndEvent, outcome: Any, facts: Mapping[str, Any], files: Mapping[str, bytes] | None) -> None:
        """Tell of the end: of what the run gave, where it did its work or was interrupted, or of the error it failed by.

        LangSmith gets the facts and the files as well, which are known at the end only.
        """
        if not self._has_begun:
            self.waiting = None
            return
        for post in self._posts:
            post.send(outcome, facts, files)
        if self._keeping:
            run_id = self._identity["run_id"]
            add_metadata(self._keeping, run_id, facts)
            if files:
                attach(self._keeping, run_id, files)
        self.waiting = self._tell(self._handlers, event, (outcome,), self._identity)


def _configured(way: Way, config: RunnableConfig | None) -> BaseCallbackManager:
    """Give the manager that LangChain makes of everything around: the environment and the context too."""
    configure: Any = get_callback_manager_for_config if way is BLOCKING else get_async_callback_manager_for_config
    manager: BaseCallbackManager = configure(ensure_config(config))
    return manager


class _Outside:
    """What stands for the manager of the run around, where there is none."""

    parent_run_id: UUID | None = None
    tags: Sequence[str] = ()
    inheritable_tags: Sequence[str] = ()
    metadata: Mapping[str, Any] = MappingProxyType({})
    inheritable_metadata: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, handlers: list[Any]) -> None:
        self.handlers = self.inheritable_handlers = handlers


def _joined(tags: Sequence[str], more: Sequence[str]) -> list[str]:
    return [*tags, *(tag for tag in more if tag not in tags)] if more else [*tags]
