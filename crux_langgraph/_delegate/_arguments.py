"""The arguments of a delegate as a pydantic model: made from a function's parameters, or given and checked."""

import inspect
from collections.abc import Mapping
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, PydanticSchemaGenerationError, RootModel, create_model
from pydantic.fields import FieldInfo

from crux_langgraph._contract import bare, metadata
from crux_langgraph._delegate._refusing import refusal
from crux_langgraph._signature import name_of

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
        return create_model(f"{name}_arguments", __base__=_Arguments, **fields)
    except PydanticSchemaGenerationError:
        raise refusal(
            name,
            "a parameter has a type that a calling model cannot give as JSON",
            "Annotate the arguments with types of JSON or pydantic models; what the caller's program gives belongs into "
            "`context`.",
        ) from None


def _field(
    name: str, parameter: inspect.Parameter, hints: Mapping[str, Any], said: str | None
) -> tuple[Any, FieldInfo | Any]:
    key = parameter.name
    if key not in hints:
        raise refusal(name, f"has no annotation on {key!r}", f"Annotate it: `{key}: str`, so that it can be checked.")
    if key.startswith("_") or hasattr(BaseModel, key):
        raise refusal(name, f"its parameter {key!r} cannot be a field of a pydantic model", "Rename the parameter.")
    default: Any = ... if parameter.default is parameter.empty else parameter.default
    description = _described(hints[key]) or said
    annotation = Annotated[hints[key], Field(description=description)] if description else hints[key]
    return annotation, default


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
    return schema


def takes_whole(schema: type[BaseModel] | None, hint: Any) -> bool:
    """Say whether a parameter with this annotation takes the arguments as one model instance."""
    return schema is not None and bare(hint) is schema
