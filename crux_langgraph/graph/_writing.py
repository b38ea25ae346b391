"""What a handoff node writes: the record in the channel always, and on request the brief as a message, or more."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, cast

from langchain_core.messages import BaseMessage, HumanMessage, RemoveMessage

from crux_langgraph._crossing import call_user
from crux_langgraph._payload import HANDOFFS_KEY, Payload
from crux_langgraph._signature import name_of
from crux_langgraph._waiting import Way
from crux_langgraph.errors import InputError, OutputError
from crux_langgraph.graph._asking import with_second
from crux_langgraph.graph._hops import Origin
from crux_langgraph.graph._place import Place
from crux_langgraph.graph._running import MESSAGES_KEY
from crux_langgraph.graph._shape import as_mapping

Write = Literal["messages"] | Callable[..., Any] | None
History = Literal["keep", "replace"]


def record_of(
    envelope: dict[str, Any], state: Any, place: Place | None, origin: Origin, to: str | None
) -> dict[str, Any]:
    """Give what the channel keeps of a payload: its envelope, the path of hops, and where, when and to whom it crossed."""
    return {
        **envelope,
        **origin.to_json(),
        "to": to,
        "last_message_id": _last_id(as_mapping(state).get(MESSAGES_KEY)),
        "round": dict(place.round) if place else {},
    }


def brief_messages(payload: Payload[Any], state: Any, history: History) -> list[BaseMessage]:
    """Give the brief as a human message, after the removal of all older messages when it replaces them.

    Each older message is removed by id, behind an empty stand-in with that id: removing twice is then no error, so
    two handoffs of one superstep keep each other's brief, which `REMOVE_ALL_MESSAGES` would not.
    """
    brief = HumanMessage(content=payload.context, id=payload.id)
    if history == "keep":
        return [brief]
    older = as_mapping(state).get(MESSAGES_KEY)
    if older is None:
        raise InputError(
            handoff=payload.handoff,
            found="history='replace' removes the messages in the state, and the node was sent a state without them",
            fix="Send them too: Send(node, {..., 'messages': state['messages']}), or use history='keep'.",
        )
    ids = [key for key in _message_ids(older) if key]
    removals = [part for key in ids for part in (HumanMessage(content="", id=key), RemoveMessage(id=key))]
    return [*removals, brief]


def _last_id(messages: object) -> str | None:
    if messages is None:
        return None
    ids = _message_ids(cast("list[object]", messages)[-1:] if isinstance(messages, list) else messages)
    return ids[-1] if ids else None


def _message_ids(messages: object) -> list[str | None]:
    # What `Send` carried was not read from the channel: messages may be mappings, or one message without a list.
    given = cast("list[object]", messages) if isinstance(messages, list) else [messages]
    return [_message_id(message) for message in given if message is not None]


def _message_id(message: object) -> str | None:
    if isinstance(message, Mapping):
        return cast("Mapping[str, Any]", message).get("id")
    return getattr(message, "id", None)


async def further_updates(way: Way, write: Callable[..., Any], payload: Payload[Any], state: Any) -> dict[str, Any]:
    """Give what the user's `write` function adds to the update. Raises `OutputError` when it is no such thing."""
    function = with_second(write, "state", state)
    updates: object = await call_user(way, payload.handoff, OutputError, "write", function, payload)
    if updates is None:
        return {}
    if isinstance(updates, Mapping) and HANDOFFS_KEY not in updates:
        return dict(cast("Mapping[str, Any]", updates))
    found = (
        f"the key {HANDOFFS_KEY!r}, which is the node's own" if isinstance(updates, Mapping) else _type_name(updates)
    )
    raise OutputError(
        handoff=payload.handoff,
        found=f"its write function {name_of(write)}() gave {found}",
        fix="Return a mapping of other state keys to their updates. Nothing was handed over.",
    )


def _type_name(value: object) -> str:
    return type(value).__name__
