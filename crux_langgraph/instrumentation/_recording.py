"""One step as a run: opened under whatever run is around it, ended exactly once, and free when nobody listens."""

from collections.abc import Callable, Mapping
from sys import maxsize
from time import perf_counter
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import patch_config, var_child_runnable_config
from langchain_core.utils.uuid import uuid7
from langgraph.errors import GraphBubbleUp, GraphInterrupt
from langgraph.types import StreamWriter

from crux_langgraph._waiting import Way
from crux_langgraph.errors import CruxError
from crux_langgraph.instrumentation._dispatching import Dispatch, tree_of
from crux_langgraph.instrumentation._errors import recorded_error
from crux_langgraph.instrumentation._events import warn
from crux_langgraph.instrumentation._late import add_metadata, attach, mark_interrupted
from crux_langgraph.instrumentation._listening import Listeners, listeners
from crux_langgraph.instrumentation._nesting import leave
from crux_langgraph.instrumentation._settings import Settings, current_settings
from crux_langgraph.instrumentation._sizes import Sized, json_bytes
from crux_langgraph.instrumentation._views import Sums, capped

Facts = Mapping[str, Any]
View = Callable[[], Mapping[str, Any] | Sized]

End = tuple[View, Callable[[], Facts]]

FACTS_KEY = "crux"


class Recording:
    """One run around a block of a flow, on either way:

        async with Recording(way, "handoff:send", {"crux_handoff_id": self.id}) as run:
            await run.start(lambda: {"input": contract.shown(data)})   # the run begins; before it nothing is told
            ...                                                        # models and graphs here hang below it
            run.end(lambda: {"output": ...}, lambda: {"crux_tier": ...})

    Views and facts are asked for when somebody listens, and at no other time. They must be masked already (`shown` of a
    contract does that); they are capped here, and one that fails is recorded as that. Leaving a block
    that has not begun its run begins it. An error ends it as an error, by a copy that holds
    neither causes nor values; interrupts and parent commands end it with `crux_status`, since they are no errors. No
    listener's error leaves this class.
    """

    _end: End = (dict, dict)
    _run: "_Run | None" = None

    def __init__(self, way: Way, name: str, facts: Facts, *, is_alone: bool = False, unheard: bool = False) -> None:
        """Prepare a run of this name; `facts` are its metadata from the start.

        One that `is_alone` has no code of a user's inside, so it takes no time and nothing hangs below it: LangSmith is
        told of it once, when it ends, for half of what a start and an end cost. Other handlers hear of both. `unheard`:
        it is known that nobody listens.
        """
        told = None if unheard else listeners()
        if told is not None:  # nothing else is asked for where nobody listens
            self._run = _Run(way, name, facts, told, is_alone=is_alone)

    async def __aenter__(self) -> Self:
        return self

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens."""
        return self._run is not None and self._run.is_heard

    @property
    def link(self) -> dict[str, str]:
        """By what a run that has begun is found again from another trace: its id, and its trace's where LangSmith is told."""
        return self._run.link() if self._run is not None and self._run.is_heard else {}

    async def start(self, inputs: View) -> None:
        """Begin the run with what it was given."""
        if self._run is not None:
            await self._run.start(inputs)

    def end(self, outputs: View, facts: Callable[[], Facts] = dict) -> None:
        """Say what the run gives when the block is left without an error."""
        if self._run is not None:
            self._end = (outputs, facts)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._run is not None:
            await self._run.stop(error, self._end)


