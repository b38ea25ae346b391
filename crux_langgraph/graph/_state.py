"""The state channel in which payloads travel: JSON records by payload id, kept bounded by its reducer."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, cast

from typing_extensions import TypedDict, TypeIs

from crux_langgraph._states import MAPPINGS

Record = dict[str, Any]

ACTIVE_KEY = "active_agent"
"""The state channel that names the agent which a model handed to last."""


def merge_handoffs(left: Mapping[str, Any] | None, right: Mapping[str, Any] | None) -> dict[str, Record]:
    """Merge records into the channel; a record that is None removes what has its id.

    The channel stays bounded: a record replaces those that the same handoff wrote in earlier rounds, and leaves those
    of its own round, the siblings of one fan-out, beside it. A record of an earlier round than one that is already
    there is ignored: it is a stale copy that a subgraph hands back. This happens here and not in the node, because a
    node that was reached by `Send` does not see the channel. It is pure, and what is no record is passed over.
    """
    merged = {key: cast("Record", record) for key, record in _items(left) if _is_record(record)}
    for key, record in _items(right):
        if record is None:
            merged.pop(key, None)
        elif _is_record(record):
            _add(merged, key, dict(record))
    return merged


Handoffs = Annotated[dict[str, Record], merge_handoffs]
"""The annotated channel, for pydantic and dataclass states: `handoffs: Handoffs`, with an empty dict as default."""


def merge_requests(left: Mapping[str, Any] | None, right: Mapping[str, Any] | None) -> dict[str, Record]:
    """Merge requests into their channel, the new ones last; a request that is None removes the one with its key."""
    merged = {key: cast("Record", request) for key, request in _items(left) if _is_record(request)}
    for key, request in _items(right):
        if request is None:
            merged.pop(key, None)
        elif _is_record(request):
            merged[key] = dict(request)
    return merged


def _latest(_: str | None, right: str | None) -> str | None:
    return right


HandoffRequests = Annotated[dict[str, Record] | None, merge_requests]
"""The channel of handoffs that models asked for; pydantic and dataclass states: `handoff_requests: HandoffRequests = None`.

Optional, so that LangGraph leaves it out of a state in which no model asked for anything.
"""

ActiveAgent = Annotated[str | None, _latest]
"""The agent that was handed to last by a model, for pydantic and dataclass states: `active_agent: ActiveAgent = None`."""


class HandoffState(TypedDict, total=False):
    """What a state needs for handoffs: `class State(MessagesState, HandoffState)`."""

    handoffs: Handoffs
    handoff_requests: HandoffRequests
    active_agent: ActiveAgent


def _add(merged: dict[str, Record], key: str, record: Record) -> None:
    others = {other: _order(record, seen) for other, seen in merged.items() if _same_handoff(record, seen)}
    if others and min(others.values()) < 0:
        return
    for other, order in others.items():
        if order > 0:
            del merged[other]
    merged.pop(key, None)
    merged[key] = record


def _items(channel: object) -> Iterable[tuple[str, object]]:
    # A checkpoint that something else wrote may hold anything here, and a reducer that raises locks the thread.
    return cast("Mapping[str, object]", channel).items() if isinstance(channel, MAPPINGS) else ()


def _is_record(value: object) -> TypeIs[Mapping[str, Any]]:
    return isinstance(value, MAPPINGS)


def _same_handoff(record: Record, seen: Record) -> bool:
    return record.get("handoff") == seen.get("handoff")


def _order(record: Record, seen: Record) -> int:
    """Say whether `record` is of a later round than `seen` (1), of the same (0) or of an earlier one (-1).

    A round is the checkpoint id at each level of nesting, and checkpoint ids sort by time, as LangGraph itself relies
    on. Records that went different ways at one checkpoint, for example into parallel subgraphs, are of one round.
    """
    if record.get("round") == seen.get("round"):
        return 0
    mine, theirs = _round(record), _round(seen)
    if not mine or not theirs:
        # One of them was put in by hand, with the graph's input: the one that comes now is the later one.
        return 1 if mine != theirs else 0
    for level in sorted(mine.keys() & theirs.keys(), key=len):
        if mine[level] != theirs[level]:
            return 1 if mine[level] > theirs[level] else -1
    return 0


def _round(record: Record) -> Mapping[str, str]:
    # A key that is no text is left out by its text form, so that whatever stands here can be put in order.
    return {str(level): found for level, found in _items(record.get("round")) if isinstance(found, str)}
