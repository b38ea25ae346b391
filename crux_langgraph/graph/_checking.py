"""What is wrong with the wiring of a graph's handoffs, read off its builder.

Codes of findings:
    bad-option         an option of `add_handoff` cannot work, whatever the graph
    unknown-node       source or target is no node of the graph, or nobody says which it is
    duplicate-id       two handoffs have one id, or one node name
    missing-channel    the state has no `handoffs` channel, or one whose reducer is not ours
    missing-key        the state lacks a key that the handoff reads
    mistyped-key       a key that is read holds something that can never be the input
    missing-messages   write="messages", and the state has no `messages` channel that takes a message
    conditional-bypass a conditional edge leads past the handoff
    join-bypass        an edge from several sources leads past the handoff
    command-bypass     a `Command(goto=...)` destination leads past the handoff
    routed-twice       the user's own routing chooses the way that a plain edge takes always
    repair-bypass      an edge leads on from a handoff that can be sent back for repair
    mistyped-response  the source agent's response format can never be the input

Of handoffs that a model chooses: see `_routing_faults`. Of what works and is still not meant: see `_advising`.
"""

import operator
from collections.abc import Iterator
from typing import Any

from langgraph.channels import LastValue

from crux_langgraph._contract import keys_of
from crux_langgraph._payload import HANDOFFS_KEY
from crux_langgraph.errors import Finding
from crux_langgraph.graph._advising import advice
from crux_langgraph.graph._agents import agent_of
from crux_langgraph.graph._builder import Builder
from crux_langgraph.graph._placement import Placement, placements_of
from crux_langgraph.graph._routing_faults import routing_faults
from crux_langgraph.graph._running import MESSAGES_KEY
from crux_langgraph.graph._shape import is_mixed_dataclass
from crux_langgraph.graph._state import merge_handoffs
from crux_langgraph.graph._types import contradicts_field, contradicts_model, converts

_RESPONSE_KEY = "structured_response"


def check(builder: Any) -> tuple[Finding, ...]:
    """Read a builder and give everything that is wrong with its handoffs; empty when nothing is.

    Runs by itself in `add_handoff` and when the graph compiles, which raise `WiringError` with the same findings.
    Findings of level `warning` are given here alone. `builder` may also be the compiled graph. A type, or an agent, that
    cannot be seen is not a finding.
    """
    builder = getattr(builder, "builder", builder)
    view = Builder(builder)
    found: list[Finding] = []
    for placement in placements_of(builder):
        found.extend([*unknown_nodes(view, placement), *faults(view, placement), *response_faults(view, placement)])
        found.extend(advice(view, placement))
    return (*found, *routing_faults(builder))


def faults(view: Builder, placement: Placement) -> Iterator[Finding]:
    """Give what is wrong about one placement, apart from nodes that may still be added."""
    yield from _channel(view, placement)
    if not placement.is_routed:
        yield from _keys(view, placement)
    if placement.write == "messages" or placement.on_invalid is not None:
        yield from _messages(view, placement)
    if placement.source is not None and placement.target is not None:
        yield from _bypasses(view, placement, placement.source, placement.target)
    if placement.goes_by_command:
        yield from _onward_edges(view, placement)
    else:
        yield from _routed_twice(view, placement)


def unknown_nodes(view: Builder, placement: Placement) -> Iterator[Finding]:
    """Give the ends of a placement that are no nodes of the graph."""
    fallback = placement.on_invalid.fallback if placement.on_invalid else None
    for side, node in (("source", placement.source), ("target", placement.target), ("fallback", fallback)):
        if node is not None and not view.has_node(node):
            yield _finding(
                "unknown-node",
                placement,
                f"its {side} {node!r} is no node of this graph; add it, or give {side}= the name of the node.",
            )


def duplicates(builder: Any, placement: Placement) -> Iterator[Finding]:
    """Give the clashes of a new placement with those that its builder has already."""
    for other in placements_of(builder):
        if other.handoff.id == placement.handoff.id:
            yield _finding(
                "duplicate-id",
                placement,
                f"the handoff {other.handoff.id!r} is in this graph already, at node {other.name!r}; "
                "give one of them another id=.",
            )


def _channel(view: Builder, placement: Placement) -> Iterator[Finding]:
    channel = view.state_keys.get(HANDOFFS_KEY)
    state = getattr(view.state_schema, "__name__", str(view.state_schema))
    if channel is None:
        way = f"class {state}(..., HandoffState), or `handoffs: Handoffs` in a pydantic or dataclass state"
        yield _finding("missing-channel", placement, f"{state} has no {HANDOFFS_KEY!r} channel; declare {way}.")
    elif is_mixed_dataclass(view.state_schema):
        yield _finding(
            "missing-channel",
            placement,
            f"{state} is a dataclass that mixes in HandoffState, which is for TypedDict states only; declare "
            "`handoffs: Handoffs = field(default_factory=dict)` in its place.",
        )
    elif getattr(channel, "operator", None) is not merge_handoffs:
        yield _finding(
            "missing-channel",
            placement,
            f"{HANDOFFS_KEY!r} in {state} is not the channel of this package; declare it as `handoffs: Handoffs` "
            "(a reducer counts only as the last item of its Annotated).",
        )


def _keys(view: Builder, placement: Placement) -> Iterator[Finding]:
    model = placement.handoff.input_schema
    if isinstance(placement.read, str):
        key = placement.read
        if key not in view.state_keys:
            yield _missing(placement, key)
        elif contradicts_model(_held(view, key), model):
            yield _mistyped(view, placement, key, model)
    elif placement.read is None:
        yield from _fields(view, placement)


