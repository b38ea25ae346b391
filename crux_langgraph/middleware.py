"""HandoffContext and HandoffRouting: `create_agent` agents that receive and send handoffs. Needs the extra `agents`."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import sha256
from typing import Annotated, Any, NamedTuple, NoReturn, NotRequired, cast, get_args

try:
    from langchain.agents.middleware.types import (
        AgentMiddleware,
        AgentState,
        ModelRequest,
        OmitFromSchema,
        ToolCallRequest,
    )
except ModuleNotFoundError as _error:
    _MISSING = 'crux_langgraph.middleware needs langchain: pip install "crux-langgraph[agents]"'
    raise ModuleNotFoundError(_MISSING, name=_error.name) from _error
from langchain_core.tools import BaseTool
from typing_extensions import TypedDict

from crux_langgraph._context import Composed
from crux_langgraph._handoff import Handoff
from crux_langgraph._inbox import is_reference
from crux_langgraph._numbers import is_whole
from crux_langgraph._read_tool import READ_HANDOFF, ReadHandoffTool, checked_page
from crux_langgraph._receiving import As, Shown, brief_of, messages_in, records_of, shown_messages, with_brief
from crux_langgraph._sending import HandoffRouting, SenderState
from crux_langgraph._waiting import AWAITING
from crux_langgraph.compression import Counter, counter_fault, estimate_tokens
from crux_langgraph.errors import DefinitionError
from crux_langgraph.graph import merge_handoffs

__all__ = ["HandoffContext", "HandoffRouting", "ReceiverState", "SenderState"]

_MOST_BRIEFS = 64


class Run(TypedDict):
    """When an agent's current run began: with which payloads, and which messages were there before it."""

    payloads: list[str]
    earlier: list[str]


def _merge_runs(left: Mapping[str, Run] | None, right: Mapping[str, Run] | None) -> dict[str, Run]:
    return {**(left or {}), **(right or {})}


class ReceiverState(AgentState[Any]):
    """What a receiving agent's state has beside its messages."""

    handoffs: NotRequired[Annotated[dict[str, Any], OmitFromSchema(input=False, output=True), merge_handoffs]]
    """The channel of the graph around it: taken in and never handed back, since it would be a stale copy."""
    handoff_runs: NotRequired[Annotated[dict[str, Run], OmitFromSchema(input=True, output=True), _merge_runs]]
    """The agent's own: by middleware name, where its current run began."""


class _Briefed(NamedTuple):
    """A brief, and whether anything was left out of it."""

    brief: Composed | None
    is_cut: bool


