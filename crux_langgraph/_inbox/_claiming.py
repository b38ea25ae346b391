"""Claiming: one consumer has a record, keeps it while it works, and acknowledges it when it is done."""

import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Generic, NamedTuple

from langgraph.errors import GraphBubbleUp
from pydantic import BaseModel
from typing_extensions import TypeVar

from crux_langgraph._inbox._claimed import Claimed, Thread
from crux_langgraph._inbox._extending import extended
from crux_langgraph._inbox._reading import Read, opened
from crux_langgraph._inbox._refusing import require_attempts, require_seconds
from crux_langgraph._inbox._scope import ANY, Scope, Whole, encoded
from crux_langgraph._inbox._tracing import Crossing, record_facts, shown, stored_facts
from crux_langgraph._inbox._waits import pauses
from crux_langgraph._payload import Payload
from crux_langgraph._waiting import AWAITING, BLOCKING, Way, finish
from crux_langgraph.errors import EnvelopeError, LeaseLostError
from crux_langgraph.instrumentation import Recording
from crux_langgraph.stores import Lease, State, Store

Out = TypeVar("Out", bound=BaseModel)

_MOST_BACKOFF_S = 300.0


OpenStore = Callable[[Way], Coroutine[Any, Any, Store]]


class ClaimOptions(NamedTuple):
    """The options of `claim`."""

    scope: Scope | Whole = ANY
    wait_s: float = 0.0
    lease_s: float = 60.0
    thread: Thread = "record"
    max_attempts: int = 5
    backoff_s: float = 1.0


class Claiming(Generic[Out]):
    """One claim of one handoff: taking a record, keeping its lease, and what happens to it at the end."""

    def __init__(self, crossing: Crossing, open_store: OpenStore, read: Read[Out], options: ClaimOptions) -> None:
        handoff = crossing.id
        require_seconds(handoff, "lease_s", options.lease_s)
        require_seconds(handoff, "wait_s", options.wait_s, or_zero=True)
        require_seconds(handoff, "backoff_s", options.backoff_s, or_zero=True)
        require_attempts(handoff, options.max_attempts)
        self._crossing = crossing
        self._handoff = handoff
        self._open_store = open_store
        self._read = read
        self._options = options
        self._scope = None if options.scope is ANY else encoded(handoff, "claim", options.scope)

    @contextmanager
    def blocking(self) -> Generator[Claimed[Out]]:
        """Hold a record for the time of a `with` block."""
        store = finish(self._open_store(BLOCKING))
        claimed, lease = finish(self._take(BLOCKING, store))
        if lease is None:
            yield claimed
            return
        with extended(store, lease, self._options.lease_s, claimed.lose):
            run = finish(self._enter(BLOCKING, claimed, lease))
            try:
                yield claimed
            except BaseException as error:
                finish(self._fail(BLOCKING, store, lease, run, error))
                raise
            finish(self._succeed(BLOCKING, store, lease, run))

    @asynccontextmanager
    async def awaiting(self) -> AsyncGenerator[Claimed[Out]]:
        """Hold a record for the time of an `async with` block."""
        store = await self._open_store(AWAITING)
        claimed, lease = await self._take(AWAITING, store)
        if lease is None:
            yield claimed
            return
        with extended(store, lease, self._options.lease_s, claimed.lose):
            run = await self._enter(AWAITING, claimed, lease)
            try:
                yield claimed
            except BaseException as error:
                await self._fail(AWAITING, store, lease, run, error)
                raise
            await self._succeed(AWAITING, store, lease, run)

    async def _enter(self, way: Way, claimed: Claimed[Out], lease: Lease) -> Recording:
        """Open the run of the claim: from the delivery to the acknowledgement, with the consumer's work below it."""
        facts = {**stored_facts(self._crossing, lease.record.scope), **record_facts(lease.record)}
        run = Recording(way, "handoff:claim", facts)
        await run.start(lambda: shown(lease.record, claimed.payload))
        return run

    async def _fail(self, way: Way, store: Store, lease: Lease, run: Recording, error: BaseException) -> None:
        try:
            await self._give_back(way, store, lease, error)
        finally:
            await run.__aexit__(type(error), error, error.__traceback__)

    async def _succeed(self, way: Way, store: Store, lease: Lease, run: Recording) -> None:
        async with run:
            await self._acknowledge(way, store, lease)
            run.end(lambda: {"acknowledged": True})

    async def _take(self, way: Way, store: Store) -> tuple[Claimed[Out], Lease | None]:
        deadline = time.monotonic() + self._options.wait_s
        found = await self._next(way, store)
        if found is None and self._options.wait_s > 0:
            with store.watch(self._handoff, self._scope) as ticket:
                found = await self._next(way, store)  # what came before the watch began
                while found is None and (left_s := deadline - time.monotonic()) > 0:
                    due_s = await way.call(store.due_in_s, self._handoff, self._scope)
                    await pauses(way, ticket, left_s, due_s)
                    found = await self._next(way, store)
        lease, payload = found or (None, None)
        return Claimed(self._handoff, lease, payload, self._options.thread), lease

    async def _next(self, way: Way, store: Store) -> tuple[Lease, Payload[Out]] | None:
        """Claim the oldest record that can be read; those that cannot go to the dead letters."""
        while True:
            lease: Lease | None = await way.call(
                store.claim,
                self._handoff,
                self._scope,
                lease_s=self._options.lease_s,
                exclusive=self._options.thread == "scope",
            )
            if lease is None:
                return None
            if lease.record.attempts > self._options.max_attempts:
                reason = f"its consumers ended {self._options.max_attempts} times without a word"
            else:
                try:
                    return lease, opened(lease.record, self._read)
                except EnvelopeError as error:
                    reason = f"{error.reason}: {error.found}"
            await way.call(store.settle, lease, State.DEAD, reason=reason)

    async def _acknowledge(self, way: Way, store: Store, lease: Lease) -> None:
        if not await way.call(store.settle, lease, State.DONE):
            raise LeaseLostError(
                handoff=self._handoff,
                found=f"the lease of record {lease.record.id} ended before it was acknowledged",
                fix="It is delivered again. Give claim() a longer lease_s, and look at claimed.is_held in long work.",
                record_id=lease.record.id,
            )

    async def _give_back(self, way: Way, store: Store, lease: Lease, error: BaseException) -> None:
        if isinstance(error, GraphBubbleUp) or not isinstance(error, Exception):
            # Stopped from outside, which says nothing about the record.
            await way.call(store.settle, lease, State.READY, counted=False)
        elif lease.record.attempts >= self._options.max_attempts:
            reason = f"failed {lease.record.attempts} times, the last time with {type(error).__name__}"
            await way.call(store.settle, lease, State.DEAD, reason=reason)
        else:
            delay_s = min(self._options.backoff_s * 2 ** (lease.record.attempts - 1), _MOST_BACKOFF_S)
            await way.call(store.settle, lease, State.READY, delay_s=delay_s)
