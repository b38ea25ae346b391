"""@delegate: a function that runs a subagent becomes something that a program and a model can call."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Protocol, TypeVar, cast, overload

from langgraph.typing import ContextT as Ctx

from crux_langgraph._delegate._delegate import Args, Delegate, In, Out
from crux_langgraph._delegate._refusing import DEFAULT_MAX_DEPTH, OnError, checked_handoff, refusal
from crux_langgraph._handoff import Handoff

Maker = TypeVar("Maker", bound=Callable[..., Any])


class DelegateDecorator(Protocol[In, Out, Ctx, Args]):
    """What `@delegate(...)` gives: takes the function, gives the delegate."""

    @overload
    def __call__(self, subagent: Callable[..., Coroutine[Any, Any, In]], /) -> Delegate[In, Out, Ctx, Args]: ...
    @overload
    def __call__(self, subagent: Callable[..., In], /) -> Delegate[In, Out, Ctx, Args]: ...


def _with_its_handoff(make: Maker) -> Maker:
    """Refuse `@delegate` alone and `@delegate(contract)` with a sentence in place of Python's own."""

    @wraps(make)
    def checked(*bare: object, **options: Any) -> Any:
        if bare or "handoff" not in options:
            raise refusal(
                getattr(bare[0], "__name__", type(bare[0]).__name__) if bare else "@delegate",
                "it is not told its handoff by name",
                "Write @delegate(handoff=...) above it, with a function decorated with @handoff, or Handoff.of(Model, id=...).",
            )
        return make(**options)

    return cast("Maker", checked)


@_with_its_handoff
def delegate(
    *,
    handoff: Handoff[In, Out],
    args_schema: type[Args] | None = None,
    context_schema: type[Ctx] | None = None,
    id: str | None = None,  # noqa: A002 - the name users know an id by
    max_repairs: int | None = None,
    timeout_s: float | None = None,
    max_depth: int | None = DEFAULT_MAX_DEPTH,
    on_error: OnError = "raise",
) -> DelegateDecorator[In, Out, Ctx, Args]:
    """Make a function that runs a subagent a delegate: arguments, return and output are checked, each at its layer.

    The function's parameters are the arguments, described by its docstring's `Args:` section. By keyword it may ask
    for what the run has, and no model sees these: `context: Ctx` (the run's context), `runtime: ToolRuntime | None =
    None`, `config: RunnableConfig`, and `repair: RepairRequest | None = None` (what was wrong with its last return).

    Options:
        handoff: takes what the function returns, and gives what the caller gets.
        args_schema: the arguments as a model; the function then takes its fields, or one instance of it.
        context_schema: the class of the run's context; a call without one is a `ContextError`.
        id: names the delegate in errors and results; by default the function's name with `-` for `_`.
        max_repairs: how often an invalid return may be sent back to the function; by default 1 if it asks for
            `repair`, else 0. It is not sent back when the same wrong answer returns.
        timeout_s: seconds that one call may take, repairs and handoff included; only for an async function.
        max_depth: how many delegates deep a nest with this one in it may be, itself included; None for no limit.
        on_error: as a tool, `"raise"` a failure of the subagent, which stops the graph, or `"tell"` the calling model.
            Bad arguments are always told; a missing context and a failed handoff are never.

    Raises `DefinitionError` for whatever could not work later, with what to write instead.

    >>> from pydantic import BaseModel
    >>> from crux_langgraph import delegate, handoff
    >>> class Research(BaseModel):
    ...     findings: list[str]
    >>> class Brief(BaseModel):
    ...     facts: list[str]
    >>> @handoff
    ... def research_to_brief(research: Research) -> Brief:
    ...     return Brief(facts=research.findings[:1])
    >>> @delegate(handoff=research_to_brief)
    ... def research(query: str) -> Research:
    ...     return Research(findings=[f"Something about {query}", "More"])
    >>> research.run({"query": "clouds"}).data
    Brief(facts=['Something about clouds'])
    """

    from crux_langgraph._delegate._function import read_function

    def decorate(function: Callable[..., Any]) -> Delegate[Any, Any, Any, Any]:
        checked_handoff(getattr(function, "__name__", type(function).__name__), handoff)
        subagent = read_function(function, handoff.input_schema, args_schema, context_schema)
        if timeout_s is not None and not subagent.is_async:
            raise refusal(
                subagent.name,
                "timeout_s limits a plain function, which cannot be cancelled",
                "Write it as `async def`, or limit the calls inside it.",
            )
        return Delegate(
            function,
            subagent,
            handoff=handoff,
            id=id,
            max_repairs=int(subagent.repairable) if max_repairs is None else max_repairs,
            timeout_s=timeout_s,
            max_depth=max_depth,
            on_error=on_error,
        )

    return decorate
