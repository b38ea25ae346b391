"""What the checks of a store are written with: one handoff, short ways to its store, and what raises when they differ."""

import threading
import time
from collections.abc import Callable
from typing import Any

from crux_langgraph.stores import Entry, Lease, Record, State, Store

HANDOFF = "a-to-b"
LEASE_S = 30.0
SHORT_S = 0.05
ALL = (State.READY, State.DONE, State.DEAD)


def entry(body: str, *, scope: str = "s", handoff: str = HANDOFF, key: str | None = None) -> Entry:
    """Make an entry."""
    return Entry(handoff, scope, body.encode(), b"digest", key=key)


def append(store: Store, body: str, scope: str = "s") -> int:
    """Append an entry, and give its id."""
    return store.append(entry(body, scope=scope)).id


def claim(store: Store, scope: str | None = None, *, lease_s: float = LEASE_S, exclusive: bool = False) -> Lease | None:
    """Claim the oldest, if there is one."""
    return store.claim(HANDOFF, scope, lease_s=lease_s, exclusive=exclusive)


def claimed(store: Store) -> Lease:
    """Claim the oldest, which must be there."""
    return one_lease(claim(store))


def done(store: Store, lease: Lease) -> None:
    """Acknowledge."""
    require_same("acknowledged", store.settle(lease, State.DONE), True)


def page(
    store: Store,
    scope: str | None = None,
    *,
    states: tuple[State, ...] = ALL,
    before: int | None = None,
    limit: int = 100,
) -> list[Record]:
    """Give a page of messages."""
    return store.page(HANDOFF, scope, states=states, before=before, limit=limit)


def bodies(store: Store) -> list[str]:
    """Give the bodies of all messages, newest first."""
    return [bytes(record.body).decode() for record in page(store)]


def one(record: Record | None) -> Record:
    """Give a record that must be there."""
    if record is None:
        message = "there is no record where one was expected"
        raise AssertionError(message)
    return record


def one_lease(lease: Lease | None) -> Lease:
    """Give a lease that must be there."""
    if lease is None:
        message = "nothing could be claimed where something was free"
        raise AssertionError(message)
    return lease


def require_same(what: str, found: object, expected: object) -> None:
    """Raise `AssertionError` that shows both when they differ."""
    require(f"{what} is {found!r} and should be {expected!r}", found == expected)


def require(what: str, holds: object) -> None:
    """Raise `AssertionError` when it does not hold."""
    if not holds:
        raise AssertionError(what)


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for what time brings about."""
    deadline = time.monotonic() + LEASE_S
    while not holds():
        require("it happens in time", time.monotonic() < deadline)
        time.sleep(SHORT_S / 5)


def in_threads(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Do work in so many threads at the same time, and give what each of them gave."""
    results: list[Any] = [None] * count
    ready = threading.Barrier(count)

    def run(n: int) -> None:
        ready.wait()
        results[n] = work(n)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
