"""add_handoff: puts a handoff as a node between two nodes of a graph, and sees to it that nothing leads past it."""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final

from langgraph.types import RetryPolicy

from crux_langgraph._handoff import Handoff
from crux_langgraph.errors import Finding
from crux_langgraph.graph._builder import Builder
from crux_langgraph.graph._checking import duplicates, faults
from crux_langgraph.graph._node import HandoffNode
from crux_langgraph.graph._options import bad_options, bad_sides, require_kinds
from crux_langgraph.graph._placement import Placement, watched
from crux_langgraph.graph._reading import Read
from crux_langgraph.graph._repairing import Repair
from crux_langgraph.graph._running import needs_notes
from crux_langgraph.graph._settling import drop_direct_edge, refuse, settle
from crux_langgraph.graph._tracing import UNSEEN
from crux_langgraph.graph._writing import History, Write


class FromHandoff(Enum):
    """The default of `source` and `target`: what the handoff itself says."""

    NAME = "as the handoff says"

    def __repr__(self) -> str:
        return "<as the handoff says>"


FROM_HANDOFF: Final = FromHandoff.NAME


def add_handoff(
    builder: Any,
    handoff: Handoff[Any, Any, Any],
    *,
    source: str | FromHandoff | None = FROM_HANDOFF,
    target: str | FromHandoff | None = FROM_HANDOFF,
    read: Read = None,
    write: Write = None,
    history: History = "keep",
    name: str | None = None,
    on_invalid: Repair | None = None,
    max_hops: int | None = None,
    store_above_bytes: int | None = None,
    retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
    error_handler: Callable[..., Any] | None = None,
    defer: bool = False,
) -> str:
    """Put `handoff` as a node between two nodes of a `StateGraph` builder, and give the node's name.

    Nodes and edges may be added before or after. A plain edge from source to target is replaced by the way through the
    handoff. The state needs the `handoffs` channel: mix in `HandoffState`, or declare `handoffs: Handoffs`.

    Options:
        source, target: names of nodes, START or END; by default the handoff's `from_agent` and `to_agent`. None leaves
            that side to you: a `path_map`, `Command(goto=...)`, or a join.
        read: what is handed over: a state key, a function `(state)` or `(state, runtime)`, sync or async, or by
            default the state keys that match the input model's fields. Functions get the state as your own class,
            not validated, and under `Send` exactly what `Send` carried.
        write: beside the record in the channel: nothing, `"messages"` (the brief as one human message, which any agent
            reads), or a function `(payload)` or `(payload, state)` that gives a mapping of further updates.
        history: with `write="messages"`: `"keep"` the older messages, or `"replace"` them by the brief.
        name: of the node; by default the handoff's id.
        on_invalid: `Repair(max_attempts=2, fallback=None)` sends the source back with what is wrong when what it
            produced does not fit; the target runs on a good payload alone. None raises at once.
        max_hops: the most hops that a payload may have come by since the user last spoke, this one included; None for
            no limit. A payload that goes round unchanged is refused with and without it.
        store_above_bytes: a payload whose envelope takes more UTF-8 bytes of JSON stays in the handoff's store, and the
            state, with every checkpoint, has a reference to it; `received` reads it, and `areceived` on the async way.
        retry_policy, error_handler, defer: as in `StateGraph.add_node`. `RetryPolicy(retry_on=errors.is_retryable)`
            retries what may end differently.

    Raises `WiringError` with every `Finding` about what is there already; the rest is checked when the graph compiles.
    `NoStoreError` when payloads are to be stored and the handoff has no store.
    """
    require_kinds(builder, handoff)
    view = Builder(builder)
    placement = Placement(
        handoff=handoff,
        name=name or handoff.id,
        source=handoff.from_agent if source is FROM_HANDOFF else source,
        target=handoff.to_agent if target is FROM_HANDOFF else target,
        read=read,
        write=write,
        history=history,
        on_invalid=on_invalid,
        max_hops=max_hops,
        store_above_bytes=store_above_bytes,
    )
    refuse(*bad_sides(placement))
    refuse(*_misused(view, placement, source, target), *duplicates(builder, placement), *faults(view, placement))
    if store_above_bytes is not None:
        handoff.require_store("add_handoff")
    notes = needs_notes(view.state_keys, repairs=on_invalid is not None)
    node = HandoffNode(handoff, **_node_options(placement), state_schema=view.state_schema, notes=notes)
    view.add_node(
        placement.name,
        node,
        metadata={"crux_handoff_id": handoff.id},
        trace_policy=UNSEEN,
        input_schema=view.handoff_view(notes=notes),
        retry_policy=retry_policy,
        error_handler=error_handler,
        defer=defer or None,
        destinations=_destinations(placement) if on_invalid else None,
    )
    watched(builder, settle).placements.append(placement)
    _wire(view, placement)
    return placement.name


def _node_options(placement: Placement) -> dict[str, Any]:
    return {name: fact for name, fact in placement._asdict().items() if name not in ("handoff", "is_routed")}


def _destinations(placement: Placement) -> tuple[str, ...]:
    fallback = placement.on_invalid.fallback if placement.on_invalid else None
    return tuple(node for node in (placement.target, placement.source, fallback) if node is not None)


def _misused(view: Builder, placement: Placement, *sides: str | FromHandoff | None) -> list[Finding]:
    told = [
        f"it says neither {option}= nor {attribute}; give one of them, or {option}=None to route that side yourself."
        for given, option, attribute in zip(sides, ("source", "target"), ("from_agent", "to_agent"), strict=True)
        if given is FROM_HANDOFF and getattr(placement.handoff, attribute) is None
    ]
    findings = [Finding("unknown-node", placement.name, message) for message in told]
    findings.extend(bad_options(placement))
    if view.has_node(placement.name):
        message = "there is a node of this name already; give the handoff's node another name=."
        findings.append(Finding("duplicate-id", placement.name, message))
    return findings


def _wire(view: Builder, placement: Placement) -> None:
    if placement.source is not None:
        view.add_edge(placement.source, placement.name)
    if placement.target is not None and not placement.goes_by_command:
        view.add_edge(placement.name, placement.target)
    drop_direct_edge(view, placement)
