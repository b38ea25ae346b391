"""Delegate: a subagent that is called with checked arguments and a checked context, and answers through a handoff."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, Generic, overload

from langchain_core import tools
from langchain_core.messages import ToolMessage
from langgraph.graph.state import CompiledStateGraph
from langgraph.typing import ContextT as Ctx
from langgraph.typing import StateT as GraphCtx
from pydantic import BaseModel
from typing_extensions import TypeVar, Unpack

from crux_langgraph._contract import Contract, ViolationError
from crux_langgraph._defining import checked_id, checked_tool_name, id_from
from crux_langgraph._delegate._options import GraphOptions, Output, Prompted, RemoteOptions, SharedOptions
from crux_langgraph._delegate._refusing import (
    DEFAULT_MAX_DEPTH,
    OnError,
    checked_depth,
    checked_on_error,
    checked_repairs,
    checked_timeout,
    refusal,
)
from crux_langgraph._delegate._result import DelegateResult
from crux_langgraph._delegate._subagent import Subagent
from crux_langgraph._delegate._telling import is_told, told_result
from crux_langgraph._handoff import Handoff
from crux_langgraph._signature import is_async
from crux_langgraph._waiting import ASYNC_TWINS, AWAITING, BLOCKING, Way, finish
from crux_langgraph.errors import ArgumentsError, DelegateError, HandoffError, WrongWayError

In = TypeVar("In", bound=BaseModel)
Out = TypeVar("Out", bound=BaseModel)
Args = TypeVar("Args", default=Mapping[str, Any])
GIn = TypeVar("GIn", bound=BaseModel)
GOut = TypeVar("GOut", bound=BaseModel)
GArgs = TypeVar("GArgs", bound=BaseModel)


class Delegate(Generic[In, Out, Ctx, Args]):
    """A subagent with a handoff as its contract: `In` is what it returns, `Out` what its caller gets.

    Made by `@delegate` or `Delegate.from_graph`. `Ctx` is the run's context, `Args` the model of the arguments. It can
    be called as the plain function it wraps (a graph: as its `invoke`), and then checks nothing.
    """

    __name__: str
    __wrapped__: Callable[..., Any]

    def __init__(
        self,
        wrapped: Callable[..., Any],
        subagent: Subagent,
        *,
        handoff: Handoff[In, Out],
        id: str | None,  # noqa: A002 - the name users know an id by
        max_repairs: int,
        timeout_s: float | None,
        max_depth: int | None,
        on_error: OnError,
    ) -> None:
        """Check the definition. Use `@delegate` or `Delegate.from_graph`, which document the options."""
        # A program without a delegate does not wait for what makes and runs one: here and below.
        from crux_langgraph._delegate._arguments import checked_arguments
        from crux_langgraph._delegate._calling import Calling
        from crux_langgraph._delegate._recording import Recorder

        functools.update_wrapper(self, wrapped, updated=())
        name = self.__name__ = subagent.name
        self.id: str = checked_id(name, id, "delegate") if id is not None else id_from(name, "delegate")
        self.handoff = handoff
        self._waits = is_async(handoff.__wrapped__)
        self.args_schema: type[BaseModel] = subagent.args_schema
        self.context_schema: Any = subagent.context.schema
        self.max_repairs: int = checked_repairs(name, max_repairs)
        self.timeout_s: float | None = checked_timeout(name, timeout_s)
        self.max_depth: int | None = checked_depth(name, max_depth)
        self._tells = checked_on_error(name, on_error)
        self._check = functools.partial(checked_arguments, Contract(subagent.args_schema))
        self._subagent = subagent
        recorder = Recorder.of(self.id, name, handoff, subagent.args_schema)
        self._calling = Calling(self.id, subagent, handoff, max_repairs, self.timeout_s, self.max_depth, recorder)
        if max_repairs and not subagent.repairable:
            raise refusal(
                name,
                f"max_repairs is {max_repairs}, and {name} cannot be asked for a repair",
                "Declare `*, repair: RepairRequest | None = None`; a graph needs a `messages` input. Or leave it at 0.",
            )

    @overload
    @staticmethod
    def from_graph(
        graph: CompiledStateGraph[Any, None, Any, Any],
        /,
        *,
        handoff: Handoff[GIn, GOut],
        args_schema: type[GArgs],
        prompt: Callable[[GArgs], Prompted] | None = None,
        output: Output = "structured_response",
        **options: Unpack[GraphOptions],
    ) -> "Delegate[GIn, GOut, None, GArgs]": ...
    @overload
    @staticmethod
    def from_graph(
        graph: CompiledStateGraph[Any, GraphCtx, Any, Any],
        /,
        *,
        handoff: Handoff[GIn, GOut],
        args_schema: type[GArgs],
        prompt: Callable[[GArgs], Prompted] | None = None,
        output: Output = "structured_response",
        **options: Unpack[GraphOptions],
    ) -> "Delegate[GIn, GOut, GraphCtx, GArgs]": ...
    @staticmethod
    def from_graph(
        graph: CompiledStateGraph[Any, Any, Any, Any],
        /,
        *,
        handoff: Handoff[GIn, GOut],
        args_schema: type[GArgs],
        prompt: Callable[[GArgs], Prompted] | None = None,
        output: Output = "structured_response",
        **options: Unpack[GraphOptions],
    ) -> "Delegate[GIn, GOut, Any, GArgs]":
        """Make a compiled graph, such as what `create_agent` returns, a delegate.

        Options, beside those of `@delegate`:
            prompt: makes the graph's input of the arguments: a text, messages, or a mapping of its input keys. By
                default the text of a single argument or all of them as JSON, in one human message; for a graph without
                messages the arguments themselves.
            output: what of the graph's end the handoff takes: its `"structured_response"`, the `"text"` of its last
                answer, read as JSON, or a function of its final state.
            max_repairs: how often an invalid return is sent back as a further human message; by default 1, and 0 for a
                graph without messages.
            timeout_s: seconds of one call; such a delegate has only the async way.
            recursion_limit: supersteps of one run of the graph, by default 50, whatever the graph or its caller say.
            parent_commands: whether to `"refuse"` (a `SubagentError`) or `"pass"` the graph's `Command(graph=PARENT)`.
            id, description: for errors and for a calling model; the id is by default that of the graph's name.

        The graph takes context, store, callbacks and checkpointer of the run around it, and none of its own. Raises
        `DefinitionError`.
        """
        from crux_langgraph._delegate._graph import read_graph

        subagent = read_graph(graph, args_schema, prompt, output, options)
        return _made(subagent, subagent.id, subagent.graph.invoke, handoff, options, int(subagent.repairable))

    @overload
    @staticmethod
    def from_remote(
        url: str,
        assistant: str,
        /,
        *,
        handoff: Handoff[GIn, GOut],
        args_schema: type[GArgs],
        context_schema: None = None,
        prompt: Callable[[GArgs], Prompted] | None = None,
        output: Output = "structured_response",
        **options: Unpack[RemoteOptions],
    ) -> "Delegate[GIn, GOut, None, GArgs]": ...
    @overload
    @staticmethod
    def from_remote(
        url: str,
        assistant: str,
        /,
        *,
        handoff: Handoff[GIn, GOut],
        args_schema: type[GArgs],
        context_schema: type[GraphCtx],
        prompt: Callable[[GArgs], Prompted] | None = None,
        output: Output = "structured_response",
        **options: Unpack[RemoteOptions],
    ) -> "Delegate[GIn, GOut, GraphCtx, GArgs]": ...
    @staticmethod
    def from_remote(
        url: str,
        assistant: str,
        /,
        *,
        handoff: Handoff[GIn, GOut],
        args_schema: type[GArgs],
        context_schema: Any = None,
        prompt: Callable[[GArgs], Prompted] | None = None,
        output: Output = "structured_response",
        **options: Unpack[RemoteOptions],
    ) -> "Delegate[GIn, GOut, Any, GArgs]":
        """Make a graph that an Agent Server serves at `url` a delegate; `assistant` is its name there, or an id.

        Each call has a thread of its own on the server, derived from the place of the call: a caller that is
        interrupted, retried, or killed and started again from its checkpoint finds the run that it began. What the
        server publishes of the assistant is compared at the first call. Nothing travels of the caller's config and
        context but what is listed. Options, beside those of `from_graph`:
            headers: sent with each request, to authenticate for example: a mapping, or a function, sync or async.
            config_keys, context_keys: what of the caller's `configurable`, or of its context, goes along.
            distributed_tracing: whether the remote run's trace is told its parent, the running LangSmith run.
            forwards: what of the remote stream goes on to the caller's custom stream: `"custom"` (the default) as it
                is, `"updates"` and `"messages"` as `{"delegate": ..., "mode": ..., "data": ...}`.
            max_repairs, recursion_limit: by default 0, and the assistant's own limit.
            timeout_s: after it, the run on the server is cancelled too.

        A call may also raise `TransportError` and `SchemaMismatchError`. Raises `DefinitionError`.
        """
        from crux_langgraph._delegate._remote import read_remote

        subagent = read_remote(url, assistant, handoff, args_schema, context_schema, prompt, output, options)
        return _made(subagent, subagent.id, subagent.invoke, handoff, options, 0)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the plain function: no checks, no handoff."""
        return self.__wrapped__(*args, **kwargs)

    def __deepcopy__(self, memo: Any) -> "Delegate[In, Out, Ctx, Args]":
        # Nothing in it changes, and what a subagent holds, such as a client's locks, cannot always be copied.
        return self

    def __repr__(self) -> str:
        return f"<Delegate {self.id}: {self.args_schema.__name__} -> {self.handoff.output_schema.__name__}>"

    @property
    def private_fields(self) -> frozenset[str]:
        """The names of fields that are private in its arguments or on either side of its handoff."""
        return self.handoff.private_fields | self._calling.recorder.arguments.private

    @property
    def description(self) -> str:
        """What the subagent does, for a calling model; empty when nothing says so."""
        return self._subagent.description

    @overload
    def run(
        self: "Delegate[In, Out, None, Args]", args: Args | Mapping[str, Any], *, context: None = None
    ) -> DelegateResult[Out]: ...
    @overload
    def run(self, args: Args | Mapping[str, Any], *, context: Ctx) -> DelegateResult[Out]: ...
    def run(self, args: Args | Mapping[str, Any], *, context: Any = None) -> DelegateResult[Out]:
        """Check `args`, run the subagent, and hand over what it returned. Works in and outside a graph.

        `args` is a mapping, an instance of `args_schema` or JSON text. `context` is by default that of the running
        graph. Raises `ArgumentsError`, `ContextError`, `SubagentError`, `ReturnError`, `DeliveryError` or
        `DepthLimitError`, and `WrongWayError` when something in it is async: then use `arun`.
        Interrupts and other control flow of LangGraph pass through.
        """
        return finish(self._checked_flow(BLOCKING, args, context))

    @overload
    async def arun(
        self: "Delegate[In, Out, None, Args]", args: Args | Mapping[str, Any], *, context: None = None
    ) -> DelegateResult[Out]: ...
    @overload
    async def arun(self, args: Args | Mapping[str, Any], *, context: Ctx) -> DelegateResult[Out]: ...
    async def arun(self, args: Args | Mapping[str, Any], *, context: Any = None) -> DelegateResult[Out]:
        """As `run`, and may raise `TimeLimitError`. A plain function runs in LangChain's executor."""
        return await self._checked_flow(AWAITING, args, context)

    def check_arguments(self, given: object) -> BaseModel:
        """Give `given` as valid arguments. Raises `ArgumentsError`, whose text a calling model can act on."""
        try:
            return self._check(given)
        except ViolationError as violation:
            raise ArgumentsError(
                delegate=self.id,
                found="the arguments are not what it takes",
                fix="Call it again with the arguments that its schema describes. The subagent was not started.",
                problems=violation.problems,
                original=violation.original,
            ) from None

    async def _checked_flow(self, way: Way, args: object, context: Any) -> DelegateResult[Out]:
        try:
            arguments = self.check_arguments(args)
        except ArgumentsError:
            async with self._calling.recorder.refusal(way):
                raise
        return await self.flow(way, arguments, context=context)

    async def flow(self, way: Way, arguments: BaseModel, *, context: Any, runtime: Any = None) -> DelegateResult[Out]:
        """Run the steps of `run` on either way with checked arguments, for adapters that bring a runtime."""
        if way is BLOCKING:
            self._refuse_blocking()
        return await self._calling(way, arguments, context, runtime)

    def _refuse_blocking(self) -> None:
        # Before the subagent starts: its work would be lost.
        if self.timeout_s is not None:
            raise WrongWayError(asked=f"timeout_s of delegate {self.id!r}", use=ASYNC_TWINS)
        if self._waits:
            raise WrongWayError(asked=f"{self.handoff.__name__}()", use=ASYNC_TWINS)

    async def answer(self, way: Way, arguments: BaseModel, runtime: Any) -> tuple[str, dict[str, Any]]:
        """Run it for a tool: give the text for the calling model, and the result's envelope."""
        result = await self.flow(way, arguments, context=getattr(runtime, "context", None), runtime=runtime)
        try:
            envelope = result.to_envelope()
            return told_result(result, envelope, self.handoff.max_tokens), envelope
        except HandoffError as error:
            raise self._calling.undelivered(error, result.data) from error

    def tells(self, error: DelegateError) -> bool:
        """Say whether a calling model is told of `error`, and need not be raised to its caller."""
        return is_told(error, also_failures=self._tells)

    def as_tool(self, *, name: str | None = None, description: str | None = None) -> "tools.BaseTool":
        """Make it a tool for a model, by default named and described as the function.

        Its content is `{"data": ..., "summary": ...}` as JSON when that is within the handoff's `max_tokens`, else the
        payload's context; its artifact is the result's envelope, which `result` reads. Raises `DefinitionError` when
        nothing describes it to a model.
        """
        from crux_langgraph.tools import DelegateTool

        named = checked_tool_name(self.__name__, self.__name__ if name is None else name, kind="delegate")
        described = self.description if description is None else description
        if not described.strip():
            raise refusal(self.__name__, "nothing tells a model what it does", "Give it a docstring, or description=.")
        return DelegateTool.of(self, name=named, description=described)

    def as_tools(self) -> "list[tools.BaseTool]":
        """Give `as_tool()` in a list, for `tools=[*research.as_tools(), search]`."""
        return [self.as_tool()]

    def result(self, message: ToolMessage) -> DelegateResult[Out]:
        """Read the result back from a tool message of this delegate, checked, also after a checkpoint.

        Raises `ResultError` when it holds none, and `EnvelopeError` when its payload no longer fits the handoff.
        """
        from crux_langgraph._delegate._recorded import read_result

        return read_result(self.id, self.handoff, message)


def _made(
    subagent: Subagent,
    named: str,
    wrapped: Callable[..., Any],
    handoff: Handoff[GIn, GOut],
    options: SharedOptions,
    max_repairs: int,
) -> Delegate[GIn, GOut, Any, Any]:
    made: Delegate[GIn, GOut, Any, Any] = Delegate(
        wrapped,
        subagent,
        handoff=handoff,
        id=named,
        max_repairs=options.get("max_repairs", max_repairs),
        timeout_s=options.get("timeout_s"),
        max_depth=options.get("max_depth", DEFAULT_MAX_DEPTH),
        on_error=options.get("on_error", "raise"),
    )
    made.__doc__ = subagent.description
    return made
