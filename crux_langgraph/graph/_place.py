"""Where in a running graph a handoff happens: what its payload id and its round are derived from."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from langgraph.config import get_config
from langgraph.runtime import get_runtime

_ID_BYTES = 16

_SENT = "__pregel_push"
"""What LangGraph writes into a run's metadata, under `langgraph_triggers`, when `Send` and not an edge led to a node."""


class Place(NamedTuple):
    """One task of one graph run. The same task, run again after a failure or on a resume, is the same place."""

    thread_id: str | None
    task: str
    round: Mapping[str, str]
    sent: bool
    """Reached by `Send`: the node got what `Send` carried, and not the state."""

    def payload_id(self, handoff: str) -> str:
        """Derive the id of the payload that this task makes, so that a replay replaces it and never adds another."""
        seed = ascii((self.thread_id, self.task, handoff))
        return f"ho-{blake2b(seed.encode(), digest_size=_ID_BYTES).hexdigest()}"


def current_place() -> Place | None:
    """Give the place of the running node; None when the node is called by hand, outside any graph."""
    info = getattr(current_runtime(), "execution_info", None)
    if info is None:
        return None
    config = get_config()
    task: str = info.checkpoint_ns
    above: Mapping[str, str] = config.get("configurable", {}).get("checkpoint_map") or {}
    sent = _SENT in config.get("metadata", {}).get("langgraph_triggers", ())
    return Place(info.thread_id, task, {**above, task.rpartition("|")[0]: info.checkpoint_id}, sent)


def current_runtime() -> Any:
    """Give the runtime of the running graph; None outside any graph."""
    try:
        runtime: Any = get_runtime()
    except RuntimeError:
        return None
    return runtime
