"""Store: what the stored handoffs need of a backend. `crux_langgraph.testing` has the suite that each must pass."""

from collections.abc import Collection
from typing import Any, Protocol, runtime_checkable

from crux_langgraph.stores._bell import Ticket
from crux_langgraph.stores._records import Appended, Entry, Lease, Record, State


@runtime_checkable
class Store(Protocol):
    """An inbox per handoff and scope. Every method blocks; what is awaited runs it in a thread.

    Any thread may call any method. `StoreError` is raised when the backend fails. What a method did is durable when it
    returns. Records of one scope get rising ids in the order in which they become visible.
    """

    def append(self, entry: Entry, *, tx: Any = None) -> Appended:
        """Add a record, or give the one that has its key. With `tx`, the caller's own transaction, nothing is committed."""
        ...

    def find(self, handoff: str, scope: str, key: str, *, tx: Any = None) -> int | None:
        """Give the id of the record that has this key in this scope, as the transaction sees it if there is one."""
        ...

    def get(self, handoff: str, id: int) -> Record | None:  # noqa: A002 - the name of the field
        """Give one record, whatever its state."""
        ...

    def latest(self, handoff: str, scope: str, *, after: int = 0) -> Record | None:
        """Give the newest record of a scope whose id is above `after`, consumed or not; those kept aside are no records."""
        ...

    def page(
        self, handoff: str, scope: str | None, *, states: Collection[State], before: int | None, limit: int
    ) -> list[Record]:
        """Give records in these states, newest first; of every scope with None."""
        ...

    def claim(self, handoff: str, scope: str | None, *, lease_s: float, exclusive: bool) -> Lease | None:
        """Lease the oldest free record, of any scope with None, and count the attempt. None when there is none.

        An expired record is given too. `exclusive` passes over each scope that has an older unfinished record, so that
        one consumer at a time has a scope, in order.
        """
        ...

    def extend(self, lease: Lease, *, lease_s: float) -> bool:
        """Let the lease end `lease_s` seconds from now. False when it is no longer held."""
        ...

    def settle(
        self, lease: Lease, state: State, *, reason: str | None = None, delay_s: float = 0.0, counted: bool = True
    ) -> bool:
        """End the lease: DONE, DEAD with a reason, or READY again after `delay_s`. False when it is no longer held.

        With `counted=False` the attempt is not counted.
        """
        ...

    def requeue(self, handoff: str, id: int | None) -> int:  # noqa: A002 - the name of the field
        """Make a dead record ready again with no attempts, or all of them with None. Give how many."""
        ...

    def sweep(self, handoff: str, *, older_than_s: float) -> int:
        """Delete what is done, expired or kept aside, and older than this; give how many. What waits or is dead stays."""
        ...

    def due_in_s(self, handoff: str, scope: str | None) -> float | None:
        """Give the seconds until the next lease or delay ends; None when nothing waits for one."""
        ...

    def watch(self, handoff: str, scope: str | None) -> Ticket:
        """Start to listen for sends; the ticket is to be closed."""
        ...

    def close(self) -> None:
        """Release what the store holds. It opens again when it is used."""
        ...
