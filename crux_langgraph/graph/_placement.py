"""Placement: where one handoff was put in one builder; and the watch over all placements of a builder."""

from collections.abc import Callable
from typing import Any, NamedTuple

from crux_langgraph._handoff import Handoff
from crux_langgraph.graph._reading import Read
from crux_langgraph.graph._repairing import Repair
from crux_langgraph.graph._writing import History, Write


class Placement(NamedTuple):
    """What `add_handoff` was given, with the defaults filled in. `source` or `target` None: the user routes that side."""

    handoff: Handoff[Any, Any]
    name: str
    source: str | None
    target: str | None
    read: Read = None
    write: Write = None
    history: History = "keep"
    on_invalid: Repair | None = None
    max_hops: int | None = None
    store_above_bytes: int | None = None
    is_routed: bool = False
    """Put there by `add_handoffs`: requests lead to it, and it leads on by itself."""

    @property
    def goes_by_command(self) -> bool:
        """Say whether the node itself says where to go on, so that no plain edge may lead on from it."""
        return self.is_routed or self.on_invalid is not None


class Route(NamedTuple):
    """What `add_handoffs` was given: by handoff id the node that each request of `source` is led to."""

    source: str
    nodes: dict[str, str]
    default: str
    branch: str
    """The name of the conditional edge."""


class Entry(NamedTuple):
    """What `add_active_router` was given, with the name of the conditional edge that it made."""

    default: str
    branch: str


class Watch:
    """Stands in for a builder's public `validate()`, which `compile()` calls, and holds the builder's placements.

    An object and not a closure, so that a deep copy of a builder watches the copy.
    """

    def __init__(self, builder: Any, settle: Callable[[Any], None]) -> None:
        self._builder = builder
        self._validate = builder.validate
        self._settle = settle
        self.placements: list[Placement] = []
        self.routes: list[Route] = []
        self.entries: list[Entry] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Settle what has been added since, then validate as before."""
        self._settle(self._builder)
        return self._validate(*args, **kwargs)


def placements_of(builder: Any) -> list[Placement]:
    """Give the placements of a builder, oldest first; empty for one that has none."""
    watch = watch_of(builder)
    return watch.placements if watch else []


def routes_of(builder: Any) -> list[Route]:
    """Give the routes of a builder, oldest first; empty for one that has none."""
    watch = watch_of(builder)
    return watch.routes if watch else []


def entries_of(builder: Any) -> list[Entry]:
    """Give the active router of a builder, in a list; empty for one that has none."""
    watch = watch_of(builder)
    return watch.entries if watch else []


def watch_of(builder: Any) -> Watch | None:
    """Give the watch over a builder; None for one without handoffs."""
    watch: object = getattr(builder, "validate", None)
    return watch if isinstance(watch, Watch) else None


def watched(builder: Any, settle: Callable[[Any], None]) -> Watch:
    """Give the watch over a builder, set up if there is none; `settle` is called with the builder at each compile."""
    watch = watch_of(builder)
    if watch is None:
        watch = builder.validate = Watch(builder, settle)
    return watch
