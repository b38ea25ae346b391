"""The arguments of a delegate as a pydantic model: made from a function's parameters, or given and checked."""

import inspect
from collections.abc import Mapping
from typing import Annotated, Any, cast

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import InjectedToolArg
from pydantic import BaseModel, ConfigDict, Field, PydanticSchemaGenerationError, RootModel, create_model
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.fields import FieldInfo
from pydantic_core import to_json

from crux_langgraph._contract import Contract, EndlessError, ViolationError, bare, members, metadata
from crux_langgraph._delegate._context import alternatives
from crux_langgraph._delegate._refusing import refusal
from crux_langgraph._signature import name_of
from crux_langgraph.errors import DefinitionError

INJECTED = frozenset({"config", "context", "repair", "runtime"})
"""Parameters that a delegate fills itself and no model sees."""

_RESERVED = INJECTED | {"callbacks", "run_manager"}  # the latter two are LangChain's own


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=False, protected_namespaces=())


def arguments_model(
    name: str, parameters: Mapping[str, inspect.Parameter], hints: Mapping[str, Any], said: Mapping[str, str]
) -> type[BaseModel]:
    """Make a model of the parameters that a calling model fills, described by `Annotated` or by the docstring."""
    fields: dict[str, Any] = {
        key: _field(name, parameter, hints, said.get(key)) for key, parameter in parameters.items()
    }
    try:
        return _given_as_json(name, create_model(f"{name}_arguments", __base__=_Arguments, **fields))
    except PydanticSchemaGenerationError:
        raise _no_json(name) from None


def _given_as_json(name: str, schema: type[BaseModel]) -> type[BaseModel]:
    try:
        schema.model_json_schema()
    except PydanticInvalidForJsonSchema:
        raise _no_json(name) from None
    return schema


def _no_json(name: str) -> DefinitionError:
    return refusal(
        name,
        "a parameter has a type that a calling model cannot give as JSON",
        "Annotate the arguments with types of JSON or pydantic models; what the caller's program gives belongs into "
        "`context`.",
    )


def _field(
    name: str, parameter: inspect.Parameter, hints: Mapping[str, Any], said: str | None
) -> tuple[Any, FieldInfo | Any]:
    key = parameter.name
    if key not in hints:
        raise refusal(name, f"has no annotation on {key!r}", f"Annotate it: `{key}: str`, so that it can be checked.")
    _refuse_filled(name, key, hints[key])
    if key.startswith("_") or hasattr(BaseModel, key):
        raise refusal(name, f"its parameter {key!r} cannot be a field of a pydantic model", "Rename the parameter.")
    default: Any = ... if parameter.default is parameter.empty else parameter.default
    description = _described(hints[key]) or said
    annotation = Annotated[hints[key], Field(description=description)] if description else hints[key]
    return annotation, default


def _refuse_filled(name: str, key: str, hint: Any) -> None:
    """Refuse what LangChain would fill by the annotation: the model would not see it, and nobody would give it."""
    is_marked = any(
        isinstance(one, InjectedToolArg) or (isinstance(one, type) and issubclass(one, InjectedToolArg))
        for one in metadata(hint)
    )
    if is_marked or RunnableConfig in alternatives(hint):
        raise refusal(
            name,
            f"its argument {key!r} is not one that a calling model gives",
            "Ask for what the run has by keyword and name: `*, runtime: ToolRuntime | None = None` has the state, the "
            "store and the id of the call, `config: RunnableConfig` the config.",
        )


def _described(hint: Any) -> str | None:
    """The description in `Annotated`, as pydantic (`Field`) or as LangChain (a plain string) writes it."""
    given = metadata(hint)
    written = [one.description for one in given if isinstance(one, FieldInfo)]
    return next((one for one in (*written, *given) if isinstance(one, str)), None)


def checked_schema(name: str, schema: Any) -> type[BaseModel]:
    """Give `schema` if a tool can have it as its arguments: a pydantic model with named fields."""
    if not (isinstance(schema, type) and issubclass(schema, BaseModel)) or schema is BaseModel:
        told = name_of(cast("Any", schema))
        raise refusal(
            name,
            f"its args_schema is {told}, which is not a pydantic model",
            "Give args_schema= a BaseModel: a JSON schema alone would check nothing.",
        )
    if issubclass(schema, RootModel):
        raise refusal(name, f"its args_schema {schema.__name__} is a RootModel", "Give it named fields: a BaseModel.")
    taken = sorted(_RESERVED & schema.model_fields.keys())
    if taken:
        raise refusal(
            name,
            f"its args_schema {schema.__name__} has the reserved field {', '.join(taken)}",
            "Rename it: these names are filled by the run, never by a calling model.",
        )
    for key, hint in cast("Mapping[str, Any]", members(schema)).items():
        _refuse_filled(name, key, hint)
    return _given_as_json(name, schema)


def checked_arguments(contract: Contract[BaseModel], given: object) -> BaseModel:
    """Give `given` as valid arguments, or raise `ViolationError`.

    What a model calls with is JSON, of which a strict schema takes a date or an enum and not of Python values.
    """
    try:
        return contract.check(given)
    except ViolationError as violation:
        text = None if isinstance(violation.original, EndlessError) else _as_json(given)
        if text is None:
            raise
    return contract.check(text)


def _as_json(given: object) -> str | None:
    try:
        return to_json(given).decode() if isinstance(given, Mapping) else None
    except ValueError:  # not of JSON values, so not of a model either
        return None


def takes_whole(schema: type[BaseModel] | None, hint: Any) -> bool:
    """Say whether a parameter with this annotation takes the arguments as one model instance."""
    return schema is not None and bare(hint) is schema
