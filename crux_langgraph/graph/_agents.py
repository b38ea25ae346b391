"""What can be seen of an agent that is a node: a compiled graph, as `create_agent` gives it, read by its public attributes.

What cannot be seen (an agent called by a function, a tool added while it runs) is not judged.
"""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

from langchain_core import tools as core_tools

from crux_langgraph._requesting import REQUESTS_KEY
from crux_langgraph.graph._builder import Builder
from crux_langgraph.graph._placement import routes_of

_RESPONSE = "structured_response"
_FORMATS = ("initial_response_format", "response_format")
"""What `create_agent` calls the response format inside of its model node, which does not tell it otherwise."""


class Agent(NamedTuple):
    """A graph that is a node of another one."""

    builder: Any

    @property
    def input_keys(self) -> Mapping[str, Any]:
        """The keys that it takes from the graph around it."""
        return self._keys("input_schema")

    @property
    def hands_requests_up(self) -> bool:
        """Say whether what its tools queue reaches the graph around it."""
        return REQUESTS_KEY in self._keys("output_schema")

    @property
    def state_keys(self) -> Mapping[str, Any]:
        """The keys of its own state."""
        return self._keys("state_schema")

    @property
    def tools(self) -> "dict[str, core_tools.BaseTool]":
        """The tools that it can call, by name."""
        view = Builder(self.builder)
        return {name: tool for node in view.node_names for name, tool in tools_of(view, node).items()}

    @property
    def middleware(self) -> list[Any]:
        """The middleware whose hooks are nodes of it."""
        view = Builder(self.builder)
        hooks = [getattr(view.runnable(node), attribute, None) for node in view.node_names for attribute in _SIDES]
        owners = [getattr(hook, "__self__", None) for hook in hooks]
        return list({id(owner): owner for owner in owners if owner is not None}.values())

    @property
    def response_model(self) -> Any:
        """The type of its structured response; None where it has none, or none can be seen."""
        function = getattr(Builder(self.builder).runnable("model"), "func", None)
        if not inspect.isfunction(function):
            return None
        around = inspect.getclosurevars(function).nonlocals
        formats = [around[name] for name in _FORMATS if around.get(name) is not None]
        return getattr(formats[0], "schema", None) if formats else None

    def _keys(self, schema: str) -> Mapping[str, Any]:
        keys: Mapping[str, Any] = self.builder.schemas[getattr(self.builder, schema)]
        return keys


_SIDES = ("func", "afunc")


def agent_of(view: Builder, node: str) -> Agent | None:
    """Give the graph that a node is; None for a function, or when there is no such node."""
    builder = getattr(view.runnable(node), "builder", None)
    return None if builder is None else Agent(builder)


def tools_of(view: Builder, node: str) -> "dict[str, core_tools.BaseTool]":
    """Give the tools of a node that runs tools, by name; empty for any other node."""
    tools: object = getattr(view.runnable(node), "tools_by_name", None)
    return dict(cast("Mapping[str, core_tools.BaseTool]", tools)) if isinstance(tools, Mapping) else {}


def asked_from(view: Builder, node: str) -> "Iterator[core_tools.BaseTool]":
    """Give the tools by which models ask for a handoff that this node's own graph, if it is one, does not route."""
    yield from (tool for tool in tools_of(view, node).values() if handoff_of(tool) is not None)
    agent = agent_of(view, node)
    if agent is None:
        return
    inside = Builder(agent.builder)
    routed = {(route.source, handoff) for route in routes_of(agent.builder) for handoff in route.nodes}
    for name in inside.node_names:
        yield from (tool for tool in asked_from(inside, name) if (name, handoff_of(tool).id) not in routed)


def handoff_of(tool: "core_tools.BaseTool") -> Any:
    """Give the handoff that a tool asks for; None for any other tool."""
    # Not by its class: that would import LangGraph's prebuilt package for graphs without one such tool.
    return getattr(tool, "handoff", None)
