"""What a provider accepts as a history, as OpenAI's chat completions words it: each tool call answered once, in place."""

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage, convert_to_openai_messages


def illegal(messages: Sequence[BaseMessage]) -> str | None:
    """Say what a provider would reject in a history of LangChain's messages; None when it is legal."""
    return illegal_bodies(convert_to_openai_messages(list(messages)))


def illegal_bodies(messages: Sequence[dict[str, Any]]) -> str | None:
    """Say what the provider rejects in the messages of a request's body; None when it takes them."""
    if not messages:
        return "[] is too short - 'messages'"
    waiting: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                return "messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
            waiting.remove(message["tool_call_id"])
        elif waiting:
            break
        else:
            waiting = [call["id"] for call in message.get("tool_calls") or ()]
    if waiting:
        return (
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(waiting)}"
        )
    return None
