"""What a handoff node takes from the state: a key, a function's answer, or the fields that the input model names."""

from collections.abc import Callable, Mapping
from typing import Any

from langgraph.runtime import get_runtime
from pydantic import BaseModel

from crux_langgraph._crossing import call_user
from crux_langgraph._handoff import Handoff
from crux_langgraph._signature import accepts
from crux_langgraph._waiting import Way
from crux_langgraph.errors import InputError
from crux_langgraph.graph._shape import as_mapping

Read = str | Callable[..., Any] | None


async def read_input(way: Way, handoff: Handoff[Any, Any], read: Read, state: Any, user_state: Any) -> Any:
    """Give what `read` says, unchecked. `state` is what the node got, `user_state` the same as the user's class.

    Raises `InputError` when the state lacks the key or when the user's function raises.
    """
    if callable(read):
        return await _ask(way, handoff, read, user_state)
    values = as_mapping(state)
    if read is None:
        return {name: values[name] for name in field_names(handoff.input_schema) if name in values}
    if values.get(read) is None:
        raise _nothing_at(handoff.id, read, values)
    return values[read]


def field_names(model: type[BaseModel]) -> list[str]:
    """Give the names and aliases under which a model's fields may stand in a state."""
    aliases = [field.alias for field in model.model_fields.values() if field.alias]
    return [*model.model_fields, *aliases]


def _nothing_at(handoff: str, key: str, values: Mapping[str, Any]) -> InputError:
    found = "holds None" if key in values else f"has no such key (it has: {', '.join(sorted(values)) or 'nothing'})"
    return InputError(
        handoff=handoff,
        found=f"it reads the state key {key!r}, and the state {found}",
        fix=f"Let the source node write {key!r}, or give read= another key or a function of the state. For "
        "'structured_response', give the agent a response_format and declare the key in the state.",
    )


async def _ask(way: Way, handoff: Handoff[Any, Any], read: Callable[..., Any], state: Any) -> Any:
    arguments = (state, get_runtime()) if accepts(read, 2) and not accepts(read, 1) else (state,)
    return await call_user(way, handoff.id, InputError, "read", read, *arguments)