def _fields(view: Builder, placement: Placement) -> Iterator[Finding]:
    model = placement.handoff.input_schema
    keys = keys_of(model)
    known = {key for names in keys.values() for key in names}
    if not known & view.state_keys.keys():
        yield _finding(
            "missing-key",
            placement,
            f"the state has none of the fields of {model.__name__} ({', '.join(sorted(known))}); "
            "give read= the key or the function that finds the input.",
        )
        return
    for name, field in model.model_fields.items():
        declared = [key for key in keys[name] if key in view.state_keys]
        if not declared and field.is_required() and not converts(model):
            yield _missing(placement, name)
        for key in declared:
            if contradicts_field(_held(view, key), model, name):
                yield _mistyped(view, placement, key, field.annotation)


def _held(view: Builder, key: str) -> Any:
    return getattr(view.state_keys[key], "typ", Any)


def _missing(placement: Placement, key: str) -> Finding:
    return _finding(
        "missing-key",
        placement,
        f"it reads the state key {key!r}, which the state does not declare; declare it, or give read= another.",
    )


def _mistyped(view: Builder, placement: Placement, key: str, wanted: Any) -> Finding:
    return _finding(
        "mistyped-key",
        placement,
        f"it reads {_name(wanted)} from the state key {key!r}, which holds {_name(_held(view, key))}; "
        "read another key, or convert it in a read= function.",
    )


def _messages(view: Builder, placement: Placement) -> Iterator[Finding]:
    channel = view.state_keys.get(MESSAGES_KEY)
    told = None
    if channel is None:
        told = "a 'messages' channel in the state"
    elif isinstance(channel, LastValue):
        told = "a 'messages' channel with a reducer: this one would keep the brief alone"
    elif placement.history == "replace" and getattr(channel, "operator", None) is operator.add:
        told = "a 'messages' channel whose reducer removes messages, for history='replace'; operator.add does not"
    if told is not None:
        asked = "write='messages'" if placement.write == "messages" else "on_invalid"
        message = f"{asked} needs {told}; build the state on MessagesState."
        yield _finding("missing-messages", placement, message)


def _bypasses(view: Builder, placement: Placement, source: str, target: str) -> Iterator[Finding]:
    for name, ends in view.branch_ends(source):
        if target in ends:
            yield _finding(
                "conditional-bypass",
                placement,
                f"the conditional edge {name!r} leads from {source!r} past the handoff to {target!r}; use source=None "
                f"and name {placement.name!r} in its path_map, or in Command(goto={placement.name!r}).",
            )
    for sources, end in view.joins():
        if source in sources and end == target:
            yield _finding(
                "join-bypass",
                placement,
                f"the edge from {list(sources)} leads past the handoff to {target!r}; use target=None and "
                f"add_edge([..., {placement.name!r}], {target!r}) in its place.",
            )
    if target in view.destinations(source):
        yield _finding(
            "command-bypass",
            placement,
            f"{source!r} declares Command(goto={target!r}), which leads past the handoff; use source=None and "
            f"go to {placement.name!r} instead.",
        )


def _routed_twice(view: Builder, placement: Placement) -> Iterator[Finding]:
    for side, node, end in (
        ("source", placement.source, placement.name),
        ("target", placement.name if placement.target is not None else None, placement.target),
    ):
        if node is None or end is None:
            continue
        routes = [f"the conditional edge {name!r}" for name, ends in view.branch_ends(node) if end in ends]
        if end in view.destinations(node):
            routes.append(f"Command(goto={end!r})")
        for route in routes:
            yield _finding(
                "routed-twice",
                placement,
                f"{route} chooses when to go from {node!r} to {end!r}, and the plain edge of this handoff goes there "
                f"always; use {side}=None and leave that side to it.",
            )


def _onward_edges(view: Builder, placement: Placement) -> Iterator[Finding]:
    """Give the edges that lead on from a node which says itself where to go: they would run as well, always."""
    plain = [f"the edge to {end!r}" for end in view.plain_ends(placement.name)]
    joins = [f"the edge from {list(sources)}" for sources, _ in view.joins() if placement.name in sources]
    chosen = [f"the conditional edge {name!r}" for name, _ in view.branch_ends(placement.name)]
    why = "after a repair too" if placement.on_invalid else "beside the runs of its target"
    for edge in (*plain, *joins, *chosen):
        message = f"{edge} leads on from this handoff {why}; let edges begin at its target {placement.target!r}."
        yield _finding("repair-bypass" if placement.on_invalid else "routed-twice", placement, message)


def response_faults(view: Builder, placement: Placement) -> Iterator[Finding]:
    """Give the response format of the source agent, where it can never be the input."""
    agent = agent_of(view, placement.source) if placement.source else None
    if agent is None or placement.read != _RESPONSE_KEY:
        return
    given, model = agent.response_model, placement.handoff.input_schema
    if given is not None and contradicts_model(given, model):
        yield _finding(
            "mistyped-response",
            placement,
            f"it reads {model.__name__} from the response of {placement.source!r}, whose response_format is "
            f"{_name(given)}; give the agent response_format={model.__name__}, or convert it in a read= function.",
        )


def _name(annotation: Any) -> str:
    return getattr(annotation, "__name__", str(annotation))


def _finding(code: str, placement: Placement, message: str) -> Finding:
    return Finding(code=code, node=placement.name, message=message)
