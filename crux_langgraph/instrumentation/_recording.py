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
from crux_langgraph.instrumentation._dispatching import Dispatch, EndEvent
from crux_langgraph.instrumentation._errors import recorded_error
from crux_langgraph.instrumentation._events import heard, warn
from crux_langgraph.instrumentation._late import mark_interrupted
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

    _told: Listeners | None = None
    """Who listens; None when nobody does, and then nothing else is kept here."""
    _end: End = (dict, dict)
    _has_begun = False
    _id: UUID
    _settings: Settings
    _dispatch: Dispatch | None = None
    _sums: Sums | None = None
    _files: dict[str, bytes] | None = None
    _token: Any = None

    def __init__(self, way: Way, name: str, facts: Facts, *, is_alone: bool = False, unheard: bool = False) -> None:
        """Prepare a run of this name; `facts` are its metadata from the start.

        One that `is_alone` has no code of a user's inside, so it takes no time and nothing hangs below it: LangSmith is
        told of it once, when it ends, for half of what a start and an end cost. Other handlers hear of both. `unheard`:
        it is known that nobody listens.
        """
        told = None if unheard else listeners()
        if told is not None:
            self._told = told
            self._way = way
            self._name = name
            self._facts = facts
            self._is_alone = is_alone
            self._began = perf_counter()

    async def __aenter__(self) -> Self:
        return self

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens, as far as is known."""
        return self._told is not None

    @property
    def link(self) -> dict[str, str]:
        """By what a run that has begun is found again from another trace: its id, and its trace's where LangSmith is told."""
        if self._told is None:
            return {}
        trace_id = self._dispatch.trace_id if self._dispatch else None
        return {"run_id": str(self._id), **({} if trace_id is None else {"trace_id": str(trace_id)})}

    async def start(self, inputs: View) -> None:
        """Begin the run with what it was given."""
        if self._told is None:
            return
        dispatch = self._begin(self._told, inputs)
        if dispatch is None:
            return
        if dispatch.waiting is not None:
            await heard("on_chain_start", dispatch.waiting, whole=True)
        if not self._is_alone:
            self._token = var_child_runnable_config.set(_below(self._told.config, dispatch.child))

    def _begin(self, told: Listeners, inputs: View) -> Dispatch | None:
        self._has_begun = True
        self._id, self._settings = uuid7(), current_settings()
        try:
            dispatch = self._dispatch = Dispatch(self._way, told, self._id, self._facts) if told.handlers else None
        except Exception as error:  # noqa: BLE001 - LangChain refuses to configure: nobody can be told
            self._told = None
            warn(self._name, error)
            return None
        shown = self._shown("input", inputs)
        if told.stream is not None:
            self._write(told.stream, "start", shown)
        if dispatch is not None:
            dispatch.start(self._name, shown, is_alone=self._is_alone)
        return dispatch

    def end(self, outputs: View, facts: Callable[[], Facts] = dict) -> None:
        """Say what the run gives when the block is left without an error."""
        if self._told is not None:
            self._end = (outputs, facts)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._told is None:
            return
        if not self._has_begun:
            await self.start(dict)
        if self._token is not None:
            leave(self._token)
        if not self.is_heard:  # which may be known only now
            return
        facts = {**self._facts, "crux_duration_s": perf_counter() - self._began}
        event, outcome = self._ended(facts) if error is None else self._left(error, facts)
        if self._told.stream is not None:
            self._write_end(self._told.stream, outcome, facts)
        if self._dispatch is not None:
            self._dispatch.end(event, outcome, facts, self._files)
            if self._dispatch.waiting is not None:
                await heard(event, self._dispatch.waiting, whole=False)

    def _ended(self, facts: dict[str, Any]) -> tuple[EndEvent, Facts]:
        outputs, more = self._end
        shown = self._shown("output", outputs)  # before the facts, which may be about it
        try:
            facts |= more()
        except Exception as error:  # noqa: BLE001 - a counter of the user's may raise anything
            facts["crux_facts"] = f"not counted: {type(error).__name__}"
        return "on_chain_end", {**shown, FACTS_KEY: facts}

    def _left(self, error: BaseException, facts: dict[str, Any]) -> tuple[EndEvent, Facts | BaseException]:
        if isinstance(error, GraphBubbleUp):
            facts["crux_status"] = "interrupted" if isinstance(error, GraphInterrupt) else "parent_command"
            if self._dispatch and isinstance(error, GraphInterrupt):
                mark_interrupted(self._dispatch.tracers, self._dispatch.parent_run_id)
            return "on_chain_end", {FACTS_KEY: facts}
        layer = getattr(error, "layer", None) if isinstance(error, CruxError) else None
        if layer is not None:
            facts["crux_layer"] = layer
        return "on_chain_error", recorded_error(error)

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

    def _write_end(self, stream: StreamWriter, outcome: Facts | BaseException, facts: Facts) -> None:
        self._facts = facts
        if isinstance(outcome, BaseException):
            self._write(stream, "error", {"error": repr(outcome), FACTS_KEY: facts})
        else:
            self._write(stream, "end", outcome)

    def _write(self, stream: StreamWriter, event: str, data: Facts) -> None:
        metadata = {**self._facts}  # the reader's own
        told = {FACTS_KEY: self._name, "event": event, "run_id": str(self._id), "metadata": metadata, "data": data}
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
