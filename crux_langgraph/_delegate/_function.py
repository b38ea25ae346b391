"""A function as a subagent: its parameters are the arguments, and by name it asks for what the run has."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from langchain_core.runnables import ensure_config
from pydantic import BaseModel

from crux_langgraph._contract import bare
from crux_langgraph._delegate._arguments import INJECTED, arguments_model, checked_schema, takes_whole
from crux_langgraph._delegate._context import ContextRule, context_rule
from crux_langgraph._delegate._docstring import read_docstring
from crux_langgraph._delegate._refusing import refusal
from crux_langgraph._delegate._subagent import Call, Returned
from crux_langgraph._signature import hints_of, is_async, name_of
from crux_langgraph._waiting import Way


class FunctionSubagent(NamedTuple):
    """A function `(query: str, ..., *, context, runtime, config, repair) -> Research` that runs a subagent."""

    function: Callable[..., Any]
    name: str
    description: str
    is_async: bool
    args_schema: type[BaseModel]
    whole: str | None
    """The parameter that takes all arguments as one instance of `args_schema`, if the function is written so."""
    wanted: frozenset[str]
    context: ContextRule

    @property
    def repairable(self) -> bool:
        """Whether it asks for `repair`."""
        return "repair" in self.wanted

    def begin(self) -> "FunctionSubagent":
        """Give itself: a function keeps nothing between its runs."""
        return self

    async def __call__(self, way: Way, call: Call, /) -> Returned:
        """Call the function with its arguments and what it asks for."""
        # A function that can be run again gets arguments of its own, which it may change.
        arguments = call.arguments.model_copy(deep=True) if self.repairable else call.arguments
        value = await way.call(self.function, **self._arguments(arguments), **self._injected(call))
        return Returned(value, value)

    def _arguments(self, arguments: BaseModel) -> dict[str, Any]:
        if self.whole is not None:
            return {self.whole: arguments}
        return {key: getattr(arguments, key) for key in type(arguments).model_fields}

    def _injected(self, call: Call) -> dict[str, Any]:
        run = {"context": call.context, "runtime": call.runtime, "repair": call.repair}
        if "config" in self.wanted:
            run["config"] = ensure_config()
        return {key: run[key] for key in self.wanted}


def read_function(
    function: Callable[..., Any], input_schema: type[BaseModel], args_schema: Any, context_schema: Any
) -> FunctionSubagent:
    """Read a subagent's function once. Raises `DefinitionError` for whatever could not work at a call."""
    name = name_of(function)
    _refuse_no_function(name, function)
    parameters = inspect.signature(function).parameters
    hints = hints_of(name, function, "delegate")
    _refuse_return(name, hints, input_schema)
    _refuse_injected(name, parameters)
    given = {key: parameter for key, parameter in parameters.items() if key not in INJECTED}
    _refuse_kinds(name, given)
    description, said = read_docstring(function.__doc__)
    schema = None if args_schema is None else checked_schema(name, args_schema)
    whole = next((key for key in given if takes_whole(schema, hints.get(key))), None)
    if schema is not None:
        _refuse_mismatch(name, given, schema, whole)
    wanted = INJECTED & parameters.keys()
    has_default = "context" in wanted and parameters["context"].default is None
    return FunctionSubagent(
        function=function,
        name=name,
        description=description,
        is_async=is_async(function),
        args_schema=schema or arguments_model(name, given, hints, said),
        whole=whole,
        wanted=wanted,
        context=context_rule(name, context_schema, _hint(name, hints, wanted), has_default=has_default),
    )


def _refuse_no_function(name: str, given: object) -> None:
    if not callable(given) or isinstance(given, type) or inspect.isbuiltin(given):
        raise refusal(name, f"@delegate was given {name}, which is no function", "Put @delegate(...) above a function.")


def _hint(name: str, hints: Mapping[str, Any], wanted: frozenset[str]) -> Any:
    if "context" in wanted and "context" not in hints:
        raise refusal(name, "has no annotation on 'context'", "Annotate it with the context_schema: `context: Ctx`.")
    return hints.get("context")


def _refuse_return(name: str, hints: Mapping[str, Any], expected: type[BaseModel]) -> None:
    if "return" not in hints:
        raise refusal(
            name,
            "has no return annotation, so nothing can be checked",
            f"Write what it returns: def {name}(...) -> {expected.__name__}.",
        )
    returned = bare(hints["return"])
    if returned is not expected:
        told = getattr(returned, "__name__", str(returned))
        raise refusal(
            name,
            f"returns {told}, and its handoff takes {expected.__name__}",
            f"Return {expected.__name__}, or give handoff= one that takes {told}.",
        )


def _refuse_injected(name: str, parameters: Mapping[str, inspect.Parameter]) -> None:
    for key in sorted(INJECTED & parameters.keys()):
        parameter = parameters[key]
        if parameter.kind is not parameter.KEYWORD_ONLY:
            raise refusal(
                name,
                f"takes {key!r} by position, and the run fills a parameter of that name",
                f"Put it behind a star, `def {name}(query: str, *, {key}: ...)`, or rename an argument of your own.",
            )
        if key in ("repair", "runtime") and parameter.default is not None:
            raise refusal(
                name,
                f"asks for {key!r} without the default None",
                f"Write `{key}: {'RepairRequest' if key == 'repair' else 'ToolRuntime'} | None = None`: often there is none.",
            )


def _refuse_kinds(name: str, given: Mapping[str, inspect.Parameter]) -> None:
    by_name = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    for key, parameter in given.items():
        if parameter.kind not in by_name:
            raise refusal(name, f"its parameter {key!r} cannot be given by name", "Declare each argument by its name.")


def _refuse_mismatch(
    name: str, given: Mapping[str, inspect.Parameter], schema: type[BaseModel], whole: str | None
) -> None:
    expected = {whole} if whole else set(schema.model_fields)
    required = {key for key, parameter in given.items() if parameter.default is parameter.empty}
    if expected <= given.keys() and required <= expected:
        return
    raise refusal(
        name,
        f"takes {', '.join(given) or 'no arguments'}, and its args_schema has {', '.join(schema.model_fields) or 'none'}",
        f"Take one parameter for each field, or one for all of them: `def {name}(args: {schema.__name__})`.",
    )
