"""Conversations: the recorded ones that ship with the package, and those that a JSON value holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.messages import BaseMessage

from crux_langgraph.cli._messages import Placed, is_object, read_messages
from crux_langgraph.cli._stopping import StopError

_KINDS = (
    (dict, "an object without them"),
    (str, "a text"),
    (bool, "true or false"),
    (int | float, "a number"),
    (object, "null"),
)


@dataclass(frozen=True, slots=True)
class Conversation:
    """What one researching agent left behind. `needed` are values that the work after it is known to use."""

    id: str
    messages: tuple[BaseMessage, ...]
    needed: tuple[str, ...] = ()


def conversations_in(values: Sequence[Placed], name: str) -> list[Conversation]:
    """Read JSON values as conversations: all of them messages of one, or each of them one.

    `name` is what a conversation without an id is called. Raises `StopError` with the place of the first bad value.
    """
    if _is_message(values[0][1]):
        return [Conversation(name, read_messages(values))]
    return [_conversation(place, value, name) for place, value in values]


def _is_message(value: object) -> bool:
    return is_object(value) and "messages" not in value and bool({"role", "type"} & value.keys())


def _conversation(place: str, value: object, name: str) -> Conversation:
    given = value if is_object(value) else {"messages": value}
    messages = given.get("messages")
    if not isinstance(messages, list) or _is_message(value):
        kinds = (told for kind, told in _KINDS if isinstance(value, kind))
        found = "a single message" if _is_message(value) else next(kinds)
        raise StopError(where=place, found=f'expected {{"messages": [...]}} or a list of messages, found {found}')
    if not messages:
        raise StopError(where=place, found="the conversation has no messages")
    of = f"{place}, " if place else ""
    placed = [(f"{of}message {number}", item) for number, item in enumerate(cast("list[Any]", messages), start=1)]
    title = given.get("id")
    return Conversation(
        id=title if isinstance(title, str) and title.strip() else " ".join(filter(None, (name, place))),
        messages=read_messages(placed),
        needed=_texts(given.get("needed")),
    )


def _texts(value: Any) -> tuple[str, ...]:
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return tuple(item for item in items if isinstance(item, str))
