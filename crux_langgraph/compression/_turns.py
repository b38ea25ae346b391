"""Conversations: what counts as a message, and the few things of it that a receiver is shown."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from crux_langgraph._contract._endless import walked

_TYPES = frozenset({"human", "ai", "system", "tool", "function", "user", "assistant", "developer", "chat"})
_USERS = frozenset({"user", "human"})
_RESULTS = frozenset({"tool", "function"})
_KEYS = frozenset({"role", "type", "name", "content", "tool_calls", "tool_call_id", "id"})
_METADATA = frozenset({"additional_kwargs", "response_metadata", "usage_metadata", "invalid_tool_calls"})
_NAMES = frozenset({str})
_UNSHOWN_BLOCKS = frozenset({"tool_use", "tool_call", "tool_call_chunk", "invalid_tool_call", "function_call"})


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool by a message."""

    id: str | None
    name: str
    args: Any

    def __str__(self) -> str:
        return f"-> {self.name}({json.dumps(self.args, ensure_ascii=False, default=str)})"


@dataclass(slots=True)  # not frozen: ten thousand of them are made for a megabyte, and frozen ones take thrice as long
class Turn:
    """One message: who speaks, the text, the calls it makes and the call that it answers."""

    role: str
    name: str
    content: str
    calls: tuple[Call, ...] = ()
    answers: str | None = None

    @property
    def from_user(self) -> bool:
        """Whether a person wrote it."""
        return self.role in _USERS

    @property
    def is_result(self) -> bool:
        """Whether a tool wrote it."""
        return self.role in _RESULTS

    def __str__(self) -> str:
        body = "\n".join([*([self.content] if self.content else []), *map(str, self.calls)])
        return f"{self.name}: {body}"


class Conversation(tuple[Turn, ...]):
    """Messages in their order. Its text is one `name: content` entry a message, with the calls below."""

    __slots__ = ()

    def __str__(self) -> str:
        return "\n".join(map(str, self))


def conversation_in(value: object, *, strict: bool, plain: Callable[[Any], Any]) -> Conversation | None:
    """Give a list of messages as a conversation; None when it is empty or holds anything else.

    A message is an object with `type` and `content`, as LangChain's are, or a mapping with `role` (or a known `type`)
    and `content`, as providers write them. When `strict`, a mapping with a key of its own is data and not a message.
    `plain` gives what messages hold besides text, and is no JSON, as JSON-like data.
    """
    if not isinstance(value, list | tuple) or not value:
        return None
    turns: list[Turn] = []
    for item in cast("Sequence[object]", value):
        facts = _facts_of(item)
        if facts is None or (strict and not facts.keys() <= _KEYS | _METADATA):
            return None
        turns.append(_turn(facts, plain))
    return Conversation(turns)


def _facts_of(item: object) -> Mapping[str, Any] | None:
    if isinstance(item, Mapping):
        facts = cast("Mapping[str, Any]", item)
        known = isinstance(facts.get("role"), str) or facts.get("type") in _TYPES
        return facts if known and "content" in facts and _is_content(facts["content"]) else None
    if not (isinstance(getattr(item, "type", None), str) and hasattr(item, "model_fields_set")):
        return None
    if not _is_content(getattr(item, "content", 0)):
        return None
    return {
        name: getattr(item, name, None) for name in ("role", "type", "name", "content", "tool_calls", "tool_call_id")
    }


def _is_content(content: object) -> bool:
    return content is None or isinstance(content, str | list)


def _turn(facts: Mapping[str, Any], plain: Callable[[Any], Any]) -> Turn:
    role = str(facts.get("role") or facts.get("type"))
    calls = facts.get("tool_calls")
    answers = facts.get("tool_call_id")
    return Turn(
        role=role,
        name=str(facts.get("name") or role),
        content=_text_of(facts.get("content"), plain),
        calls=tuple(_call(call, plain) for call in cast("list[Any]", calls)) if isinstance(calls, list) else (),
        answers=answers if isinstance(answers, str) else None,
    )


def _text_of(content: Any, plain: Callable[[Any], Any]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(filter(None, (_text_of_block(block, plain) for block in cast("list[Any]", content or ()))))


def _text_of_block(block: Any, plain: Callable[[Any], Any]) -> str:
    """Give a content block as text; calls stand beside the content, and what is no text is named by its type."""
    if not isinstance(block, Mapping):
        return str(block if isinstance(block, str) else plain(block))
    facts = cast("Mapping[str, Any]", block)
    if isinstance(facts.get("text"), str):
        return cast("str", facts["text"])
    kind = facts.get("type")
    return "" if kind in _UNSHOWN_BLOCKS else f"[{kind}]"


def _call(call: Any, plain: Callable[[Any], Any]) -> Call:
    """Read a call as LangChain writes it (`name`, `args`) or as OpenAI does (`function: {name, arguments}`)."""
    outer = cast("Mapping[str, Any]", call if isinstance(call, Mapping) else {"name": str(call)})
    inner = outer.get("function")
    facts = cast("Mapping[str, Any]", inner) if isinstance(inner, Mapping) else outer
    args = facts.get("args", facts.get("arguments", {}))
    call_id = outer.get("id")
    return Call(
        call_id if isinstance(call_id, str) else None,
        str(facts.get("name")),
        _parsed(args if _is_json(args) else plain(args)),
    )


def _parsed(args: Any) -> Any:
    if not isinstance(args, str):
        return args
    try:
        return json.loads(args)
    except (ValueError, RecursionError):
        return args


def _is_json(value: Any) -> bool:
    return all(map(_holds_json, walked(value)))


def _holds_json(holder: Any) -> bool:
    return type(holder) is list or (
        type(holder) is dict and _NAMES.issuperset(map(type, cast("dict[Any, Any]", holder)))
    )
