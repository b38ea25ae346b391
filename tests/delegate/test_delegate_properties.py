"""What holds for whatever a model calls with and whatever a subagent returns."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, ToolMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from pydantic import BaseModel
from support import Research, to_brief

from crux_langgraph import Delegate, delegate, errors, handoff

CONTRACT = handoff(id="a-to-b")(to_brief)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["question", "depth", "source", "runtime", "config", "context", "repair"]) | st.text(max_size=8)


class Source(BaseModel):
    url: str


@delegate(handoff=CONTRACT, on_error="tell")
def research(question: str, depth: int = 1, source: Source | None = None) -> Research:
    """Look into a question."""
    return Research(question=question, findings=[source.url] if source else [])


def node() -> Any:
    builder: Any = StateGraph(MessagesState)
    builder.add_node("tools", ToolNode(research.as_tools()))
    builder.add_edge(START, "tools")
    return builder.compile()


GRAPH = node()


@settings(max_examples=40, deadline=None)
@given(arguments=st.dictionaries(NAMES, JSON, max_size=4))
def test_whatever_a_model_calls_with_is_answered_once_and_says_something(arguments: dict[str, Any]) -> None:
    asked = AIMessage("", tool_calls=[{"name": "research", "args": arguments, "id": "1", "type": "tool_call"}])
    _, answer = GRAPH.invoke({"messages": [asked]})["messages"]
    assert (type(answer), answer.tool_call_id) == (ToolMessage, "1")
    if answer.status == "success":
        assert research.result(answer).data.task == arguments["question"]
        assert json.loads(answer.content)["data"]["task"] == arguments["question"]
    else:
        assert answer.content.startswith("delegate 'research' (layer: arguments)")
        assert "expected" in answer.content


@settings(max_examples=60, deadline=None)
@given(returned=JSON | st.dictionaries(st.sampled_from(["question", "findings"]), JSON))
def test_whatever_a_subagent_returns_is_handed_over_valid_or_kept_on_a_typed_error(returned: Any) -> None:
    made: Delegate[Any, Any] = delegate(handoff=CONTRACT)(returning(returned))
    outcome = outcome_of(made)
    if isinstance(outcome, errors.ReturnError):
        assert outcome.returned is returned
        assert outcome.problems
    else:
        assert Research.model_validate(json.loads(returned) if isinstance(returned, str) else returned)
        assert made.result(made.as_tool(name="t").invoke(CALL)).data == outcome.data


def outcome_of(made: Delegate[Any, Any]) -> Any:
    try:
        return made.run({})
    except errors.ReturnError as error:
        return error


CALL = {"name": "t", "args": {}, "id": "1", "type": "tool_call"}


def returning(value: Any) -> Any:
    def subagent() -> Research:
        """Return it."""
        return value  # type: ignore[no-any-return]

    return subagent
