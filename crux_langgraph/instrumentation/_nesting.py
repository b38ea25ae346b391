"""Where in a trace something runs: under another run or not, and as a subagent."""

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import (
    ensure_config,
    get_callback_manager_for_config,
    patch_config,
    var_child_runnable_config,
)
from langsmith import get_current_run_tree

from crux_langgraph.instrumentation._listening import listeners

_TOLD = ("callbacks", "tags", "metadata")


def told_by(config: RunnableConfig | None) -> AbstractContextManager[Any]:
    """Give the block in which a config says who listens: one that a runnable of ours was called with, by whomever.

    The rest of the config around stays: it holds what LangGraph runs.
    """
    around = var_child_runnable_config.get()
    if not config or config is around or not config.get("callbacks"):
        return _NOTHING_NEW
    told = {key: value for key, value in config.items() if key in _TOLD}
    return _inside(cast("RunnableConfig", {**(around or ensure_config()), **told}))


_NOTHING_NEW = nullcontext()


@contextmanager
def _inside(config: RunnableConfig) -> Generator[None]:
    token = var_child_runnable_config.set(config)
    try:
        yield
    finally:
        leave(token)


def leave(token: Any) -> None:
    """Let the config be around again that stood there when `token` was given."""
    try:  # noqa: SIM105 - `suppress` takes three calls, on the way of every run
        var_child_runnable_config.reset(token)
    except ValueError:
        pass  # a flow that the garbage collector closes is closed in another context: there is nothing to reset


def is_inside_a_run() -> bool:
    """Say whether a run that starts here has one around it."""
    callbacks = ensure_config().get("callbacks")
    return getattr(callbacks, "parent_run_id", None) is not None or get_current_run_tree() is not None


@contextmanager
def as_subagent(name: str) -> Generator[None]:
    """Mark every run that starts inside the block as one of the subagent `name`, for LangSmith and for stream readers.

    `ls_agent_type` travels as configurable, where it goes before what the enclosing agent said of itself. Only graphs
    read it from there, so it is given to the tracers here: a bare model is the subagent's too.
    """
    if listeners() is None:
        yield
        return
    config = patch_config(ensure_config(), configurable={"ls_agent_type": "subagent"})
    config["metadata"] = {**config.get("metadata", {}), "lc_agent_name": name}
    config["callbacks"] = get_callback_manager_for_config(config)
    with _inside(config):
        yield