class _Run:
    is_heard = True
    """Whether anybody listens, as far as is known."""

    _has_begun = False
    _id: UUID
    _settings: Settings
    _dispatch: Dispatch | None = None
    _sums: Sums | None = None
    _files: dict[str, bytes] | None = None
    _token: Any = None

    def __init__(self, way: Way, name: str, facts: Facts, told: Listeners, *, is_alone: bool) -> None:
        self._way = way
        self._name = name
        self._facts: dict[str, Any] = {**facts}
        self._told = told
        self._is_alone = is_alone
        self._began = perf_counter()

    async def start(self, inputs: View) -> None:
        self._has_begun = True
        told, self._id, self._settings = self._told, uuid7(), current_settings()
        try:
            dispatch = self._dispatch = Dispatch(self._way, told, self._id, self._facts) if told.handlers else None
        except Exception as error:  # noqa: BLE001 - LangChain refuses to configure: nobody can be told
            self.is_heard = False
            warn(self._name, error)
            return
        shown = self._shown("input", inputs)
        if told.stream is not None:
            self._write(told.stream, "start", shown)
        if dispatch is not None:
            await dispatch.start(self._name, shown, is_alone=self._is_alone)
            if not self._is_alone:
                self._token = var_child_runnable_config.set(_below(told.config, dispatch.child))

    def link(self) -> dict[str, str]:
        tracers = self._dispatch.tracers if self._dispatch else ()
        traces = [tree.trace_id for tracer in tracers if (tree := tree_of(tracer, self._id)) is not None]
        return {"run_id": str(self._id), **({"trace_id": str(traces[0])} if traces else {})}

    async def stop(self, error: BaseException | None, end: End) -> None:
        if not self._has_begun:
            await self.start(dict)
        if self._token is not None:
            leave(self._token)
        if not self.is_heard:
            return
        # A new dict: who was told of the start keeps that one.
        self._facts = {**self._facts, "crux_duration_s": perf_counter() - self._began}
        if error is None:
            await self._close(self._given(*end))
        elif isinstance(error, GraphBubbleUp):
            await self._interrupted(error)
        else:
            await self._failed(error)

    def _given(self, outputs: View, facts: Callable[[], Facts]) -> Facts:
        shown = self._shown("output", outputs)  # before the facts, which may be about it
        self._facts.update(self._asked(facts))
        return {**shown, FACTS_KEY: self._facts}

    async def _interrupted(self, signal: GraphBubbleUp) -> None:
        self._facts["crux_status"] = "interrupted" if isinstance(signal, GraphInterrupt) else "parent_command"
        if self._dispatch and isinstance(signal, GraphInterrupt):
            mark_interrupted(self._dispatch.tracers, self._dispatch.parent_run_id)
        await self._close({FACTS_KEY: self._facts})

    async def _failed(self, error: BaseException) -> None:
        layer = getattr(error, "layer", None) if isinstance(error, CruxError) else None
        if layer is not None:
            self._facts["crux_layer"] = layer
        told = recorded_error(error)
        if self._told.stream is not None:
            self._write(self._told.stream, "error", {"error": repr(told), FACTS_KEY: self._facts})
        if self._dispatch:
            self._add_late(self._dispatch.tracers)
            await self._dispatch.end("on_chain_error", told)

    async def _close(self, outputs: Facts) -> None:
        if self._told.stream is not None:
            self._write(self._told.stream, "end", outputs)
        if self._dispatch is not None:
            self._add_late(self._dispatch.tracers)
            await self._dispatch.end("on_chain_end", outputs)

    def _add_late(self, tracers: list[Any]) -> None:
        if not tracers:
            return
        add_metadata(tracers, self._id, self._facts)
        if self._files:
            attach(tracers, self._id, self._files)

    def _shown(self, side: str, view: View) -> Facts:
        settings = self._settings
        try:
            made = view()
            whole, most_bytes = made if isinstance(made, Sized) else (made, maxsize)
            if settings.attachments:
                self._files = {**(self._files or {}), side: json_bytes(whole)}
            return whole if most_bytes <= settings.view_bytes else self._capped(whole)
        except Exception as error:  # noqa: BLE001 - a serializer of the user's may raise anything
            return {side: f"[not shown: {type(error).__name__} while it was written]"}

    def _capped(self, whole: Facts) -> Facts:
        self._sums = self._sums or Sums()
        shown: Facts = capped(whole, self._settings.view_bytes, sums=self._sums)
        return shown

    def _asked(self, facts: Callable[[], Facts]) -> Facts:
        try:
            return facts()
        except Exception as error:  # noqa: BLE001 - a counter of the user's may raise anything
            return {"crux_facts": f"not counted: {type(error).__name__}"}

    def _write(self, stream: StreamWriter, event: str, data: Facts) -> None:
        told = {FACTS_KEY: self._name, "event": event, "run_id": str(self._id), "metadata": self._facts, "data": data}
        try:
            stream(told)
        except Exception as error:  # noqa: BLE001 - the reader of a stream may be gone
            warn(self._name, error)


def _below(config: RunnableConfig | None, child: BaseCallbackManager) -> RunnableConfig:
    if config is None:
        return patch_config(None, callbacks=child)
    # As `patch_config` does, without the copies: a name and an id are of the run that this config was made for.
    below: RunnableConfig = {**config, "callbacks": child}
    below.pop("run_name", None)
    below.pop("run_id", None)
    return below
