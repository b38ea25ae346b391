"""Reads a user's function once: its name, its promise, its parameters and types, and whether it is a coroutine."""

import functools
import inspect
from collections.abc import Callable, Mapping
from types import CellType, FunctionType
from typing import Any, NamedTuple

from typing_extensions import get_type_hints

from crux_langgraph.errors import DefinitionError


def is_async(function: Callable[..., Any]) -> bool:
    """Say whether calling `function` gives a coroutine; looks through partials and at `__call__`."""
    while isinstance(function, functools.partial):
        function = function.func
    if type(function) is FunctionType and not function.__dict__:  # a plain one that nothing marks: the most, at once
        return bool(function.__code__.co_flags & inspect.CO_COROUTINE)
    if inspect.iscoroutinefunction(function):
        return True
    return not inspect.isroutine(function) and inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004 - not a test for callability


def name_of(function: Callable[..., Any]) -> str:
    """Give the name a person would use for `function`, also for partials and callable instances."""
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(function, "__name__", type(function).__name__)


def accepts(function: Callable[..., Any], count: int) -> bool:
    """Say whether `function` can be called with `count` positional arguments; a builtin that does not tell may be."""
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # a builtin that does not tell its parameters
        return True
    return True


class Signature(NamedTuple):
    """What a transform function declares: one input, one output, and whether it asks for `runtime`."""

    name: str
    description: str
    is_async: bool
    input_type: Any
    output_type: Any
    wants_runtime: bool


def read_signature(function: Callable[..., Any]) -> Signature:
    """Read a transform `(input) -> output`, with `runtime=None` as the only other parameter it may ask for.

    Raises `DefinitionError` naming the function when an annotation is missing or cannot be resolved, or when the
    parameters are not these.
    """
    name = name_of(function)
    _refuse_no_function(name, function)
    parameters = inspect.signature(function).parameters
    payload = _payload_parameter(name, parameters)
    hints = hints_of(name, function)
    return Signature(
        name=name,
        description=inspect.cleandoc(function.__doc__ or ""),
        is_async=is_async(function),
        input_type=_annotation(name, hints, payload, f"annotate it: def {name}({payload}: Research) -> Brief"),
        output_type=_annotation(name, hints, "return", f"write what it returns: def {name}(...) -> Brief"),
        wants_runtime="runtime" in parameters,
    )


def _refuse_no_function(name: str, given: Any) -> None:
    if not callable(given) or isinstance(given, type) or inspect.isbuiltin(given):
        raise DefinitionError(
            handoff=name,
            found=f"{name} is no function of yours" if callable(given) else f"@handoff was given a {name}",
            fix="Put @handoff, or @handoff(id=...), above a function: def research_to_brief(research: Research) -> Brief.",
        )


def _payload_parameter(name: str, parameters: Mapping[str, inspect.Parameter]) -> str:
    by_position = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    given = [p for p in parameters.values() if p.name != "runtime"]
    required = [p.name for p in given if p.default is p.empty or p.kind not in by_position]
    runtime = parameters.get("runtime")
    if len(required) != 1 or given[0].name != required[0] or given[0].kind not in by_position:
        raise DefinitionError(
            handoff=name,
            found=f"takes {', '.join(required) or 'no required parameter'}; a handoff takes exactly one: what agent A produced",
            fix="Make the other values fields of the input model, or ask for `runtime: Runtime[Ctx] | None = None`.",
        )
    if runtime is not None and runtime.default is not None:
        raise DefinitionError(
            handoff=name,
            found="asks for `runtime` without the default None",
            fix="Write `runtime: Runtime[Ctx] | None = None`: outside a graph there is none.",
        )
    return required[0]


def hints_of(name: str, function: Callable[..., Any], kind: str = "handoff") -> Mapping[str, Any]:
    """Give the resolved annotations of a function, a partial or a callable instance, or raise `DefinitionError`."""
    while isinstance(function, functools.partial):
        function = function.func
    target = function if inspect.isroutine(function) else type(function).__call__
    target = inspect.unwrap(target)
    try:
        return get_type_hints(target, localns=_enclosing(target), include_extras=True)
    except NameError as error:
        raise DefinitionError(
            handoff=name,
            found=f"its annotations name {error.name!r}, which cannot be resolved at run time",
            fix=f"Import it outside `if TYPE_CHECKING:` and define it at module level, before the {kind}.",
            kind=kind,
        ) from None
    except (AttributeError, SyntaxError, TypeError) as error:
        raise DefinitionError(
            handoff=name,
            found=f"its annotations cannot be resolved at run time: {error}",
            fix=f"Write the model's own name, defined at module level before the {kind}.",
            kind=kind,
        ) from None


def _enclosing(function: Any) -> dict[str, Any]:
    """The names that the function took from around it, but those not set yet, such as its own while it is decorated."""
    function = getattr(function, "__func__", function)
    names = function.__code__.co_freevars
    cells = dict(zip(names, function.__closure__ or (), strict=True))
    return {name: cell.cell_contents for name, cell in cells.items() if not _is_empty(cell)}


def _is_empty(cell: CellType) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return True
    return False


def _annotation(name: str, hints: Mapping[str, Any], key: str, fix: str) -> Any:
    if key not in hints:
        place = "no return annotation" if key == "return" else f"no annotation on {key!r}"
        raise DefinitionError(handoff=name, found=f"has {place}, so nothing can be checked", fix=f"Please {fix}.")
    return hints[key]
