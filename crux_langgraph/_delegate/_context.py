"""The run's context: what a delegate declares of it, and whether what came is that."""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast, get_args, get_origin

from langgraph.runtime import get_runtime
from typing_extensions import is_typeddict

from crux_langgraph._contract import UNIONS, bare
from crux_langgraph._delegate._refusing import refusal
from crux_langgraph.errors import ContextError


class ContextRule(NamedTuple):
    """What context a delegate takes: an instance of `schema`, or None where it is not `required`."""

    schema: Any
    required: bool

    def checked(self, delegate: str, context: Any) -> Any:
        """Give `context`, or that of the running graph, if it is what the delegate takes. Raises `ContextError`."""
        if self.schema is None:
            return None
        found = _running_context() if context is None else context
        if _is(self.schema, found) or (found is None and not self.required):
            return found
        expected = self.schema.__name__
        raise ContextError(
            delegate=delegate,
            found=f"it runs with a context of type {expected}, and "
            + ("none came" if found is None else f"a {type(found).__name__} came"),
            fix=f"Pass context={expected}(...) to run or arun, or to a graph with context_schema={expected}. "
            "The subagent was not started.",
        )


def checked_context_schema(name: str, schema: Any) -> Any:
    """Give `schema` if a context can be checked against it: a class, also a TypedDict, or None for no context."""
    if schema is None or isinstance(schema, type) or is_typeddict(schema):
        return schema
    raise refusal(
        name, f"its context_schema is {schema!r}", "Give context_schema= the class that the graph's context_schema is."
    )


def context_rule(name: str, schema: Any, hint: Any, *, has_default: bool) -> ContextRule:
    """Check a `context` parameter's annotation against `context_schema`; `hint` is None without such a parameter."""
    checked_context_schema(name, schema)
    if hint is None:
        return ContextRule(schema, required=True)
    if schema is None:
        told = getattr(hint, "__name__", str(hint))
        raise refusal(
            name, f"takes `context: {told}` without a context_schema", f"Write context_schema={told} beside it."
        )
    kinds = [kind for kind in alternatives(hint) if kind is not type(None)]
    if not any(_covers(kind, schema) for kind in kinds):
        raise refusal(
            name,
            f"takes `context: {getattr(hint, '__name__', hint)}`, and its context_schema is {schema.__name__}",
            f"Annotate `context: {schema.__name__}`.",
        )
    return ContextRule(schema, required=not has_default)


def alternatives(hint: Any) -> tuple[Any, ...]:
    """Give the types of a union, or the one type."""
    kind = bare(hint)
    return get_args(kind) if get_origin(kind) in UNIONS else (kind,)


def _covers(kind: Any, schema: Any) -> bool:
    if kind is Any or kind is schema:
        return True
    plain = isinstance(kind, type) and not is_typeddict(kind) and not is_typeddict(schema)
    return plain and issubclass(schema, cast("type[Any]", kind))


def _is(schema: Any, context: Any) -> bool:
    if is_typeddict(schema):
        return isinstance(context, Mapping) and schema.__required_keys__ <= cast("Mapping[str, Any]", context).keys()
    return isinstance(context, schema)


def _running_context() -> Any:
    try:
        runtime = get_runtime()
    except RuntimeError:
        return None
    # Where no graph runs, this is None, whatever its annotation says.
    return getattr(runtime, "context", None)
