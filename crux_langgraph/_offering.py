"""Offering a handoff to a model as a tool: its name, its description, and the arguments that the model fills."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NoReturn

from pydantic import BaseModel, RootModel, create_model

from crux_langgraph._contract import keys_of
from crux_langgraph._defining import checked_tool_name
from crux_langgraph._handoff_tool import HandoffOwner, HandoffTool
from crux_langgraph._requesting import tool_name_of
from crux_langgraph.errors import DefinitionError

_RESERVED = frozenset({"callbacks", "config", "run_manager", "runtime"})
"""Arguments that LangChain takes for itself."""


def offer(
    handoff: HandoffOwner, *, name: str | None, description: str | None, fields: Sequence[str] | None
) -> HandoffTool:
    """Make the tool, or raise `DefinitionError` for what no model could call."""
    if name is None and handoff.to_agent is None:
        _refuse(handoff, "it names no to_agent, after which its tool would be called", "Give to_agent=, or name= here.")
    named = checked_tool_name(handoff.id, tool_name_of(handoff.to_agent) if name is None else name)
    told = handoff.description if description is None else description
    if not told.strip():
        _refuse(handoff, "nothing tells a model when to hand over", "Give it a docstring, or description= here.")
    filled = _filled(handoff, fields)
    return HandoffTool.of(
        handoff,
        name=named,
        description=told,
        args_schema=_part(handoff.input_schema, filled),
        read=_keys_besides(handoff.input_schema, filled),
    )


def _filled(handoff: HandoffOwner, fields: Sequence[str] | None) -> list[str]:
    """Give the fields that the model fills, in the order of the input model."""
    model = handoff.input_schema
    if issubclass(model, RootModel):
        _refuse(
            handoff,
            f"its input {model.__name__} is a RootModel, which no tool takes as its arguments",
            "Give it named fields: a BaseModel.",
        )
    known = list(model.model_fields)
    asked: Collection[Any] = known if fields is None else fields
    strangers = [name for name in asked if name not in known]
    if isinstance(fields, str) or strangers or (fields is not None and not fields):
        _refuse(
            handoff,
            f"fields={fields!r} are not fields of its input {model.__name__}",
            f"Name some of these: {', '.join(known)}.",
        )
    taken = sorted(_RESERVED.intersection(asked))
    if taken:
        _refuse(
            handoff,
            f"its input {model.__name__} has the reserved field {', '.join(taken)}",
            "Rename it, or leave it to the state with fields=: LangChain fills arguments of that name itself.",
        )
    return [name for name in known if name in asked]


def _part(model: type[BaseModel], filled: Collection[str]) -> type[BaseModel]:
    if len(filled) == len(model.model_fields):
        return model
    parts: dict[str, Any] = {
        name: (field.annotation, field) for name, field in model.model_fields.items() if name in filled
    }
    return create_model(f"{model.__name__}Part", __config__=model.model_config, **parts)


def _keys_besides(model: type[BaseModel], filled: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """Give, for each field that the model does not fill, the state keys under which it may stand."""
    return {name: tuple(keys) for name, keys in keys_of(model).items() if name not in filled}


def _refuse(handoff: HandoffOwner, found: str, fix: str) -> NoReturn:
    raise DefinitionError(handoff=handoff.id, found=found, fix=fix)
