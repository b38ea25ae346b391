"""The one place that looks into a `StateGraph` builder, through its public attributes, and changes its edges."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from langgraph.graph import END, START

from crux_langgraph.graph._running import RUN_KEY, RunNotes
from crux_langgraph.graph._shape import raw_view


class Builder:
    """A view of a builder. LangGraph types these attributes by the user's state, which is not known here: hence Any."""

    def __init__(self, builder: Any) -> None:
        self._builder = builder

    @property
    def state_schema(self) -> Any:
        """The class of the graph's state."""
        return self._builder.state_schema

    @property
    def state_keys(self) -> Mapping[str, Any]:
        """The channels of the state, by key. Not all channels: a node's own schema may add some nobody else writes."""
        keys: Mapping[str, Any] = self._builder.schemas[self._builder.state_schema]
        return keys

    @property
    def raw_annotations(self) -> Mapping[str, Any]:
        """The keys of the state, each annotated so that a schema of them adds no channel: as anything, or as managed."""
        managed: Mapping[str, Any] = self._builder.managed
        return {key: Annotated[Any, managed[key]] if key in managed else Any for key in self.state_keys}

    def handoff_view(self, *, notes: bool) -> type:
        """Give a class of state for handoff nodes: every key unconverted, and with `notes` what they remember."""
        return raw_view(self.state_schema, {**self.raw_annotations, **({RUN_KEY: RunNotes} if notes else {})})

    @property
    def node_names(self) -> Iterable[str]:
        """The names of all nodes."""
        names: Iterable[str] = self._builder.nodes
        return names

    def runnable(self, name: str) -> Any:
        """Give what a node runs; None when there is no such node."""
        return getattr(self._builder.nodes.get(name), "runnable", None)

    def path(self, source: str, branch: str) -> Any:
        """Give the path of a conditional edge."""
        return self._builder.branches[source][branch].path

    def input_schema(self, name: str) -> Any:
        """Give the class of state that a node declares."""
        return self._builder.nodes[name].input_schema

    def declared_keys(self, name: str) -> Iterable[str]:
        """Give the keys of the class of state that a node declares."""
        keys: Iterable[str] = self._builder.schemas[self.input_schema(name)]
        return keys

    def add_branch(self, source: str, path: Any, ends: Iterable[str], schema: Any = None) -> str:
        """Add a conditional edge whose path takes the state as `schema`, which a node has already; give its name."""
        before = set(self._builder.branches[source])
        self._builder.add_conditional_edges(source, path, list(ends))
        (name,) = self._builder.branches[source].keys() - before
        if schema is not None:
            self._builder.branches[source][name] = self._builder.branches[source][name]._replace(input_schema=schema)
        return str(name)

    def set_branch_ends(self, source: str, name: str, ends: Iterable[str]) -> None:
        """Say anew which nodes a conditional edge may lead to."""
        branches = self._builder.branches[source]
        branches[name] = branches[name]._replace(ends={end: end for end in ends})

    def plain_ends(self, source: str) -> list[str]:
        """Give the nodes that plain edges lead to from a node."""
        edges: Iterable[tuple[str, str]] = self._builder.edges
        return sorted(end for start, end in edges if start == source)

    def has_node(self, name: str) -> bool:
        """Say whether there is such a node, or it is START or END."""
        return name in self._builder.nodes or name in (START, END)

    def add_node(self, name: str, action: Any, **options: Any) -> None:
        """Add a node with those of the options that are given."""
        given = {option: value for option, value in options.items() if value is not None}
        self._builder.add_node(name, action, **given)

    def add_edge(self, source: str, target: str) -> None:
        """Add a plain edge."""
        self._builder.add_edge(source, target)

    def drop_edge(self, source: str, target: str) -> None:
        """Remove a plain edge if there is one."""
        self._builder.edges.discard((source, target))

    def joins(self) -> Iterable[tuple[tuple[str, ...], str]]:
        """Give the edges that wait for several sources."""
        joins: Iterable[tuple[tuple[str, ...], str]] = self._builder.waiting_edges
        return joins

    def branch_ends(self, source: str) -> Iterator[tuple[str, set[str]]]:
        """Give the conditional edges of a node by name, with the targets they declare (none when they declare none)."""
        for name, branch in self._builder.branches.get(source, {}).items():
            ends: Mapping[Any, str] = branch.ends or {}
            yield name, set(ends.values())

    def destinations(self, node: str) -> set[str]:
        """Give the targets that a node declares for its `Command(goto=...)`."""
        spec = self._builder.nodes.get(node)
        ends: Iterable[str] = (spec.ends if spec else None) or ()
        return set(ends)
