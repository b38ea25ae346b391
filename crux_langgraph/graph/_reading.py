"""What a handoff node takes from the state: a key, a function's answer, or the fields that the input model names."""

from collections.abc import Callable, Mapping
from typing import Any

from crux_langgraph._contract import keys_of
from crux_langgraph._crossing import call_user
from crux_langgraph._handoff import Handoff
from crux_langgraph._waiting import Way
from crux_langgraph.errors import InputError
from crux_langgraph.graph._asking import with_second
from crux_langgraph.graph._place import current_runtime
from crux_langgraph.graph._shape import as_mapping
from crux_langgraph.graph._types import converts

Read = str | Callable[..., Any] | None


async def read_input(way: Way, handoff: Handoff[Any, Any], read: Read, state: Any, user_state: Any) -> Any:
    """Give what `read` says, unchecked. `state` is what the node got, `user_state` the same as the user's class.

    Raises `InputError` when the state lacks the key or when the user's function raises.
    """
    if callable(read):
        function = with_second(read, "runtime", current_runtime())
        return await call_user(way, handoff.id, InputError, "read", function, user_state)
    values = as_mapping(state)
    if read is None:
        return _matching(handoff, values)
    if values.get(read) is None:
        raise _nothing_at(handoff.id, read, values)
    return values[read]


def _matching(handoff: Handoff[Any, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    model = handoff.input_schema
    keys = keys_of(model)
    if not converts(model):
        for name, field in model.model_fields.items():
            if field.is_required() and values.keys().isdisjoint(keys[name]):
                raise _nothing_at(handoff.id, name, values)
    return {key: values[key] for names in keys.values() for key in names if key in values}


def _nothing_at(handoff: str, key: str, values: Mapping[str, Any]) -> InputError:
    found = "holds None" if key in values else f"has no such key (it has: {', '.join(sorted(values)) or 'nothing'})"
    return InputError(
        handoff=handoff,
        found=f"it reads the state key {key!r}, and the state {found}",
        fix=f"Let the source node write {key!r}, or give read= another key or a function of the state. For "
        "'structured_response', give the agent a response_format and declare the key in the state.",
    )
