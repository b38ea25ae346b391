"""Nodes and paths of a graph that are written once, for `invoke` and for `ainvoke`."""

from abc import abstractmethod
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig

from crux_langgraph._waiting import AWAITING, BLOCKING, Way, finish
from crux_langgraph.instrumentation import told_by


class FlowNode(Runnable[Any, Any]):
    """A node whose body is one flow."""

    def invoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> Any:  # noqa: A002 - as Runnable names it
        """Run it, and give the update of the state or a `Command`."""
        with told_by(config):
            return finish(self._flow(BLOCKING, input, config))

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> Any:  # noqa: A002 - as Runnable names it
        """As `invoke`; plain functions of the user run in LangChain's executor."""
        with told_by(config):
            return await self._flow(AWAITING, input, config)

    @abstractmethod
    async def _flow(self, way: Way, state: Any, config: RunnableConfig | None, /) -> Any:
        """Do what the node does with the state, or with what `Send` carried."""


class Path(Runnable[Any, Any]):
    """The path of a conditional edge: it waits for nothing."""

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002 - as Runnable names it
        """As `invoke`."""
        return self.invoke(input, config, **kwargs)
