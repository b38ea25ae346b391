"""Inbox: the stored operations of a handoff, each with its async twin."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Generic

from pydantic import BaseModel
from typing_extensions import TypeVar

from crux_langgraph._inbox._claimed import Claimed, Thread
from crux_langgraph._inbox._claiming import Claiming, ClaimOptions
from crux_langgraph._inbox._keeping import fetched, is_reference, kept_aside
from crux_langgraph._inbox._reading import Stored, opened
from crux_langgraph._inbox._receiving import newest
from crux_langgraph._inbox._refusing import require_seconds
from crux_langgraph._inbox._scope import ANY, GLOBAL, Scope, Whole, encoded, parts_of
from crux_langgraph._inbox._sending import SendOptions, Sent, send
from crux_langgraph._inbox._tracing import record_facts, running_place, shown, stored_facts
from crux_langgraph._inbox._upgrading import Upgrade, checked_function, checked_upgrade
from crux_langgraph._payload import Payload
from crux_langgraph._waiting import AWAITING, BLOCKING, Way, finish
from crux_langgraph.instrumentation import Recording
from crux_langgraph.stores import State, Store, open_store, opened_before, wanted_store

In = TypeVar("In", bound=BaseModel)
Out = TypeVar("Out", bound=BaseModel)

_MESSAGES = (State.READY, State.DONE, State.DEAD)


class Inbox(ABC, Generic[In, Out]):
    """What a handoff can do with a store: send, receive, claim, and look after what is stored.

    The store is what `store=` says, else what the variable `CRUX_HANDOFF_URL` names; without either each of these
    raises `NoStoreError`. A store that fails raises `StoreError`, and nothing was stored then.
    """

    id: str
    version: int
    from_agent: str | None
    to_agent: str | None
    description: str

    def __init__(self, store: Any) -> None:
        self.store = store
        """What `store=` was given, or None."""
        self._upgrades: dict[int, Upgrade] = {}

    @abstractmethod
    async def flow(self, way: Way, value: object, *, payload_id: str | None = None) -> Payload[Out]:
        """Run the steps of `prepare`."""

    @property
    @abstractmethod
    def input_schema(self) -> type[In]:
        """The model of what agent A produces."""

    @abstractmethod
    def checked_input(self, value: object) -> Any:
        """Give a value as the JSON values of a valid input."""

    @abstractmethod
    def from_envelope(self, envelope: Mapping[str, Any]) -> Payload[Out]:
        """Read back a payload's envelope."""

    def send(
        self,
        value: In | Mapping[str, Any] | str | Payload[Out],
        *,
        scope: Scope = None,
        key: str | None = None,
        ttl_s: float | None = None,
        tx: Any = None,
    ) -> Sent:
        """Prepare `value` and store the payload; return when it is committed. Nothing is stored when a step fails.

        Options:
            scope: the conversation: an id, a tuple of parts, or `GLOBAL`; by default the running graph's thread.
            key: by which a repetition is known: it gives the id of the first send and stores nothing. By default, in
                a graph, of the task and of what is sent, so that a node that runs again sends once.
            ttl_s: seconds until the payload expires; None for never.
            tx: a database connection of yours, with an open transaction which the send joins; you commit.

        Raises what `prepare` raises, `ScopeError`, `NoStoreError` and `StoreError`.
        """
        return finish(self.send_flow(BLOCKING, value, SendOptions(scope, key, ttl_s, tx)))

    async def asend(
        self,
        value: In | Mapping[str, Any] | str | Payload[Out],
        *,
        scope: Scope = None,
        key: str | None = None,
        ttl_s: float | None = None,
        tx: Any = None,
    ) -> Sent:
        """As `send`. The store works in a thread; so does what it does with `tx`, which must allow that."""
        return await self.send_flow(AWAITING, value, SendOptions(scope, key, ttl_s, tx))

    async def send_flow(self, way: Way, value: object, options: SendOptions) -> Sent:
        """Run `send` on either way, for adapters."""
        return await send(way, self, await self._store(way, "send"), value, options)

    def receive(self, *, scope: Scope = None, wait_s: float = 0.0, after: int = 0) -> Payload[Out] | None:
        """Give the newest payload of a scope without taking it; None when nothing was sent.

        `wait_s` waits that many seconds for one; `after` leaves out what has that id or an older one. Raises
        `EnvelopeError` when the newest cannot be read: its `reason` tells expired, corrupt, too new and invalid apart.
        """
        return finish(self.receive_flow(BLOCKING, scope, wait_s, after))

    async def areceive(self, *, scope: Scope = None, wait_s: float = 0.0, after: int = 0) -> Payload[Out] | None:
        """As `receive`."""
        return await self.receive_flow(AWAITING, scope, wait_s, after)

    async def receive_flow(self, way: Way, scope: Scope, wait_s: float, after: int) -> Payload[Out] | None:
        """Run `receive` on either way, for adapters."""
        require_seconds(self.id, "wait_s", wait_s, or_zero=True)
        where = encoded(self.id, "receive", scope)
        store = await self._store(way, "receive")
        async with Recording(way, "handoff:receive", stored_facts(self, where)) as run:
            await run.start(lambda: {"scope": parts_of(where), "after": after})
            record = await newest(way, store, self.id, where, after=after, wait_s=wait_s)
            if record is None:
                run.end(lambda: {"record": None})
                return None
            payload = opened(record, self.from_envelope)
            run.end(lambda: shown(record, payload), lambda: record_facts(record))
            return payload

    def claim(
        self,
        *,
        scope: Scope | Whole = ANY,
        wait_s: float = 0.0,
        lease_s: float = 60.0,
        thread: Thread = "record",
        max_attempts: int = 5,
        backoff_s: float = 1.0,
    ) -> AbstractContextManager[Claimed[Out]]:
        """Take the oldest payload, as the only consumer: `with handoff.claim() as claimed:`, falsy when nothing came.

        Leaving the block acknowledges it. An error in the block gives it back, for another attempt after `backoff_s`
        seconds, doubled each time; after `max_attempts` it goes to the dead letters, and so does at once, with the
        reason, what cannot be read. A consumer that dies loses its lease after `lease_s`, and another one gets the
        record; while the block runs the lease is extended. The work is done at least once: make its effects outside
        of the database idempotent by `claimed.id`.

        Options:
            scope: as in `send`, or `ANY`, the default: the oldest of whatever scope.
            wait_s: seconds to wait for one.
            thread: `"record"`: the consumer's graph runs in a thread of its own for each record. `"scope"`: in the
                conversation's own thread, and only one consumer at a time has a scope, in order.

        Raises `LeaseLostError` on leaving when another consumer may have got the record meanwhile.
        """
        options = ClaimOptions(scope, wait_s, lease_s, thread, max_attempts, backoff_s)
        return self._claiming("claim", options).blocking()

    def aclaim(
        self,
        *,
        scope: Scope | Whole = ANY,
        wait_s: float = 0.0,
        lease_s: float = 60.0,
        thread: Thread = "record",
        max_attempts: int = 5,
        backoff_s: float = 1.0,
    ) -> AbstractAsyncContextManager[Claimed[Out]]:
        """As `claim`: `async with handoff.aclaim() as claimed:`. Waiting holds no thread."""
        options = ClaimOptions(scope, wait_s, lease_s, thread, max_attempts, backoff_s)
        return self._claiming("aclaim", options).awaiting()

    def _claiming(self, method: str, options: ClaimOptions) -> Claiming[Out]:
        wanted_store(self.id, self.store, method=method)  # what is missing is said by the call, and not by the `with`
        return Claiming(self, lambda way: self._store(way, method), self.from_envelope, options)

    def history(self, *, scope: Scope | Whole = None, limit: int = 20, before: int | None = None) -> list[Stored[Out]]:
        """Give what was sent, newest first, whatever became of it; `before` continues below that id.

        A payload is read when its `payload` is asked for, so that one bad record does not hide the others.
        """
        return finish(self._page(BLOCKING, "history", scope, _MESSAGES, before, limit))

    async def ahistory(
        self, *, scope: Scope | Whole = None, limit: int = 20, before: int | None = None
    ) -> list[Stored[Out]]:
        """As `history`."""
        return await self._page(AWAITING, "history", scope, _MESSAGES, before, limit)

    def dead(self, *, scope: Scope | Whole = ANY, limit: int = 20, before: int | None = None) -> list[Stored[Out]]:
        """Give the dead letters, newest first: `facts.reason` says why each is here."""
        return finish(self._page(BLOCKING, "dead", scope, (State.DEAD,), before, limit))

    async def adead(
        self, *, scope: Scope | Whole = ANY, limit: int = 20, before: int | None = None
    ) -> list[Stored[Out]]:
        """As `dead`."""
        return await self._page(AWAITING, "dead", scope, (State.DEAD,), before, limit)

    async def _page(
        self,
        way: Way,
        method: str,
        scope: Scope | Whole,
        states: Collection[State],
        before: int | None,
        limit: int,
    ) -> list[Stored[Out]]:
        where = None if scope is ANY else encoded(self.id, method, scope)
        store = await self._store(way, method)
        records = await way.call(store.page, self.id, where, states=states, before=before, limit=limit)
        return [Stored(record, self.from_envelope) for record in records]

    def requeue(self, id: int | None = None) -> int:  # noqa: A002 - the name users know an id by
        """Let a dead letter be delivered again as if for the first time; all of them without `id`. Give how many."""
        return finish(self._requeue(BLOCKING, id))

    async def arequeue(self, id: int | None = None) -> int:  # noqa: A002 - the name users know an id by
        """As `requeue`."""
        return await self._requeue(AWAITING, id)

    async def _requeue(self, way: Way, record_id: int | None) -> int:
        requeued: int = await way.call((await self._store(way, "requeue")).requeue, self.id, record_id)
        return requeued

    def sweep(self, *, older_than_s: float) -> int:
        """Delete what was acknowledged or has expired and was sent longer ago than this; give how many.

        Nothing else ever deletes a record. A key is forgotten with its record.
        """
        return finish(self._sweep(BLOCKING, older_than_s))

    async def asweep(self, *, older_than_s: float) -> int:
        """As `sweep`."""
        return await self._sweep(AWAITING, older_than_s)

    async def _sweep(self, way: Way, older_than_s: float) -> int:
        require_seconds(self.id, "older_than_s", older_than_s, or_zero=True)
        store = await self._store(way, "sweep")
        swept: int = await way.call(store.sweep, self.id, older_than_s=older_than_s)
        return swept

    def as_tools(self, *, scope: Scope = None) -> list[Any]:
        """Make two `BaseTool`s for agents: one that sends, with the input model's fields as its arguments, and one that
        gives the text of the newest. `scope` is as in `send`; what a model's call sends twice is stored once.
        """
        from crux_langgraph._inbox._tools import SendTool, receive_tool  # LangGraph's tool runtime is slow to import

        return [SendTool.of(self, scope), receive_tool(self, scope)]

    async def kept_aside(
        self, way: Way, payload: Payload[Any], record: dict[str, Any], *, above_bytes: int
    ) -> dict[str, Any]:
        """Give `record`, with a reference to the store in the place of data above so many bytes."""
        store = await self._store(way, "add_handoff")
        thread = running_place().get("thread_id")
        scope = encoded(self.id, "add_handoff", GLOBAL if thread is None else thread)
        return await kept_aside(way, store, payload, record, scope=scope, above_bytes=above_bytes)

    def with_data(self, envelope: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give an envelope with its data, from the store where that is kept."""
        if not is_reference(envelope):
            return envelope
        store = open_store(self.id, wanted_store(self.id, self.store, method="received"), "received")
        return fetched(store, self.id, envelope)

    def require_store(self, method: str) -> None:
        """Raise `NoStoreError` when there is none. Nothing is opened."""
        wanted_store(self.id, self.store, method=method)

    def upgrade(self, from_version: int) -> Callable[[Upgrade], Upgrade]:
        """Bring stored data of `from_version` forward to the next version: `@research_to_writer.upgrade(1)`.

        The function takes the data as JSON values and gives those of the next version. Upgrades are applied in a
        chain, and the result is checked. Raises `DefinitionError` for a version from which nothing can lead.
        """
        checked_upgrade(self.id, self.version, from_version, self._upgrades)

        def register(function: Upgrade) -> Upgrade:
            self._upgrades[from_version] = checked_function(self.id, function)
            return function

        return register

    async def _store(self, way: Way, method: str) -> Store:
        wanted = wanted_store(self.id, self.store, method=method)
        return opened_before(wanted) or await way.call(open_store, self.id, wanted, method)
