"""LangChain's own standard tests for tools, on a delegate's tool: of a function and of a graph, sync and async."""

from typing import Any

from langchain_core.messages import AIMessage
from langchain_tests.integration_tests import ToolsIntegrationTests
from langchain_tests.unit_tests import ToolsUnitTests
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel
from support import Research, to_brief

from crux_langgraph import Delegate, delegate, handoff
from crux_langgraph.tools import DelegateTool

CONTRACT = handoff(id="a-to-b")(to_brief)


@delegate(handoff=CONTRACT)
def research(question: str, depth: int = 1) -> Research:
    """Look into a question."""
    return Research(question=question, findings=["found"] * depth)


class Ask(BaseModel):
    question: str


def graph() -> Any:
    builder: Any = StateGraph(MessagesState)
    builder.add_node("node", lambda _: {"messages": [AIMessage('{"question": "q"}')]})
    builder.add_edge(START, "node")
    return builder.compile(name="asked")


OF_GRAPH: Delegate[Any, Any, Any, Any] = Delegate.from_graph(
    graph(), handoff=CONTRACT, args_schema=Ask, output="text", description="Ask."
)


class _OfFunction:
    @property
    def tool_constructor(self) -> DelegateTool:
        return research.as_tool()

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return {"question": "Why?", "depth": 2}


class _OfGraph:
    @property
    def tool_constructor(self) -> DelegateTool:
        return OF_GRAPH.as_tool()

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return {"question": "Why?"}


class TestUnitOfFunction(_OfFunction, ToolsUnitTests):
    """The unit tests, of a function."""


class TestIntegrationOfFunction(_OfFunction, ToolsIntegrationTests):
    """The integration tests, of a function."""


class TestUnitOfGraph(_OfGraph, ToolsUnitTests):
    """The unit tests, of a graph."""


class TestIntegrationOfGraph(_OfGraph, ToolsIntegrationTests):
    """The integration tests, of a graph."""