class HandoffContext(AgentMiddleware[ReceiverState, Any, Any]):
    """Gives an agent the brief of each handoff that reached it, in every request to its model, and stores none of it.

        create_agent(model, tools, middleware=[HandoffContext(research_to_writer)])

    The messages in the agent's state stay as they are; `history` says which of them its model is sent:

    - `"hide"`: those that were added since the agent's current run began, so no other agent's conversation, and not the
      user's words before it. A run on the agent's own thread that brings no new payload continues the run that did.
    - `"since_handoff"`: those that were added since the handoff: the user's further turns too, when a router leads them
      straight to this agent. All, when the last message before the handoff is no longer there.
    - `"keep"`: all.

    The result of a tool call is shown exactly when the call is. The brief is the last section of the system prompt. With
    `as_="human"`, and whenever the first message shown is not a human's, it is a human message before all others. A state
    without a payload of these handoffs leaves the request unchanged.

    Where the brief leaves something out, the model is also given the tool `read_handoff`, which reads it in answers of
    at most `max_read_tokens` by the handoff's counter. Several of these middlewares share one such tool. Name it after
    middleware that replaces the system prompt or adds messages of its own: the later one has the last word.
    """

    state_schema = ReceiverState

    def __init__(
        self,
        *handoffs: Handoff[Any, Any, Any],
        history: Shown = "hide",
        as_: As = "system",
        max_tokens: int | None = None,
        priorities: Mapping[str, int] | None = None,
        counter: Counter = estimate_tokens,
        max_read_tokens: int | None = 1_000,
    ) -> None:
        """Receive these handoffs, their briefs in the order given.

        `max_tokens`, by `counter`, limits all briefs together (None: each has its handoff's own limit); `priorities`
        by handoff id (80 where nothing is said) decide which one shrinks first. `max_read_tokens=None` gives no tool to
        read what was left out. Raises `DefinitionError` for options that cannot work.
        """
        _check(handoffs, history, as_, max_tokens, priorities or {}, counter)
        super().__init__()
        self.tools: Sequence[BaseTool] = []
        self.handoffs = handoffs
        self._history: Shown = history
        self._as: As = as_
        self.max_tokens = max_tokens
        self._priorities = dict(priorities or {})
        self._counter = counter
        self._briefs: dict[str, _Briefed] = {}
        self._reader = self._made_reader(max_read_tokens)

    @property
    def name(self) -> str:
        """Name the middleware by its handoffs, so that several on one agent are told apart."""
        return ".".join(["HandoffContext", *(handoff.id for handoff in self.handoffs)])

    def before_agent(self, state: ReceiverState, runtime: Any) -> dict[str, Any] | None:  # noqa: ARG002 - as AgentMiddleware calls it
        """Note where this run of the agent begins."""
        payloads = sorted(str(record.get("id")) for record in records_of(state, self.handoffs))
        before = self._run(state)
        if self._history != "hide" or not payloads or (before and before["payloads"] == payloads):
            return None
        run = Run(payloads=payloads, earlier=[message.id for message in messages_in(state) if message.id])
        return {"handoff_runs": {self.name: run}}

    async def abefore_agent(self, state: ReceiverState, runtime: Any) -> dict[str, Any] | None:
        """As `before_agent`: it only reads the state."""
        return self.before_agent(state, runtime)

    def wrap_model_call(self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Any]) -> Any:
        """Put the brief into the request, and the tool that reads what it leaves out."""
        return handler(self._briefed(request, self._written(request.state)))

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[Any]]
    ) -> Any:
        """As `wrap_model_call`. What a payload's state only refers to is awaited from the store."""
        return await handler(self._briefed(request, await self._awritten(request.state)))

    def wrap_tool_call(self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Any]) -> Any:
        """Have a call of `read_handoff` answered: no node knows of a tool that a request may be without."""
        return handler(self._readable(request))

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Any]]
    ) -> Any:
        """As `wrap_tool_call`."""
        return await handler(self._readable(request))

    def brief(self, state: object) -> Composed | None:
        """Give the brief that a request from this state gets, with what was cut from it; None without a payload.

        It is written once for the same payloads, not once per model call. Raises as `brief_in`.
        """
        return self._written(state).brief

    def _written(self, state: object) -> _Briefed:
        briefs, key = self._briefs, _digest(records_of(state, self.handoffs))
        if key not in briefs:
            payloads = [(handoff, payload) for handoff in self.handoffs for payload in handoff.received_all(state)]
            brief = brief_of(payloads, max_tokens=self.max_tokens, priorities=self._priorities, counter=self._counter)
            is_cut = bool(brief and brief.cut) or any(payload.receipt.omitted for _, payload in payloads)
            # A new dict each time: threads share this middleware, and none of them sees a dict change.
            briefs = self._briefs = {**dict(list(briefs.items())[1 - _MOST_BRIEFS :]), key: _Briefed(brief, is_cut)}
        return briefs[key]

    async def _awritten(self, state: object) -> _Briefed:
        if any(is_reference(record) for record in records_of(state, self.handoffs)):
            written: _Briefed = await AWAITING.call(self._written, state)
            return written
        return self._written(state)

    def _run(self, state: ReceiverState) -> Run | None:
        return state.get("handoff_runs", {}).get(self.name)

    def _briefed(self, request: ModelRequest[Any], written: _Briefed) -> ModelRequest[Any]:
        state = cast("ReceiverState", request.state)
        brief, is_cut = written
        if brief is None:
            return request
        run = self._run(state)
        earlier = run["earlier"] if run else []
        shown = shown_messages(request.messages, records_of(state, self.handoffs), self._history, earlier)
        prompt, messages = with_brief(request.system_message, shown, brief, self._as)
        tools = self._with_reader(request.tools) if is_cut else request.tools
        return request.override(system_message=prompt, messages=messages, tools=tools)

    def _made_reader(self, max_read_tokens: int | None) -> ReadHandoffTool | None:
        if max_read_tokens is None:
            return None
        return ReadHandoffTool.of(self.handoffs, checked_page(self.name, max_read_tokens, kind="middleware"))

    def _with_reader(self, tools: Sequence[Any]) -> list[Any]:
        if self._reader is None:
            return list(tools)
        others = [tool for tool in tools if getattr(tool, "name", None) != READ_HANDOFF]
        same = [tool for tool in tools if tool not in others]
        return [*others, self._joined(same[0] if same else None)]

    def _readable(self, request: ToolCallRequest) -> ToolCallRequest:
        if self._reader is None or request.tool_call["name"] != READ_HANDOFF:
            return request
        return request.override(tool=self._joined(request.tool))

    def _joined(self, other: object) -> Any:
        """Give the tool for the handoffs of this middleware and of those that `other` reads already."""
        if other is not None and not isinstance(other, ReadHandoffTool):
            return other  # the program's own tool of that name is what its model is to call
        reader = cast("ReadHandoffTool", self._reader)
        return reader if other is None else other.joined(reader)


