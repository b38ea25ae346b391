"""SqlStore: what the stores on SQL databases have in common, which is nearly all. A family adds how it connects and waits."""

import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar, NamedTuple, NoReturn

from crux_langgraph.errors import StoreError
from crux_langgraph.stores._bell import Bell, Ticket
from crux_langgraph.stores._records import Appended, Entry, Lease, Record, State
from crux_langgraph.stores._statements import statements

_TOKEN_BYTES = 8

Values = dict[str, Any]


class Outcome(NamedTuple):
    """What one statement gave: its rows, how many rows it changed, and the id of the one it added, if it did."""

    rows: list[tuple[Any, ...]]
    changed: int
    new_id: int | None = None


class SqlStore(ABC):
    """A store on one table. The statements are in `sql/<family>.sql`."""

    family: ClassVar[str]

    def __init__(self, listen: Callable[[Callable[[], bool]], None] | None) -> None:
        self._sql: Mapping[str, str] = statements(self.family)
        self._bell = Bell(listen)

    @abstractmethod
    def _run(self, handoff: str, statement: str, values: Values) -> Outcome:
        """Run one statement by name, durably."""

    @abstractmethod
    def _run_in(self, handoff: str, tx: Any, statement: str, values: Values) -> Outcome:
        """Run one statement in the caller's transaction, and commit nothing."""

    @abstractmethod
    def _lease(self, handoff: str, values: Values) -> tuple[Any, ...] | None:
        """Find the oldest free row and lease it, as one step."""

    @abstractmethod
    def _sent(self, handoff: str, scope: str, tx: Any) -> None:
        """Tell other processes that a record was added."""

    @abstractmethod
    def close(self) -> None:
        """Release what the store holds. It opens again when it is used."""

    def append(self, entry: Entry, *, tx: Any = None) -> Appended:
        """Add a record, or give the one that has its key."""
        values: Values = {
            "handoff": entry.handoff,
            "scope": entry.scope,
            "key": entry.key,
            "version": entry.version,
            "meta": entry.meta,
            "ttl_s": entry.ttl_s,
            "state": int(entry.state),
            "digest": entry.digest,
            "body": entry.body,
            "now": time.time(),
        }
        done = self._ask(tx, entry.handoff, "append", values)
        if done.new_id is None:
            found = self._ask(tx, entry.handoff, "find", values).rows
            return Appended(found[0][0], duplicate=True)
        if entry.state is State.READY:
            self._sent(entry.handoff, entry.scope, tx)
            if tx is None:
                self._bell.ring(entry.handoff, entry.scope)
        return Appended(done.new_id, duplicate=False)

    def _ask(self, tx: Any, handoff: str, statement: str, values: Values) -> Outcome:
        if tx is None:
            return self._run(handoff, statement, values)
        return self._run_in(handoff, tx, statement, values)

    def find(self, handoff: str, scope: str, key: str, *, tx: Any = None) -> int | None:
        """Give the id of the record that has this key in this scope."""
        rows = self._ask(tx, handoff, "find", {"handoff": handoff, "scope": scope, "key": key}).rows
        return rows[0][0] if rows else None

    def get(self, handoff: str, id: int) -> Record | None:  # noqa: A002 - the name of the field
        """Give one record, whatever its state."""
        return self._record(self._run(handoff, "get", {"handoff": handoff, "id": id, "now": time.time()}))

    def latest(self, handoff: str, scope: str, *, after: int = 0) -> Record | None:
        """Give the newest record of a scope whose id is above `after`, consumed or not."""
        values: Values = {"handoff": handoff, "scope": scope, "after": after, "now": time.time()}
        return self._record(self._run(handoff, "latest", values))

    def page(
        self, handoff: str, scope: str | None, *, states: Collection[State], before: int | None, limit: int
    ) -> list[Record]:
        """Give records in these states, newest first; of every scope with None."""
        wanted = {f"s{state}": int(state) if state in states else -1 for state in State}
        values: Values = {"handoff": handoff, "scope": scope, "before": before, "limit": limit, "now": time.time()}
        rows = self._run(handoff, "page" if scope is None else "page_scope", values | wanted).rows
        return [Record._make(row) for row in rows]

    def claim(self, handoff: str, scope: str | None, *, lease_s: float, exclusive: bool) -> Lease | None:
        """Lease the oldest free record and count the attempt."""
        token = secrets.token_bytes(_TOKEN_BYTES)
        values: Values = {
            "handoff": handoff,
            "scope": scope,
            "token": token,
            "lease_s": float(lease_s),
            "exclusive": exclusive,
            "now": time.time(),
        }
        row = self._lease(handoff, values)
        return None if row is None else Lease(Record._make(row), token)

    def extend(self, lease: Lease, *, lease_s: float) -> bool:
        """Let the lease end `lease_s` seconds from now."""
        values: Values = {
            "id": lease.record.id,
            "token": lease.token,
            "lease_s": float(lease_s),
            "now": time.time(),
        }
        return self._run(lease.record.handoff, "extend", values).changed == 1

    def settle(
        self, lease: Lease, state: State, *, reason: str | None = None, delay_s: float = 0.0, counted: bool = True
    ) -> bool:
        """End the lease. Others that wait for this scope look again."""
        values: Values = {
            "id": lease.record.id,
            "token": lease.token,
            "state": int(state),
            "reason": reason,
            "delay_s": float(delay_s),
            "uncounted": int(not counted),
            "now": time.time(),
        }
        settled = self._run(lease.record.handoff, "settle", values).changed == 1
        self._bell.ring(lease.record.handoff, lease.record.scope)
        return settled

    def requeue(self, handoff: str, id: int | None) -> int:  # noqa: A002 - the name of the field
        """Make a dead record ready again, or all of them."""
        requeued = self._run(handoff, "requeue", {"handoff": handoff, "id": id, "now": time.time()}).changed
        self._bell.ring(handoff)
        return requeued

    def sweep(self, handoff: str, *, older_than_s: float) -> int:
        """Delete what is done, expired or kept aside, and older than this."""
        values: Values = {"handoff": handoff, "older_than_s": float(older_than_s), "now": time.time()}
        return self._run(handoff, "sweep", values).changed

    def due_in_s(self, handoff: str, scope: str | None) -> float | None:
        """Give the seconds until the next lease or delay ends."""
        values: Values = {"handoff": handoff, "scope": scope, "now": time.time()}
        due_s: float | None = self._run(handoff, "due" if scope is None else "due_scope", values).rows[0][0]
        return due_s

    def handoffs(self) -> list[tuple[str, State, int, float]]:
        """Give what is in the store: handoff, state, how many, and when the oldest was sent (seconds since 1970)."""
        rows = self._run("*", "handoffs", {}).rows
        return [(handoff, State(state), count, oldest_s) for handoff, state, count, oldest_s in rows]

    def watch(self, handoff: str, scope: str | None) -> Ticket:
        """Start to listen for sends."""
        return self._bell.watch(handoff, scope)

    @staticmethod
    def _record(done: Outcome) -> Record | None:
        return Record._make(done.rows[0]) if done.rows else None


def raise_failed(handoff: str, where: str, error: Exception) -> NoReturn:
    """Raise the `StoreError` of a database error. Its own words may hold values and stay on `original`."""
    raise StoreError(
        handoff=handoff,
        found=f"{where} failed: {type(error).__name__}",
        fix="See the chained error. What was not confirmed was not stored; the same call can be made again.",
        original=error,
    ) from error
