"""What is done when a graph with handoffs compiles: edges past a handoff give way to it, and all findings are refused."""

from typing import Any

from langgraph.graph import START

from crux_langgraph.errors import Finding, WiringError
from crux_langgraph.graph._agents import agent_of
from crux_langgraph.graph._builder import Builder
from crux_langgraph.graph._checking import check
from crux_langgraph.graph._placement import Placement, Route, entries_of, placements_of, routes_of
from crux_langgraph.graph._routed import carried_keys


def settle(builder: Any) -> None:
    """Rewire what was added since, and raise `WiringError` when something cannot work."""
    view = Builder(builder)
    for placement in placements_of(builder):
        drop_direct_edge(view, placement)
    for route in routes_of(builder):
        view.drop_edge(route.source, route.default)
        _settle_route(builder, route)
    for entry in entries_of(builder):
        view.drop_edge(START, entry.default)
        known = active_nodes(builder, entry.default)
        view.set_branch_ends(START, entry.branch, known)
        view.path(START, entry.branch).known = frozenset(known)
    refuse(*(finding for finding in check(builder) if finding.level == "error"))


def _settle_route(builder: Any, route: Route) -> None:
    """Say what each target of a route is sent: the part of the state that it declares."""
    view = Builder(builder)
    targets = {placement.name: placement.target for placement in placements_of(builder)}
    carried: dict[str, frozenset[str]] = {}
    for handoff, node in route.nodes.items():
        target = targets[node]
        if target is not None and target in view.node_names:
            agent = agent_of(view, target)
            carried[handoff] = carried_keys(agent.input_keys if agent else view.declared_keys(target))
            view.runnable(node).target_schema = None if agent else view.input_schema(target)
    view.path(route.source, route.branch).carried = carried


def drop_direct_edge(view: Builder, placement: Placement) -> None:
    """Remove the plain edge that leads past a handoff from its source to its target."""
    if placement.source is not None and placement.target is not None:
        view.drop_edge(placement.source, placement.target)


def active_nodes(builder: Any, default: str) -> list[str]:
    """Give the nodes that can be active at the start of a turn: the default, and where routed handoffs lead."""
    led_to = [placement.target for placement in placements_of(builder) if placement.is_routed]
    return list(dict.fromkeys([default, *(node for node in led_to if node is not None)]))


def refuse(*findings: Finding) -> None:
    """Raise `WiringError` with these findings, if there are any."""
    if findings:
        raise WiringError(findings=findings)