def _digest(records: Sequence[Mapping[str, Any]]) -> str:
    # Of the whole records, not of their ids alone: `update_state` may mend a payload and leave its id.
    return sha256(json.dumps(records, default=repr, skipkeys=True).encode()).hexdigest()


def _check(
    handoffs: Sequence[Handoff[Any, Any, Any]],
    history: Shown,
    as_: As,
    max_tokens: int | None,
    priorities: Mapping[str, int],
    counter: Counter,
) -> None:
    ids = _checked_ids(handoffs)
    for option, value, known in (("history", history, get_args(Shown)), ("as_", as_, get_args(As))):
        if value not in known:
            _refuse(ids, f"{option}={value!r} is not known", f"Use one of {', '.join(map(repr, known))}.")
    if strangers := sorted(priorities.keys() - set(ids)):
        _refuse(
            ids, f"priorities name {', '.join(strangers)}, which it does not receive", "Name handoffs by their ids."
        )
    if max_tokens is not None and not is_whole(max_tokens, 1):
        _refuse(ids, f"max_tokens is {max_tokens!r}", "Give a positive number of tokens, or None for no limit.")
    if fault := counter_fault(counter):
        _refuse(ids, f"its counter {fault}", "Give a counter that says how many tokens a text takes.")


def _checked_ids(handoffs: Sequence[Any]) -> list[str]:
    strange = [type(given).__name__ for given in handoffs if not isinstance(given, Handoff)]
    if strange or not handoffs:
        found = f"it was given a {strange[0]}" if strange else "it was given no handoffs"
        _refuse([], found, "Name those that the agent receives: HandoffContext(research_to_writer).")
    ids = [handoff.id for handoff in handoffs]
    if len(set(ids)) < len(ids):
        _refuse(ids, "it was given two handoffs of one id", "Name each handoff once, and give each an id of its own.")
    return ids


def _refuse(ids: Sequence[str], found: str, fix: str) -> NoReturn:
    if not ids:
        raise DefinitionError(handoff="HandoffContext", found=found, fix=fix, kind="middleware")
    raise DefinitionError(handoff=", ".join(ids), found=f"HandoffContext: {found}", fix=fix)
