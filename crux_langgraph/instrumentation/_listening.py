"""Whether anybody listens to our runs: asked before anything is built for them, in a few microseconds."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler, BaseCallbackManager
from langchain_core.globals import get_debug
from langchain_core.runnables.config import RunnableConfig, var_child_runnable_config
from langchain_core.tracers import LangChainTracer
from langchain_core.tracers import context as tracing
from langgraph.config import get_stream_writer
from langgraph.types import StreamWriter
from langsmith.run_helpers import get_tracing_context

from crux_langgraph.instrumentation._settings import current_settings
from crux_langgraph.instrumentation._tracing import is_traced, is_traced_here

# Hooks bring listeners in by context variables (`collect_runs()` does). Core has no public list of them, so without this
# one every run is built and then asked who hears it: slower, and as right.
_HOOKS: Any = getattr(tracing, "_configure_hooks", None)
_TOLD = ("model", "checkpoint_ns")
_SCALARS = (str, int, float, bool)
_EVENTS = ("on_chain_start", "on_chain_end", "on_chain_error")
_NOTHING = {getattr(kind, event) for kind in (BaseCallbackHandler, AsyncCallbackHandler) for event in _EVENTS}


class Listeners(NamedTuple):
    """Who is to be told of a run: callback handlers (tracers too), and the stream of the graph if that was asked for."""

    config: RunnableConfig | None
    """The config of the run around this one; None outside of any."""
    handlers: bool
    is_plain: bool
    """The handlers are those of the config and no others: the environment and the context bring no further one in."""
    stream: StreamWriter | None


def listeners() -> Listeners | None:
    """Give those who listen here and now; None when nobody does."""
    config = var_child_runnable_config.get()
    stream = _stream() if current_settings().stream else None
    if _is_brought_in():
        return Listeners(config, True, False, stream)
    if is_traced():
        return Listeners(config, True, _has_tracer(config, get_tracing_context()), stream)
    if _has_ears(config):
        return Listeners(config, True, True, stream)
    return None if stream is None else Listeners(config, False, True, stream)


def is_unheard(config: RunnableConfig | None) -> bool:
    """Say whether nobody listens to a node of a graph, by the config that it was given; False where that is not sure.

    The environment was asked for listeners when the graph started. What a context brings in may have come since: by the
    caller between two chunks of a stream, or by the node of a user's that calls ours by hand.
    """
    callbacks = config.get("callbacks") if config else None
    if not isinstance(callbacks, BaseCallbackManager) or callbacks.parent_run_id is None or callbacks.handlers:
        return False
    return not (_is_brought_in() or current_settings().stream or is_traced_here())


def _is_brought_in() -> bool:
    return _is_hooked() or tracing.tracing_v2_callback_var.get() is not None or get_debug()


def metadata_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Give the metadata that LangChain gives the runs of a config: with two of the things that it is configured by."""
    metadata: dict[str, Any] = dict(config.get("metadata") or {})
    configurable: Mapping[str, Any] = config.get("configurable") or {}
    for key in _TOLD if configurable else ():
        if isinstance(value := configurable.get(key), str):
            metadata.setdefault(key, value)
    return metadata


def _has_tracer(config: Any, context: Mapping[str, Any]) -> bool:
    """Say whether the config's handlers trace already, for this very run: then LangChain would add nothing to them."""
    callbacks = config.get("callbacks") if config else None
    if not isinstance(callbacks, BaseCallbackManager):
        return False
    around, parent = callbacks.parent_run_id, context["parent"]
    if context["tags"] or context["metadata"] or (parent is not None and parent.id != around):
        return False
    tracers = [handler for handler in callbacks.handlers if isinstance(handler, LangChainTracer)]
    return bool(tracers) and all(str(around) in tracer.run_map and _knows(tracer, config) for tracer in tracers)


def _knows(tracer: LangChainTracer, config: Mapping[str, Any]) -> bool:
    # LangChain gives tracers the scalars in `configurable` as metadata. Those of a graph's run have been given.
    configurable: Mapping[str, Any] = config.get("configurable") or {}
    scalars = [(key, value) for key, value in configurable.items() if isinstance(value, _SCALARS)]
    if not scalars:
        return True
    known = {**(tracer.tracing_metadata or {}), **metadata_of(config)}
    return all(is_same(known.get(key), value) for key, value in scalars if not key.startswith("__"))


def is_same(found: Any, value: Any) -> bool:
    """Say whether two of somebody's metadata are one, without asking what may answer with an array or raise."""
    return found is value or (type(found) is type(value) and type(value) in _SCALARS and found == value)


def _has_ears(config: Any) -> bool:
    callbacks = config.get("callbacks") if config else None
    if not callbacks:
        return False
    return any(map(_hears, callbacks.handlers if isinstance(callbacks, BaseCallbackManager) else callbacks))


def _hears(handler: Any) -> bool:
    """Say whether it does anything when a chain starts or ends: one that counts a model's tokens does not."""
    try:
        if handler.ignore_chain:
            return False
        for event in _EVENTS:
            if getattr(getattr(handler, event, None), "__func__", None) not in _NOTHING:
                return True
    except Exception:  # noqa: BLE001 - a listener whose attributes raise: LangChain logs that as it is told
        return True
    return False


def _is_hooked() -> bool:
    if _HOOKS is None:
        return True
    for variable, _, made_by, environment in _HOOKS:
        handler = variable.get()
        if (handler is not None and _hears(handler)) or (made_by is not None and environment is not None):
            return True
    return False


def _stream() -> StreamWriter | None:
    try:
        return get_stream_writer()
    except (RuntimeError, KeyError):
        return None  # no graph runs here
