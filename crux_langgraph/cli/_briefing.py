"""The demo's handoff: what a researching agent leaves behind, and the brief that an executing agent needs of it."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, cast

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolCall, ToolMessage
from pydantic import BaseModel, Field

from crux_langgraph import Handoff, Payload, Pin, handoff
from crux_langgraph.cli._messages import is_object

RESEARCHER = "researcher"
EXECUTOR = "executor"


class Turn(BaseModel):
    """Something that was said."""

    speaker: Literal["user", "assistant"]
    text: str


class Lookup(BaseModel):
    """A tool call of the researcher with its raw result."""

    tool: str
    arguments: dict[str, Any]
    result: str


class Research(BaseModel):
    """What the researcher leaves behind: the whole conversation and every lookup."""

    turns: list[Turn]
    lookups: list[Lookup]


class Record(BaseModel):
    """What one lookup found, as one readable line per item."""

    tool: str
    arguments: dict[str, Any]
    found: list[str]


class Brief(BaseModel):
    """What the executor needs: the user's own words, what they were told last, who they are, what is on record."""

    request: Annotated[list[str], Field(min_length=1), Pin()]
    last_reply: str | None
    user_id: Annotated[str | None, Pin()]
    records: list[Record]


def brief_from(research: Research) -> Brief:
    """Carry out what the user asks for in `request`, by what `records` hold."""
    records = list(_latest(research.lookups))
    replies = [turn.text for turn in research.turns if turn.speaker == "assistant"]
    return Brief(
        request=[turn.text for turn in research.turns if turn.speaker == "user"],
        last_reply=replies[-1] if replies else None,
        user_id=next(_user_ids(records), None),
        records=[
            Record(tool=lookup.tool, arguments=lookup.arguments, found=_lines(_parsed(lookup.result)))
            for lookup in records
        ],
    )


def make_handoff(max_tokens: int | None) -> Handoff[Research, Brief, Brief]:
    """Make the handoff with a budget of tokens; None for no limit. Raises `DefinitionError` when it is too small."""
    return handoff(
        id="researcher-to-executor",
        from_agent=RESEARCHER,
        to_agent=EXECUTOR,
        max_tokens=max_tokens,
        on_prepare=_measure,
    )(brief_from)


def left_behind(state: Mapping[str, Any]) -> dict[str, Any]:
    """Read the researcher's messages off the state, as the handoff's input."""
    turns: list[dict[str, Any]] = []
    lookups: list[dict[str, Any]] = []
    asked: dict[str | None, ToolCall] = {}
    for message in cast("list[AnyMessage]", state["messages"]):
        match message:
            case AIMessage():
                asked |= {call["id"]: call for call in message.tool_calls}
                turns += _said("assistant", message.text)
            case HumanMessage():
                turns += _said("user", message.text)
            case ToolMessage():
                lookups.append(_lookup(message, asked.get(message.tool_call_id)))
            case _:
                pass  # instructions to the researcher stay with the researcher
    return {"turns": turns, "lookups": lookups}


def _said(speaker: str, text: str) -> list[dict[str, Any]]:
    return [{"speaker": speaker, "text": text}] if text.strip() else []


def _lookup(result: ToolMessage, call: ToolCall | None) -> dict[str, Any]:
    called = call["name"] if call else "tool"
    return {"tool": result.name or called, "arguments": call["args"] if call else {}, "result": result.text}


def _measure(payload: Payload[Any]) -> None:
    # Sizes are counted when first read; what was read by now is in the receipt that crosses.
    _ = payload.receipt.input_tokens, payload.receipt.context_tokens


def _latest(lookups: list[Lookup]) -> Iterator[Lookup]:
    """Give the lookups that found something, each question once with its newest answer."""
    newest = {
        (lookup.tool, json.dumps(lookup.arguments, sort_keys=True)): lookup
        for lookup in lookups
        if lookup.result.strip()
    }
    yield from newest.values()


def _user_ids(lookups: list[Lookup]) -> Iterator[str]:
    for lookup in lookups:
        for source in (lookup.arguments, _parsed(lookup.result)):
            found = source.get("user_id") if is_object(source) else None
            if isinstance(found, str):
                yield found


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _lines(value: Any) -> list[str]:
    items = cast("list[Any]", value) if isinstance(value, list) else [value]
    return [_line(item) for item in items]


def _line(value: Any) -> str:
    """Write a JSON value without the quotes and brackets that a reader can do without."""
    if is_object(value):
        return ", ".join(f"{key} {_nested(item)}" for key, item in value.items())
    if isinstance(value, list):
        return "; ".join(map(_nested, cast("list[Any]", value)))
    return value if isinstance(value, str) else json.dumps(value)


def _nested(value: Any) -> str:
    return f"({_line(value)})" if isinstance(value, dict | list) else _line(value)
