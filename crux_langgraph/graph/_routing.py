"""add_handoffs: leads the handoffs that an agent's model chooses to their nodes; and the way into the active agent."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START
from langgraph.types import RetryPolicy

from crux_langgraph._handoff import Handoff
from crux_langgraph.errors import Finding
from crux_langgraph.graph._builder import Builder
from crux_langgraph.graph._checking import duplicates, faults
from crux_langgraph.graph._flowing import Path
from crux_langgraph.graph._options import bad_options, require_kinds
from crux_langgraph.graph._placement import Entry, Placement, Route, entries_of, placements_of, routes_of, watched
from crux_langgraph.graph._routed import RequestRouter, RoutedNode
from crux_langgraph.graph._settling import active_nodes, refuse, settle
from crux_langgraph.graph._shape import as_mapping
from crux_langgraph.graph._state import ACTIVE_KEY
from crux_langgraph.graph._tracing import UNSEEN
from crux_langgraph.graph._writing import History, Write


def add_handoffs(
    builder: Any,
    source: str,
    handoffs: Iterable[Handoff[Any, Any, Any]],
    *,
    default: str = END,
    write: Write = None,
    history: History = "keep",
    max_hops: int | None = None,
    retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
    error_handler: Callable[..., Any] | None = None,
) -> list[str]:
    """Lead the handoffs that the model of `source` asks for to their targets, and give the names of their nodes.

    Each handoff becomes a node, which runs once per request, and then the target, its `to_agent`, once per payload: with
    that payload alone in `handoffs`, and the rest of what the target declares as the source left it. Several requests of
    one turn run side by side. Without a request the way leads on to `default`. Several sources may share a handoff.

    Options:
        default: the node after a turn without a handoff. A plain edge there is replaced.
        write: `"messages"` gives the target the brief as a human message too; None leaves it to `HandoffContext`.
        history: with `write="messages"`, which messages the target is sent: `"keep"` those so far and the brief, or
            `"replace"`: the brief alone. The state keeps them all.
        max_hops: the most hops that a payload may have come by since the user last spoke, this one included; None for
            no limit. A payload that goes round unchanged is refused with and without it.
        retry_policy, error_handler: of each handoff node, as in `StateGraph.add_node`.

    Raises `WiringError` with every `Finding` about what is there already; the rest is checked when the graph compiles:
    targets and tools that do not fit, a tool whose requests nobody leads on, a state without `handoff_requests`.
    """
    given = list(handoffs)
    for handoff in given:
        require_kinds(builder, handoff)
    refuse(*_misused(builder, source, given))
    view = Builder(builder)
    placements = [
        Placement(
            handoff=handoff,
            name=handoff.id,
            source=None,
            target=handoff.to_agent,
            write=write,
            history=history,
            max_hops=max_hops,
            is_routed=True,
        )
        for handoff in given
    ]
    new = [placement for placement in placements if placement not in placements_of(builder)]
    refuse(*(finding for placement in new for finding in _faults(builder, view, placement)))
    watch = watched(builder, settle)
    for placement in new:
        _add_node(view, placement, retry_policy, error_handler)
        watch.placements.append(placement)
    nodes = {placement.handoff.id: placement.name for placement in placements}
    schema = view.input_schema(placements[0].name)
    branch = view.add_branch(source, RequestRouter(source, nodes, default), [*nodes.values(), default], schema)
    watch.routes.append(Route(source, nodes, default, branch))
    view.drop_edge(source, default)
    return list(nodes.values())


def add_active_router(builder: Any, *, default: str) -> None:
    """Begin each turn at the agent that a model handed to last, and at `default` when there was none, or none is here.

    It reads `active_agent` of `HandoffState`, which handoffs of `add_handoffs` write and those of `add_handoff` never do.
    A plain edge from START to `default` is replaced. Raises `WiringError`; the nodes are checked when the graph compiles.
    """
    if entries_of(builder):
        refuse(Finding("duplicate-route", START, "there is an active router in this graph already; add one."))
    if not isinstance(cast("object", default), str) or default in (START, END):
        refuse(Finding("bad-option", START, f"default= is {default!r}; give the name of the node that turns begin at."))
    view = Builder(builder)
    branch = view.add_branch(START, ActiveRouter(default), active_nodes(builder, default))
    watched(builder, settle).entries.append(Entry(default, branch))
    view.drop_edge(START, default)


class ActiveRouter(Path):
    """The path of the conditional edge from START: the active agent where it can be one, else the default."""

    name = "active_agent"

    def __init__(self, default: str) -> None:
        """Begin at `default` when no agent is active."""
        self._default = default
        self.known: frozenset[str] = frozenset()
        """The nodes that can be active. Settled at compile."""

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002, ARG002 - as Runnable names them
        """Give the node that the turn begins at."""
        active = as_mapping(input).get(ACTIVE_KEY)
        return active if active in self.known else self._default


def _misused(builder: Any, source: Any, handoffs: Sequence[Handoff[Any, Any, Any]]) -> Iterable[Finding]:
    if not isinstance(source, str) or source in (START, END):
        yield Finding("bad-option", str(source), "source= must be the node of the agent whose model hands over.")
    if not handoffs:
        yield Finding("bad-option", str(source), "it was given no handoffs; name those that its model may choose.")
    ids = [handoff.id for handoff in handoffs]
    for twice in sorted({one for one in ids if ids.count(one) > 1}):
        yield Finding("duplicate-id", twice, f"the handoff {twice!r} was named twice; name it once.")
    if any(route.source == source for route in routes_of(builder)):
        yield Finding(
            "duplicate-route",
            str(source),
            f"the handoffs of {source!r} are routed already; name all of them in one add_handoffs.",
        )


def _faults(builder: Any, view: Builder, placement: Placement) -> Iterable[Finding]:
    if placement.target is None:
        yield Finding("unknown-node", placement.name, "it names no target; give the handoff to_agent=.")
    yield from bad_options(placement)
    if callable(placement.write):
        yield Finding("bad-option", placement.name, "write= is a function; give 'messages' or nothing.")
    yield from duplicates(builder, placement)
    if view.has_node(placement.name):
        yield Finding(
            "duplicate-id", placement.name, "there is a node of this name already; give the handoff another id=."
        )
    yield from faults(view, placement)


def _add_node(view: Builder, placement: Placement, retry_policy: Any, error_handler: Any) -> None:
    target = str(placement.target)
    view.add_node(
        placement.name,
        RoutedNode(
            placement.handoff,
            name=placement.name,
            target=target,
            write=placement.write,
            history=placement.history,
            max_hops=placement.max_hops,
        ),
        metadata={"crux_handoff_id": placement.handoff.id},
        trace_policy=UNSEEN,
        input_schema=view.handoff_view(notes=False),
        retry_policy=retry_policy,
        error_handler=error_handler,
        destinations=(target,),
    )
