"""Placement: where one handoff was put in one builder; and the watch over all placements of a builder."""

from collections.abc import Callable
from typing import Any, NamedTuple

from crux_langgraph._handoff import Handoff
from crux_langgraph.graph._reading import Read
from crux_langgraph.graph._writing import History, Write


class Placement(NamedTuple):
    """What `add_handoff` was given, with the defaults filled in. `source` or `target` None: the user routes that side."""

    handoff: Handoff[Any, Any]
    name: str
    source: str | None
    target: str | None
    read: Read
    write: Write
    history: History


class Watch:
    """Stands in for a builder's public `validate()`, which `compile()` calls, and holds the builder's placements.

    An object and not a closure, so that a deep copy of a builder watches the copy.
    """

    def __init__(self, builder: Any, settle: Callable[[Any], None]) -> None:
        self._builder = builder
        self._validate = builder.validate
        self._settle = settle
        self.placements: list[Placement] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Settle what has been added since, then validate as before."""
        self._settle(self._builder)
        return self._validate(*args, **kwargs)


def placements_of(builder: Any) -> list[Placement]:
    """Give the placements of a builder, oldest first; empty for one that has none."""
    watch: object = getattr(builder, "validate", None)
    return watch.placements if isinstance(watch, Watch) else []


def remember(builder: Any, placement: Placement, settle: Callable[[Any], None]) -> None:
    """Add a placement to those of its builder; `settle` is called with the builder whenever it is compiled."""
    if not placements_of(builder):
        builder.validate = Watch(builder, settle)
    placements_of(builder).append(placement)
