"""What several tests use: one call both ways, models, handoffs, a scripted chat model."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pydantic
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.graph import END, START, StateGraph
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr
from typing_extensions import TypeAliasType

from crux_langgraph import Handoff, HandoffState, Payload, add_handoff, handoff

MASKS_EVERYWHERE = tuple(map(int, pydantic.VERSION.split(".")[:2])) >= (2, 14)
"""Whether this pydantic asks the fields of a named tuple and extra values how they are written."""


@dataclass(frozen=True)
class Call:
    """Calls the sync or the async form of one thing; the sync form inside the running loop, as in a notebook."""

    way: str

    @property
    def is_async(self) -> bool:
        return self.way == "ainvoke"

    async def __call__(self, runnable: Any, *args: Any, **kwargs: Any) -> Any:
        if self.is_async:
            return await runnable.ainvoke(*args, **kwargs)
        return runnable.invoke(*args, **kwargs)

    async def prepare(self, handoff: Any, value: Any) -> Any:
        if self.is_async:
            return await handoff.aprepare(value)
        return handoff.prepare(value)

    async def run(self, delegate: Any, args: Any, **options: Any) -> Any:
        if self.is_async:
            return await delegate.arun(args, **options)
        return delegate.run(args, **options)

    async def stream(self, runnable: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if self.is_async:
            return [chunk async for chunk in runnable.astream(*args, **kwargs)]
        return list(runnable.stream(*args, **kwargs))


class Research(BaseModel):
    question: str
    findings: list[str] = Field(default_factory=list)


class Brief(BaseModel):
    task: str
    facts: list[str] = Field(default_factory=list)


GOOD = {"question": "Why?", "findings": ["one", "two"]}
BAD = {"question": "Why?", "findings": "one"}


def to_brief(research: Research) -> Brief:
    """Answer the question."""
    return Brief(task=research.question, facts=research.findings)


def make(**options: Any) -> Handoff[Research, Brief]:
    return handoff(**{"id": "a-to-b", "from_agent": "a", "to_agent": "b", **options})(to_brief)


class State(HandoffState, total=False):
    found: Any
    seen: Any


def reader(contract: Handoff[Any, Any]) -> Any:
    """A node that notes which payload it received."""

    def b(state: Any) -> dict[str, Any]:
        payload: Payload[Any] = contract.received(state)
        return {"seen": payload.data.model_dump()}

    return b


def two_agents(contract: Handoff[Any, Any], schema: Any = State, found: Any = GOOD, **options: Any) -> StateGraph[Any]:
    """The smallest graph with a handoff: a writes `found`, b notes what it received as `seen`."""
    builder: Any = StateGraph(schema)
    builder.add_node("a", lambda _: {"found": found} if found is not None else {})
    builder.add_node("b", reader(contract))
    builder.add_edge(START, "a")
    add_handoff(builder, contract, **{"read": "found", **options})
    builder.add_edge("b", END)
    return builder


class ScriptedModel(BaseChatModel):
    """Answers with the given messages in turn and keeps what it was sent."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    replies: list[Any]
    _sent: list[list[BaseMessage]] = PrivateAttr(default_factory=list)

    @property
    def sent(self) -> list[list[BaseMessage]]:
        return self._sent

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        reply = self.replies[min(len(self._sent), len(self.replies) - 1)]
        self._sent.append(list(messages))
        message = reply if isinstance(reply, AIMessage) else AIMessage(reply)
        return ChatResult(generations=[ChatGeneration(message=message.model_copy(update={"id": None}))])


def calling(*calls: Any) -> AIMessage:
    """A model's message that calls these tools."""
    return AIMessage("", tool_calls=list(calls))


def alias_of_itself(item: Any) -> Any:
    """What the `type` statement of Python 3.12 makes of `type Nested = list[Nested] | item`."""
    if sys.version_info >= (3, 12):
        names: dict[str, Any] = {"item": item}
        exec("type Nested = list[Nested] | item", names)
        return names["Nested"]
    nested: Any = TypeAliasType("Nested", item)
    object.__setattr__(nested, "__value__", list[nested] | item)
    return nested
