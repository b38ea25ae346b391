"""Keys: by what a store knows that a send is a repetition."""

import json
from collections import Counter, OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from langgraph.runtime import get_runtime

from crux_langgraph._process import Lock
from crux_langgraph.errors import ScopeError

_MOST_CHARACTERS = 500
_MOST_RUNS = 10_000

_lock = Lock()
_sent: OrderedDict[tuple[Any, ...], Counter[str]] = OrderedDict()


def given_key(handoff: str, key: object) -> str:
    """Give the key that the caller named, as it is stored. Raises `ScopeError` when it is no text."""
    if not isinstance(key, str) or not key:
        raise ScopeError(
            handoff=handoff,
            found=f"send() was given a key that is {'empty' if key == '' else f'a {type(key).__name__}'}",
            fix="Give key= what is the same when this is sent again, as a text: 'order-17'.",
        )
    text = json.dumps(key)
    return f"key {text}" if len(text) <= _MOST_CHARACTERS else f"sha256 {sha256(text.encode()).hexdigest()}"


def task_key(tool_call_id: str | None, text: Callable[[], str]) -> str | None:
    """Give the key of a send inside a graph: of its task, of the tool call if it is known, else of what is sent.

    None outside a graph. A task that runs again, after a failure, an interrupt or a crash, gives the same keys, and
    the nth equal thing that it sends the nth key. What a model words anew each time is another thing: give `key=`.
    """
    try:
        info = getattr(get_runtime(), "execution_info", None)
    except RuntimeError:
        return None
    if info is None:
        return None
    if tool_call_id is not None:
        return f"call {_hashed(info.task_id, tool_call_id)}"
    # What runs again has another attempt or another first time, and counts from the beginning.
    run = (info.task_id, info.node_attempt, info.node_first_attempt_time)
    digest = _hashed(info.task_id, text())
    return f"task {digest} {_count(run, digest)}"


def _hashed(*parts: str) -> str:
    return sha256(json.dumps(parts).encode()).hexdigest()


def _count(run: tuple[Any, ...], digest: str) -> int:
    with _lock:
        counts = _sent.setdefault(run, Counter())
        _sent.move_to_end(run)
        if len(_sent) > _MOST_RUNS:
            _sent.popitem(last=False)
        counts[digest] += 1
        return counts[digest]
