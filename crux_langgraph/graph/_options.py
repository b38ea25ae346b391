"""What `add_handoff` refuses about its own options, whatever the graph: each would only show at run time, or never."""

from collections.abc import Iterator
from typing import Any, cast

from langgraph.graph import END, START, StateGraph

from crux_langgraph._handoff import Handoff
from crux_langgraph._numbers import is_whole
from crux_langgraph.errors import Finding, WiringError
from crux_langgraph.graph._asking import can_be_asked
from crux_langgraph.graph._placement import Placement
from crux_langgraph.graph._repairing import Repair

_RESERVED = ":|"
"""What LangGraph keeps for itself in the names of nodes."""


def require_kinds(builder: object, handoff: object) -> None:
    """Raise `WiringError` unless these are a builder and a handoff, before anything is asked of them."""
    if not isinstance(handoff, Handoff):
        told = getattr(handoff, "__name__", type(handoff).__name__)
        message = f"{told!r} was given, which is no handoff; decorate the function with @handoff."
    elif not isinstance(builder, StateGraph):
        told = handoff.id
        message = f"it was to be put in a {type(builder).__name__}; give a StateGraph that is not compiled yet."
    else:
        return
    raise WiringError(findings=[Finding("bad-option", told, message)])


def bad_sides(placement: Placement) -> Iterator[Finding]:
    """Give the sides of a placement that can be no nodes, before anything is looked up by them."""
    for message in _sides(placement):
        yield Finding("bad-option", placement.name, message)


def _sides(placement: Placement) -> Iterator[str]:
    for side, node, impossible in (("source", placement.source, END), ("target", placement.target, START)):
        if not isinstance(cast("object", node), str | None):
            yield f"{side}= is a {type(node).__name__}; give the name of one node, or None to route that side yourself."
        elif node == impossible:
            yield f"{node} cannot be a {side}; give the name of a node."


def bad_options(placement: Placement) -> Iterator[Finding]:
    """Give the options of a placement that cannot work."""
    for message in (
        *_name(placement),
        *_sides(placement),
        *_read(placement.read),
        *_write(placement.write),
        *_history(placement),
        *_repair(placement),
        *_max_hops(placement),
        *_store_above_bytes(placement),
    ):
        yield Finding("bad-option", placement.name, message)


def _name(placement: Placement) -> Iterator[str]:
    if any(character in placement.name for character in _RESERVED):
        yield "a node's name may contain neither ':' nor '|'; give another name=."


def _read(read: Any) -> Iterator[str]:
    if callable(read):
        if not can_be_asked(read, "runtime"):
            yield "its read function takes other arguments than (state) or (state, runtime); make it take these."
    elif not isinstance(read, str | None):
        yield f"read= is a {type(read).__name__}; give a state key, a function of the state, or nothing."


def _write(write: Any) -> Iterator[str]:
    if callable(write):
        if not can_be_asked(write, "state"):
            yield "its write function takes other arguments than (payload) or (payload, state); make it take these."
    elif write not in ("messages", None):
        yield f"write={write!r} is none of the ways to write; give 'messages', a function of the payload, or nothing."


def _history(placement: Placement) -> Iterator[str]:
    if placement.history not in ("keep", "replace"):
        yield f"history={placement.history!r} is unknown; give 'keep' or 'replace'."
    elif placement.history == "replace" and placement.write != "messages":
        yield "history='replace' replaces messages by the brief and needs write='messages'."


def _repair(placement: Placement) -> Iterator[str]:
    options = cast("Any", placement.on_invalid)
    if options is None:
        return
    if not isinstance(options, Repair):
        yield f"on_invalid= is a {type(options).__name__}; give Repair(...), or nothing."
        return
    if not is_whole(options.max_attempts, 0):
        yield f"Repair(max_attempts={options.max_attempts!r}) is no number of attempts; give a whole number from 0."
    if placement.source in (None, START) or placement.target is None:
        yield "a repair needs the node that produces and the node that receives; give source= and target=."
    if options.fallback in (placement.name, placement.source):
        yield f"fallback={options.fallback!r} leads round in a circle; name a node that takes over."


def _store_above_bytes(placement: Placement) -> Iterator[str]:
    limit = placement.store_above_bytes
    if limit is not None and not is_whole(limit, 0):
        yield f"store_above_bytes={limit!r} is no number of bytes; give a whole number from 0, or nothing."


def _max_hops(placement: Placement) -> Iterator[str]:
    limit = placement.max_hops
    if limit is not None and not is_whole(limit, 1):
        yield f"max_hops={limit!r} is no number of hops; give a whole number from 1, or nothing."
