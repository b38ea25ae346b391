"""The tool by which a receiving agent reads what its brief left out. Imports LangGraph's tool runtime: load it late."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, cast

from langchain_core.tools import StructuredTool, ToolException
from langgraph.prebuilt import ToolRuntime
from pydantic import BaseModel, Field

from crux_langgraph._numbers import is_whole
from crux_langgraph._pages import Asked, page_of
from crux_langgraph._payload import Payload
from crux_langgraph._waiting import AWAITING, BLOCKING, Way, finish
from crux_langgraph.compression import estimate_tokens, fit
from crux_langgraph.errors import CruxError, DefinitionError, ReadError

READ_HANDOFF = "read_handoff"
"""The name of the tool, unless another one is given."""

LEAST_PAGE = 200
"""Tokens of an answer: below, heading and fence leave little room for text."""

_NO_RUNTIME = cast("ToolRuntime[Any, Any]", None)


class Readable(Protocol):
    """What the tool reads: a handoff."""

    id: str

    def received_all(self, state: object) -> Sequence[Payload[Any]]:
        """Give the payloads of the latest round in a state."""
        ...


class ReadArguments(BaseModel):
    """What to read."""

    path: str = Field(
        default="",
        max_length=500,
        description="The field, e.g. findings, pages[2].body (from 0), or pages[].url for all. Empty for everything.",
    )
    offset: int = Field(default=0, ge=0, description="The character to start at.")
    limit: int | None = Field(default=None, ge=1, description="The most characters.")
    about: str = Field(default="", max_length=500, description="Instead of reading on: what to look for in it.")
    handoff: str = Field(default="", max_length=64, description="The handoff, where there are several.")
    item: int = Field(default=1, ge=1, description="Which payload of the handoff, where there are several of it.")


class ReadHandoffTool(StructuredTool):
    """Reads, for the agent that received handoffs, what their briefs left out. Made by `read_handoff`.

    `handoffs` are those it reads, `max_tokens` is the size of an answer by the handoff's counter.
    """

    handle_tool_error: Any = True
    handoffs: tuple[Any, ...]
    max_tokens: int

    @classmethod
    def of(cls, handoffs: Iterable[Readable], max_tokens: int, name: str = READ_HANDOFF) -> "ReadHandoffTool":
        """Make the tool of these handoffs, each of them once."""
        known = {handoff.id: handoff for handoff in handoffs}
        reader = _Reader(known, max_tokens)
        return cls(
            name=name,
            description=f"Read in full what the brief of {', '.join(known)} left out or shows only in part. "
            "Private fields cannot be read.",
            args_schema=ReadArguments,
            func=reader.read,
            coroutine=reader.aread,
            handoffs=tuple(known.values()),
            max_tokens=max_tokens,
        )

    def joined(self, other: "ReadHandoffTool") -> "ReadHandoffTool":
        """Make one tool of two: it reads the handoffs of both, in answers of the smaller size."""
        return ReadHandoffTool.of(
            (*self.handoffs, *other.handoffs), min(self.max_tokens, other.max_tokens), name=self.name
        )


class _Reader:
    """Answers the calls of one tool."""

    def __init__(self, handoffs: dict[str, Readable], max_tokens: int) -> None:
        self._handoffs = handoffs
        self._max_tokens = max_tokens

    def read(self, runtime: ToolRuntime[Any, Any] = _NO_RUNTIME, **arguments: Any) -> str:
        """Answer a synchronous call."""
        return finish(self._answer(BLOCKING, runtime, arguments))

    async def aread(self, runtime: ToolRuntime[Any, Any] = _NO_RUNTIME, **arguments: Any) -> str:
        """Answer an asynchronous call."""
        return await self._answer(AWAITING, runtime, arguments)

    async def _answer(self, way: Way, runtime: ToolRuntime[Any, Any], arguments: dict[str, Any]) -> str:
        state: object = getattr(runtime, "state", {})
        try:
            # Off the event loop: a payload of megabytes is validated and searched.
            return cast("str", await way.call(self._page, state, **arguments))
        except CruxError as error:
            told = fit(str(error), self._max_tokens, counter=estimate_tokens).text
            raise ToolException(told) from error

    def _page(self, state: object, *, handoff: str = "", item: int = 1, **asked: Any) -> str:
        chosen = self._chosen(handoff)
        payloads = chosen.received_all(state)
        if item > len(payloads):
            raise ReadError(
                handoff=chosen.id,
                found=f"item {item} was asked for, and {len(payloads)} of it were received",
                fix="Read one that was received, counted from 1.",
                reason="unknown",
            )
        return page_of(payloads[item - 1], Asked(**asked), self._max_tokens)

    def _chosen(self, handoff: str) -> Readable:
        if not handoff and len(self._handoffs) == 1:
            return next(iter(self._handoffs.values()))
        if handoff not in self._handoffs:
            raise ReadError(
                handoff=handoff,
                found="this agent receives no such handoff",
                fix=f"Name one of {', '.join(self._handoffs)} as handoff.",
                reason="unknown",
            )
        return self._handoffs[handoff]


def read_handoff(*handoffs: Readable, max_tokens: int = 1_000, name: str = READ_HANDOFF) -> ReadHandoffTool:
    """Make the tool by which a receiving agent reads what its brief left out: `ToolNode([read_handoff(to_writer)])`.

    It reads the payloads in the `handoffs` channel of the state that its node is given, so the agent or the graph that
    runs it must have that channel. An answer takes at most `max_tokens` by the handoff's counter, heading and fence
    included: a longer text is read page by page, or by what it says `about` something. A path that leads nowhere or to
    something private is told to the model. `HandoffContext` adds this tool by itself where something was left out.

    Raises `DefinitionError` when there is nothing to read, or too little room for an answer.
    """
    if not handoffs:
        raise DefinitionError(
            handoff=name,
            found="it was given no handoffs",
            fix="Name what it reads: read_handoff(to_writer).",
            kind="tool",
        )
    return ReadHandoffTool.of(handoffs, checked_page(name, max_tokens, kind="tool"), name)


def checked_page(name: str, max_tokens: int, *, kind: str) -> int:
    """Give `max_tokens` if an answer of that size has room for text, or raise `DefinitionError`."""
    if not is_whole(max_tokens, LEAST_PAGE):
        raise DefinitionError(
            handoff=name,
            found=f"an answer would have {max_tokens!r} tokens",
            fix=f"Give it at least {LEAST_PAGE}, for the heading, the fence and some text.",
            kind=kind,
        )
    return max_tokens
