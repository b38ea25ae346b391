"""Messages as a reader wants to see them: what they say and call, without what every one of them carries besides."""

from collections.abc import Mapping
from typing import Any, cast

from langchain_core.messages import BaseMessage

_FIRST = ("type", "name", "content")
_NOISE = frozenset(
    {"additional_kwargs", "response_metadata", "id", "example", "invalid_tool_calls", "tool_call_chunks"}
)


def without_noise(value: Any) -> Any:
    """Give the fields of a message that say something, of a model's answer the messages; any other value as it is."""
    if isinstance(value, BaseMessage):
        return _said(dict(value))
    if not isinstance(value, Mapping):
        return value
    fields = cast("Mapping[str, Any]", value)
    if fields.keys() >= {"lc", "type", "id", "kwargs"}:
        kept: Any = fields["kwargs"]
        return _said(cast("Mapping[str, Any]", kept)) if isinstance(kept, Mapping) else kept
    if fields.keys() >= {"generations", "llm_output", "run"}:
        return {"generations": fields["generations"]}
    if fields.keys() >= {"text", "generation_info", "message"}:
        return without_noise(fields["message"])
    return fields


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    first = {key: fields[key] for key in _FIRST if fields.get(key)}
    return {**first, **{key: item for key, item in fields.items() if item and key not in _NOISE}}
