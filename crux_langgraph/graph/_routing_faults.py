"""What is wrong with the handoffs that models choose, read off a builder and the agents that can be seen in it.

Codes of findings:
    unknown-node       a default that is no node of the graph
    missing-channel    the state has no `handoff_requests` or `active_agent` channel, or another one than ours
    missing-key        a tool reads a field from a state that does not declare it
    unrouted           an agent has the tool of a handoff that nothing leads on from there
    no-routing         an agent has the tool of a handoff, and what it asks for never leaves the agent
    colliding-tools    two tools of one agent have one name
    routed-twice       a plain edge leads on from the source, beside the routed handoffs
    never-asked        a warning: the agent has tools, and none for a handoff that is routed from there
"""

from collections.abc import Iterator
from typing import Any

from langgraph.graph import END, START

from crux_langgraph._requesting import REQUESTS_KEY, tool_name_of
from crux_langgraph.errors import Finding
from crux_langgraph.graph._agents import agent_of, asked_from, handoff_of, tools_of
from crux_langgraph.graph._builder import Builder
from crux_langgraph.graph._placement import Route, entries_of, placements_of, routes_of
from crux_langgraph.graph._state import ACTIVE_KEY, merge_requests


def routing_faults(builder: Any) -> Iterator[Finding]:
    """Give everything that is wrong with the routes of a graph, and with the handoff tools in it."""
    view = Builder(builder)
    for route in routes_of(builder):
        yield from _nodes(view, route)
        yield from _requests_channel(view, route)
        yield from _plain_edges(view, route)
        yield from _collisions(builder, view, route)
    for entry in entries_of(builder):
        yield from _entry(view, entry.default)
    routed = {(route.source, handoff) for route in routes_of(builder) for handoff in route.nodes}
    for node in view.node_names:
        yield from _tools(view, node, routed)


def _nodes(view: Builder, route: Route) -> Iterator[Finding]:
    for side, node in (("source", route.source), ("default", route.default)):
        if not view.has_node(node):
            message = f"the {side} {node!r} of its handoffs is no node of this graph; add it, or name another one."
            yield Finding("unknown-node", route.source, message)


def _requests_channel(view: Builder, route: Route) -> Iterator[Finding]:
    channel = view.state_keys.get(REQUESTS_KEY)
    state = getattr(view.state_schema, "__name__", str(view.state_schema))
    if getattr(channel, "operator", None) is not merge_requests:
        told = "has no" if channel is None else "has another"
        yield Finding(
            "missing-channel",
            route.source,
            f"{state} {told} {REQUESTS_KEY!r} channel, so what a model asks for would vanish; mix in HandoffState, or "
            f"declare `{REQUESTS_KEY}: HandoffRequests` in a pydantic or dataclass state.",
        )
    if ACTIVE_KEY not in view.state_keys:
        yield Finding(
            "missing-channel",
            route.source,
            f"{state} has no {ACTIVE_KEY!r} channel; mix in HandoffState, or declare `{ACTIVE_KEY}: ActiveAgent = None`.",
        )


def _plain_edges(view: Builder, route: Route) -> Iterator[Finding]:
    for end in view.plain_ends(route.source):
        if end not in (route.default, END):
            yield Finding(
                "routed-twice",
                route.source,
                f"the plain edge to {end!r} is taken beside every handoff of {route.source!r}; take it out, or give "
                f"add_handoffs(..., default={end!r}).",
            )


def _collisions(builder: Any, view: Builder, route: Route) -> Iterator[Finding]:
    """Give the handoffs whose tool has the name of another one: an agent keeps the last tool of a name alone."""
    handoffs = [one.handoff for one in placements_of(builder) if one.handoff.id in route.nodes and one.is_routed]
    agent = agent_of(view, route.source)
    tools = agent.tools if agent else tools_of(view, route.source)
    have = {handoff_of(tool).id for tool in tools.values() if handoff_of(tool) is not None}
    taken = set(tools)
    for handoff in (one for one in handoffs if one.id not in have):
        name = tool_name_of(handoff.to_agent)
        if name in taken:
            yield Finding(
                "colliding-tools",
                route.source,
                f"the tool of {handoff.id!r} would be named {name!r}, as another one is; name it in as_tool(name=...).",
            )
        elif tools:
            message = f"its model may choose {handoff.id!r} and has no tool for it; give it the handoff's as_tool()."
            yield Finding("never-asked", route.source, message, "warning")
        taken.add(name)


def _entry(view: Builder, default: str) -> Iterator[Finding]:
    if not view.has_node(default):
        message = f"turns begin at {default!r}, which is no node of this graph; add it, or give another default=."
        yield Finding("unknown-node", START, message)
    if ACTIVE_KEY not in view.state_keys:
        message = f"the state has no {ACTIVE_KEY!r} channel to begin at; mix in HandoffState."
        yield Finding("missing-channel", START, message)
    for end in view.plain_ends(START):
        if end != default:
            message = f"the edge from START to {end!r} is taken in every turn, whoever is active; take it out."
            yield Finding("routed-twice", START, message)


def _tools(view: Builder, node: str, routed: set[tuple[str, str]]) -> Iterator[Finding]:
    agent = agent_of(view, node)
    for tool in asked_from(view, node):
        handoff = handoff_of(tool)
        if agent is not None and not agent.hands_requests_up:
            yield Finding(
                "no-routing",
                node,
                f"its tool {tool.name!r} asks for {handoff.id!r}, which never leaves the agent; give it "
                "middleware=[HandoffRouting()], from crux_langgraph.middleware.",
            )
        elif (node, handoff.id) not in routed:
            yield Finding(
                "unrouted",
                node,
                f"its tool {tool.name!r} asks for {handoff.id!r}, which nothing leads on; name that handoff in "
                f"add_handoffs(builder, {node!r}, [...]).",
            )
        yield from _state_keys(view, node, tool)


def _state_keys(view: Builder, node: str, tool: Any) -> Iterator[Finding]:
    """Give the fields that a tool reads from its agent's state, and that no key of it can give."""
    agent = agent_of(view, node)
    known = agent.state_keys if agent and tool in agent.tools.values() else view.state_keys
    for field, keys in tool.state_keys.items():
        required = tool.handoff.input_schema.model_fields[field].is_required()
        if required and known.keys().isdisjoint(keys):
            yield Finding(
                "missing-key",
                node,
                f"its tool {tool.name!r} reads {field!r} from the agent's state, which does not declare it; declare it in "
                "the agent's state_schema, or let the model fill it.",
            )
