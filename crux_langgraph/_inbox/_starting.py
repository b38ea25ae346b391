"""Starting a consumer's graph for a claimed record, or resuming it where an earlier consumer of the record stopped."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, NamedTuple

from langchain_core.runnables import RunnableConfig

from crux_langgraph._payload import HANDOFFS_KEY, Payload
from crux_langgraph._waiting import AWAITING, BLOCKING, Way, finish

_MARK = "crux_handoff_record"
"""In the metadata of each checkpoint that a run for the record wrote: which record it was."""


class Start(NamedTuple):
    """What a graph is started with, in which thread, and the mark by which its checkpoints are known again."""

    payload: Payload[Any]
    given: Any
    config: RunnableConfig
    marker: str
    thread_id: str

    def input(self) -> Any:
        """Give the graph's input: what the caller gave, or made of the payload, or the payload in its channel."""
        if callable(self.given):
            return self.given(self.payload)
        if self.given is not None:
            return self.given
        hops = [{"handoff": self.payload.handoff, "payload": self.payload.id}]
        record: dict[str, Any] = {
            **self.payload.to_envelope(),
            "hops": hops,
            "to": self.payload.to_agent,
            "last_message_id": None,
            "round": {},
        }
        return {HANDOFFS_KEY: {self.payload.id: record}}

    def run_config(self) -> RunnableConfig:
        """Give the caller's config with the thread and the mark."""
        configurable: Mapping[str, Any] = self.config.get("configurable") or {}
        metadata: Mapping[str, Any] = self.config.get("metadata") or {}
        return {
            **self.config,
            "configurable": {**configurable, "thread_id": self.thread_id},
            "metadata": {**metadata, _MARK: self.marker},
        }


class _Next(NamedTuple):
    input: Any
    config: RunnableConfig
    options: dict[str, Any]
    finished: Any = None
    is_finished: bool = False


async def run_graph(way: Way, graph: Any, start: Start, options: dict[str, Any]) -> Any:
    """Run the graph to its end, or give the end that it had reached."""
    step = await _next(way, graph, start, options)
    if step.is_finished:
        return step.finished
    run = graph.ainvoke if way is AWAITING else graph.invoke
    return await way.call(run, step.input, step.config, **step.options)


def stream_graph(graph: Any, start: Start, options: dict[str, Any]) -> Iterator[Any]:
    """Stream what is left to do."""
    step = finish(_next(BLOCKING, graph, start, options))
    if not step.is_finished:
        yield from graph.stream(step.input, step.config, **step.options)


async def stream_graph_async(graph: Any, start: Start, options: dict[str, Any]) -> AsyncIterator[Any]:
    """Stream what is left to do."""
    step = await _next(AWAITING, graph, start, options)
    if not step.is_finished:
        async for chunk in graph.astream(step.input, step.config, **step.options):
            yield chunk


async def _next(way: Way, graph: Any, start: Start, options: dict[str, Any]) -> _Next:
    config = start.run_config()
    if not getattr(graph, "checkpointer", None):
        return _Next(start.input(), config, options)
    read = graph.aget_state if way is AWAITING else graph.get_state
    state = await way.call(read, config)
    options = {"durability": "sync", **options}
    metadata: Mapping[str, Any] = state.metadata or {}
    if metadata.get(_MARK) != start.marker:
        return _Next(start.input(), config, options)
    return _Next(None, config, options, finished=state.values, is_finished=not state.next)
