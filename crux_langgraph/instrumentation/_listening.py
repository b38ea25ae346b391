"""Whether anybody listens to our runs: asked before anything is built for them, in a few microseconds."""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.globals import get_debug
from langchain_core.runnables.config import RunnableConfig, var_child_runnable_config
from langchain_core.tracers import context as tracing
from langgraph.config import get_stream_writer
from langgraph.types import StreamWriter
from langsmith import utils

from crux_langgraph.instrumentation._settings import current_settings

# Hooks bring listeners in by context variables (`collect_runs()` does). Core has no public list of them, so without this
# one every run is built and then asked who hears it: slower, and as right.
_is_tracing: Callable[[], object] = cast("Any", utils).tracing_is_enabled
_HOOKS: Any = getattr(tracing, "_configure_hooks", None)


class Listeners(NamedTuple):
    """Who is to be told of a run: callback handlers (tracers too), and the stream of the graph if that was asked for."""

    config: RunnableConfig | None
    """The config of the run around this one; None outside of any."""
    handlers: bool
    is_plain: bool
    """The handlers are those of the config and no others: no tracer comes in by the environment or the context."""
    stream: StreamWriter | None


def listeners() -> Listeners | None:
    """Give those who listen here and now; None when nobody does."""
    config = var_child_runnable_config.get()
    stream = _stream() if current_settings().stream else None
    is_called = _is_hooked() or tracing.tracing_v2_callback_var.get() is not None or get_debug()
    if is_called or _is_tracing():
        return Listeners(config, True, False, stream)
    if _has_ears(config):
        return Listeners(config, True, True, stream)
    return None if stream is None else Listeners(config, False, True, stream)


def _has_ears(config: Any) -> bool:
    callbacks = config.get("callbacks") if config else None
    handlers = callbacks.handlers if isinstance(callbacks, BaseCallbackManager) else callbacks
    return any(not handler.ignore_chain for handler in handlers or ())


def _is_hooked() -> bool:
    if _HOOKS is None:
        return True
    for variable, _, made_by, environment in _HOOKS:
        handler = variable.get()
        if (handler is not None and not handler.ignore_chain) or (made_by is not None and environment is not None):
            return True
    return False


def _stream() -> StreamWriter | None:
    try:
        return get_stream_writer()
    except (RuntimeError, KeyError):
        return None  # no graph runs here
