"""Read by mypy and pyright, never run: what the receiving side promises to type checkers."""

from typing import Any, assert_type

from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType] - langchain leaves a parameter untyped
from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from pydantic import BaseModel

from crux_langgraph import (
    Composed,
    Handoff,
    brief_in,
    brief_messages,
    compose,
    handoff,
    human_message,
    system_message,
)
from crux_langgraph.middleware import HandoffContext


class Brief(BaseModel):
    task: str


@handoff
def passed_on(brief: Brief) -> Brief:
    return brief


other: Handoff[Brief, Brief] = Handoff.of(Brief, id="other")
receiving = HandoffContext(passed_on, other, history="since_handoff", as_="human", max_tokens=100)
agent: Any = create_agent("openai:model", middleware=[receiving])

assert_type(receiving.brief({}), Composed | None)
assert_type(brief_in({}, passed_on, other), Composed | None)
assert_type(brief_messages({}, passed_on), list[AnyMessage])
assert_type(compose([], 10), Composed)
assert_type(human_message(compose([], None)), HumanMessage)
assert_type(system_message(passed_on.as_context(passed_on.received({}))), SystemMessage)

HandoffContext(passed_on, history="replace")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
