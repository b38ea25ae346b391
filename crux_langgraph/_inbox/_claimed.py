"""Claimed: what a consumer has for the time of a claim, and how it starts a graph with it."""

import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from hashlib import sha256
from json import dumps
from typing import Any, Generic, Literal, cast

from langchain_core.runnables import RunnableConfig
from pydantic import BaseModel
from typing_extensions import TypeVar

from crux_langgraph._inbox._scope import parts_of
from crux_langgraph._inbox._starting import Start, run_graph, stream_graph, stream_graph_async
from crux_langgraph._payload import Payload
from crux_langgraph._waiting import AWAITING, BLOCKING, finish
from crux_langgraph.errors import NotReceivedError, ScopeError
from crux_langgraph.stores import Lease

Out = TypeVar("Out", bound=BaseModel)

Thread = Literal["record", "scope"]


class Claimed(Generic[Out]):
    """A record that this consumer has; falsy when there was none. What is written about `claim` holds while it lasts."""

    def __init__(self, handoff: str, lease: Lease | None, payload: Payload[Out] | None, thread: Thread) -> None:
        self._handoff = handoff
        self._lease = lease
        self._payload = payload
        self._thread: Thread = thread
        self._lost = threading.Event()

    def __bool__(self) -> bool:
        return self._lease is not None

    def __repr__(self) -> str:
        return f"Claimed(id={self.id}, scope={self.scope}, attempt={self.attempt})" if self else "Claimed(nothing)"

    @property
    def payload(self) -> Payload[Out]:
        """The payload, checked. Raises `NotReceivedError` when nothing came."""
        self._require()
        return cast("Payload[Out]", self._payload)

    @property
    def id(self) -> int:
        """The id that `send` gave. Effects outside of the database can be made idempotent by it."""
        return self._require().record.id

    @property
    def scope(self) -> tuple[str, ...]:
        """The parts of the scope; none for `GLOBAL`."""
        return parts_of(self._require().record.scope)

    @property
    def attempt(self) -> int:
        """1 at the first delivery."""
        return self._require().record.attempts

    @property
    def is_held(self) -> bool:
        """Whether the lease is still ours, as far as the last heartbeat knows. Long work may look and stop."""
        return self._lease is not None and not self._lost.is_set()

    @property
    def thread_id(self) -> str:
        """The LangGraph thread of the consumer's graph: the record's own, the same at each delivery, or the scope's.

        Raises `ScopeError` with `thread="scope"` when the scope is not one part.
        """
        if self._thread == "record":
            return self.start().marker
        if len(self.scope) != 1:
            raise ScopeError(
                handoff=self._handoff,
                found=f"thread='scope' needs a scope of one part, and this one has {len(self.scope)}",
                fix="Name the thread: claimed.invoke(graph, config={'configurable': {'thread_id': ...}}).",
            )
        return self.scope[0]

    def invoke(self, graph: Any, input: Any = None, config: RunnableConfig | None = None, **options: Any) -> Any:  # noqa: A002 - as Runnable names it
        """Start the consumer's graph with the payload, or resume it where a killed consumer stopped; give its result.

        The graph begins with the payload in its `handoffs` channel, as if it had been handed over there, or with
        `input`: a value, or a function of the payload. A graph that had finished is not run again. `options` go to
        the graph; with a checkpointer `durability` is `"sync"`, so that each step is done once.
        """
        return finish(run_graph(BLOCKING, graph, self.start(input, config), options))

    async def ainvoke(self, graph: Any, input: Any = None, config: RunnableConfig | None = None, **options: Any) -> Any:  # noqa: A002 - as Runnable names it
        """As `invoke`."""
        return await run_graph(AWAITING, graph, self.start(input, config), options)

    def stream(
        self,
        graph: Any,
        input: Any = None,  # noqa: A002 - as Runnable names it
        config: RunnableConfig | None = None,
        **options: Any,
    ) -> Iterator[Any]:
        """As `invoke`, giving what the graph streams; nothing when it had finished."""
        return stream_graph(graph, self.start(input, config), options)

    def astream(
        self,
        graph: Any,
        input: Any = None,  # noqa: A002 - as Runnable names it
        config: RunnableConfig | None = None,
        **options: Any,
    ) -> AsyncIterator[Any]:
        """As `stream`."""
        return stream_graph_async(graph, self.start(input, config), options)

    def start(self, given: Any = None, config: RunnableConfig | None = None) -> Start:
        """Give what the graph is started with."""
        record = self._require().record
        seed = dumps([record.handoff, record.scope, record.id, record.digest.hex()])
        marker = f"handoff-{sha256(seed.encode()).hexdigest()[:32]}"
        return Start(self.payload, given, config or {}, marker, self._thread_for(marker, config))

    def _thread_for(self, marker: str, config: RunnableConfig | None) -> str:
        named: Mapping[str, Any] = (config or {}).get("configurable") or {}
        if self._thread == "record":
            return marker
        return named.get("thread_id") or self.thread_id

    def _require(self) -> Lease:
        if self._lease is None:
            raise NotReceivedError(
                handoff=self._handoff,
                found="nothing was claimed",
                fix="Ask first: `with handoff.claim(...) as claimed:` and then `if claimed:`.",
            )
        return self._lease

    def lose(self) -> None:
        """Note that the lease has ended."""
        self._lost.set()
