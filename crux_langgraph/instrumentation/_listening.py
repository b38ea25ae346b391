"""Whether anybody listens to our runs: asked before anything is built for them, in a few microseconds."""

from typing import Any, NamedTuple, cast

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.globals import get_debug
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tracers import context as tracing
from langgraph.runtime import Runtime, get_runtime
from langgraph.types import StreamWriter
from langsmith import utils as langsmith

# Hooks bring listeners in by context variables (`collect_runs()` does). Core has no public list of them, so without this
# one every run is built and then asked who hears it: slower, and as right.
_HOOKS: Any = getattr(tracing, "_configure_hooks", None)
_NOBODY_READS = cast("Any", Runtime)().stream_writer


class Listeners(NamedTuple):
    """Who is to be told of a run: callback handlers (tracers too), and the stream of the graph if it was asked for."""

    handlers: bool
    stream: StreamWriter | None


def listeners() -> Listeners | None:
    """Give those who listen here and now; None when nobody does."""
    config = var_child_runnable_config.get()
    stream = _stream() if config is not None else None
    is_heard = _has_ears(config) or _is_hooked() or tracing.tracing_v2_callback_var.get() is not None
    if is_heard or cast("Any", langsmith).tracing_is_enabled() or get_debug():
        return Listeners(True, stream)
    return None if stream is None else Listeners(False, stream)


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
    """Give the writer of the graph's stream where a caller reads it with `stream_mode="custom"`."""
    try:
        runtime = cast("Any", get_runtime())
    except (RuntimeError, KeyError):
        return None
    writer = getattr(runtime, "stream_writer", None)
    return None if writer is _NOBODY_READS else writer
