"""Placement: where one handoff was put in one builder; and the memory of all placements of a builder."""

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from crux_langgraph._handoff import Handoff
from crux_langgraph.graph._reading import Read
from crux_langgraph.graph._writing import History, Write


@dataclass(frozen=True, slots=True)
class Placement:
    """What `add_handoff` was given, with the defaults filled in. `source` or `target` None: the user routes that side."""

    handoff: Handoff[Any, Any]
    name: str
    source: str | None
    target: str | None
    read: Read
    write: Write
    history: History


_PLACED: WeakKeyDictionary[Any, list[Placement]] = WeakKeyDictionary()


def placements_of(builder: Any) -> list[Placement]:
    """Give the placements of a builder, oldest first; empty for one that has none."""
    return _PLACED.get(builder, [])


def remember(builder: Any, placement: Placement) -> None:
    """Add a placement to those of its builder."""
    _PLACED.setdefault(builder, []).append(placement)
