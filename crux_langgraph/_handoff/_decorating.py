"""@handoff: a function from what agent A produced to what agent B expects becomes a typed handoff."""

from collections.abc import Callable, Coroutine
from typing import Any, Protocol, overload

from typing_extensions import Unpack

from crux_langgraph._handoff._handoff import Handoff, In, Out
from crux_langgraph._handoff._options import HandoffOptions
from crux_langgraph._signature import read_signature


class HandoffDecorator(Protocol):
    """What `@handoff(...)` with options gives: takes the transform, gives the handoff."""

    @overload
    def __call__(
        self, transform: Callable[[In], Coroutine[Any, Any, Out]], /
    ) -> Handoff[In, Out, Coroutine[Any, Any, Out]]: ...
    @overload
    def __call__(self, transform: Callable[[In], Out], /) -> Handoff[In, Out, Out]: ...


@overload
def handoff(transform: Callable[[In], Coroutine[Any, Any, Out]], /) -> Handoff[In, Out, Coroutine[Any, Any, Out]]: ...
@overload
def handoff(transform: Callable[[In], Out], /) -> Handoff[In, Out, Out]: ...
@overload
def handoff(
    **options: Unpack[HandoffOptions],
) -> HandoffDecorator: ...
def handoff(
    transform: Callable[[Any], Any] | None = None,
    /,
    **options: Unpack[HandoffOptions],
) -> Any:
    """Make a function `(research: Research) -> Brief` a typed handoff, bare or with options.

    Input and output are read from the annotations and must be pydantic models whose fields survive JSON. The function
    may be sync or async, and may ask for `runtime: Runtime[Ctx] | None = None` (None outside a graph). Its docstring
    says what the receiving agent is to do, and is kept as `description`. Validators of the models run again on what it
    returns.

    Options:
        id: names the handoff in states, errors and traces; by default the function's name with `-` for `_`.
        from_agent, to_agent: the agents' names; the default source and target of `add_handoff`.
        max_tokens: the most tokens of `payload.context` by `counter`, frame included; None for no limit.
        counter: tokens of a text; by default an estimate that works offline and is rather too high than too low.
        summarize: lets a model shorten the prose of what does not fit, `Summarize(model)`; None for the deterministic
            fit alone, which also steps in wherever the model fails.
        on_prepare: called with each payload after all checks, sync or async.
        version: of the payload's format; a payload of another version is refused when it is read back, unless an
            `upgrade` leads from it.
        store: where `send`, `receive` and `claim` have their inbox: "sqlite:" (a file in the user's state folder),
            "sqlite:///path", "sqlite::memory:", "postgresql://...", a psycopg pool or a `Store`; by default what the
            variable CRUX_HANDOFF_URL names.

    Raises `DefinitionError` for whatever could not work later, with what to write instead.

    >>> from pydantic import BaseModel
    >>> from crux_langgraph import handoff
    >>> class Research(BaseModel):
    ...     question: str
    ...     findings: list[str]
    >>> class Brief(BaseModel):
    ...     task: str
    >>> @handoff(from_agent="research", to_agent="writer")
    ... def research_to_writer(research: Research) -> Brief:
    ...     return Brief(task=research.question)
    >>> research_to_writer
    <Handoff research-to-writer: Research -> Brief>
    >>> research_to_writer.prepare({"question": "Why?", "findings": []}).data
    Brief(task='Why?')
    """

    def decorate(function: Callable[[Any], Any]) -> Handoff[Any, Any]:
        return Handoff(function, read_signature(function), **options)

    return decorate if transform is None else decorate(transform)
