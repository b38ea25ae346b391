"""The thread of a remote call on its server: derived from where the call stands, so that a repeat finds its run."""

from collections import Counter
from contextvars import ContextVar
from typing import Any
from uuid import UUID, uuid4, uuid5

from langchain_core.runnables import ensure_config
from pydantic_core import to_json

from crux_langgraph._delegate._subagent import Call

_NAMESPACE = UUID("0e9a7a54-6f4e-4b43-8d5c-3f3d3c2b9a61")
_CALLS: ContextVar[tuple[str, Counter[str]] | None] = ContextVar("crux_langgraph_remote_calls", default=None)


def configurable() -> dict[str, Any]:
    """Give the `configurable` of the run around the call; outside of any run it is empty."""
    return dict(ensure_config().get("configurable") or {})


def thread_for(origin: tuple[str, ...], call: Call) -> str:
    """Give the id of the thread for one call of what `origin` names: delegate, address and assistant.

    LangGraph's checkpoint namespace holds the id of the task, which outlives an interrupt, a retry and, where each
    step's checkpoint is durable, the caller's process. A tool call has an id of its own; calls by hand in one node are
    told apart by their arguments, and equal ones by their order. Outside a graph nothing can be repeated: a new thread.
    """
    around = configurable()
    where = around.get("checkpoint_ns")
    if not where:
        return str(uuid4())
    what = getattr(call.runtime, "tool_call_id", None) or _numbered(where, call.arguments.model_dump_json())
    return str(uuid5(_NAMESPACE, to_json([*origin, around.get("thread_id"), where, what]).decode()))


def _numbered(where: str, arguments: str) -> str:
    counted = _CALLS.get()
    if counted is None or counted[0] != where:
        counted = (where, Counter[str]())
        _CALLS.set(counted)
    counted[1][arguments] += 1
    return f"{counted[1][arguments]}:{arguments}"
