"""What is known at a run's end only, written where LangSmith's filters find it: on the runs that tracers keep."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

INTERRUPTED = {"ls_is_error_interrupt": True}
"""By this LangSmith shows an interrupt where LangChain reports an error."""


def add_metadata(tracers: Iterable[Any], run_id: UUID, facts: Mapping[str, Any]) -> None:
    """Add facts to the metadata of a run that has begun and not ended."""
    for tree in _trees(tracers, run_id):
        _add(tree, facts)


def attach(tracers: Iterable[Any], run_id: UUID, files: Mapping[str, bytes]) -> None:
    """Give JSON files to a run that has begun and not ended. A name must contain no dot."""
    for tree in _trees(tracers, run_id):
        attach_to(tree, files)


def attach_to(tree: Any, files: Mapping[str, bytes]) -> None:
    """Give JSON files to a run that is not sent yet."""
    tree.attachments = {name: ("application/json", content) for name, content in files.items()}


def mark_interrupted(tracers: Iterable[Any], run_id: UUID | None) -> None:
    """Mark the runs around ours, up to that of the graph's node: they are about to end by the interrupt, as an error."""
    for tracer in tracers:
        enclosing = tree_of(tracer, run_id)
        while enclosing is not None:
            _add(enclosing, INTERRUPTED)
            is_node: bool = enclosing.name == enclosing.extra["metadata"].get("langgraph_node")
            enclosing = None if is_node else tree_of(tracer, enclosing.parent_run_id)


def tree_of(tracer: Any, run_id: UUID | None) -> Any:
    """Give the run that a tracer keeps under this id; None where it keeps none."""
    return tracer.run_map.get(str(run_id))


def _trees(tracers: Iterable[Any], run_id: UUID) -> Iterator[Any]:
    for tracer in tracers:
        tree = tree_of(tracer, run_id)
        if tree is not None:
            yield tree


def _add(tree: Any, facts: Mapping[str, Any]) -> None:
    # A new dict of metadata, since every handler was given the one that is there; the extras are the run's own.
    tree.extra["metadata"] = {**(tree.extra.get("metadata") or {}), **facts}
