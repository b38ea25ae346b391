"""Slot: LangGraph's `BaseStore` as the store of a handoff, for where nothing else is to be had. It has no claims."""

import hashlib
import time
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterator
from typing import Any, NoReturn

from langgraph.store.base import BaseStore

from crux_langgraph._process import Lock
from crux_langgraph.errors import ClaimNotSupportedError, StoreError
from crux_langgraph.stores._bell import Bell, Ticket
from crux_langgraph.stores._records import Appended, Entry, Lease, Record, State

__all__ = ["Slot"]

_ROOT = "crux_handoff"
_KEYS = "crux_handoff_keys"
_PAGE = 500


class Slot:
    """A handoff's store in a `BaseStore`: `@handoff(store=Slot(my_base_store))`.

    `send`, `receive` and `history` work; each send has a key of its own and overwrites none. A `BaseStore` writes
    without conditions, so: `claim` raises `ClaimNotSupportedError`; of two sends with one key at the same moment both
    may be stored; ids order the sends of several machines by their clocks; `tx=` is refused; and whoever waits sees
    what another process sends at the next look, within two seconds.
    """

    def __init__(self, store: BaseStore) -> None:
        """Take the store; a graph's own is `get_store()`, and a subgraph has that of the outermost graph, or none."""
        self._store = store
        self._bell = Bell()
        self._lock = Lock()
        self._last = 0

    def append(self, entry: Entry, *, tx: Any = None) -> Appended:
        """Add a record under a new key."""
        if tx is not None:
            raise StoreError(
                handoff=entry.handoff,
                found="tx= was given, and LangGraph's BaseStore joins no transaction",
                fix="Leave tx= out, or give store= 'sqlite:' or 'postgresql://...'.",
            )
        found = None if entry.key is None else self.find(entry.handoff, entry.scope, entry.key)
        if found is not None:
            return Appended(found, duplicate=True)
        id_, now = self._next_id(), time.time()
        value = {
            "id": id_,
            "scope": entry.scope,
            "key": entry.key,
            "version": entry.version,
            "meta": entry.meta,
            "created_s": now,
            "expires_s": None if entry.ttl_s is None else now + entry.ttl_s,
            "state": int(entry.state),
            "digest": b64encode(entry.digest).decode(),
            "body": b64encode(entry.body).decode(),
        }
        self._store.put(_namespace(_ROOT, entry.handoff, entry.scope), f"{id_:020d}", value, index=False)
        if entry.key is not None:
            place = _namespace(_KEYS, entry.handoff, entry.scope)
            self._store.put(place, _digest(entry.key), {"id": id_}, index=False)
        self._bell.ring(entry.handoff, entry.scope)
        return Appended(id_, duplicate=False)

    def find(self, handoff: str, scope: str, key: str, *, tx: Any = None) -> int | None:  # noqa: ARG002 - as the protocol has it
        """Give the id of the record that has this key."""
        item = self._store.get(_namespace(_KEYS, handoff, scope), _digest(key))
        return None if item is None else int(item.value["id"])

    def get(self, handoff: str, id: int) -> Record | None:  # noqa: A002 - the name of the field
        """Give one record."""
        return next((record for record in self._records(handoff, None) if record.id == id), None)

    def latest(self, handoff: str, scope: str, *, after: int = 0) -> Record | None:
        """Give the newest record of a scope above an id."""
        newer = [record for record in self._messages(handoff, scope) if record.id > after]
        return max(newer, key=lambda record: record.id, default=None)

    def page(
        self, handoff: str, scope: str | None, *, states: Collection[State], before: int | None, limit: int
    ) -> list[Record]:
        """Give records, newest first. All of them are ready: nothing here is consumed."""
        found = [record for record in self._messages(handoff, scope) if before is None or record.id < before]
        wanted = [record for record in found if record.state in states]
        return sorted(wanted, key=lambda record: -record.id)[:limit]

    def claim(self, handoff: str, scope: str | None, *, lease_s: float, exclusive: bool) -> Lease | None:  # noqa: ARG002 - as the protocol has it
        """Raise `ClaimNotSupportedError`."""
        _refuse(handoff, "claim()")

    def extend(self, lease: Lease, *, lease_s: float) -> bool:  # noqa: ARG002 - as the protocol has it
        """Raise `ClaimNotSupportedError`."""
        _refuse(lease.record.handoff, "a lease")

    def settle(
        self,
        lease: Lease,
        state: State,  # noqa: ARG002 - as the protocol has it
        *,
        reason: str | None = None,  # noqa: ARG002 - as the protocol has it
        delay_s: float = 0.0,  # noqa: ARG002 - as the protocol has it
        counted: bool = True,  # noqa: ARG002 - as the protocol has it
    ) -> bool:
        """Raise `ClaimNotSupportedError`."""
        _refuse(lease.record.handoff, "an acknowledgement")

    def requeue(self, handoff: str, id: int | None) -> int:  # noqa: A002, ARG002 - as the protocol has it
        """Raise `ClaimNotSupportedError`: there are no dead letters."""
        _refuse(handoff, "requeue()")

    def sweep(self, handoff: str, *, older_than_s: float) -> int:
        """Delete what has expired or is kept aside, and is older than this."""
        until = time.time() - older_than_s
        over = [
            record
            for record in self._records(handoff, None)
            if record.created_s <= until and (record.expired or record.state == State.KEPT)
        ]
        for record in over:
            self._store.delete(_namespace(_ROOT, handoff, record.scope), f"{record.id:020d}")
        return len(over)

    def due_in_s(self, handoff: str, scope: str | None) -> float | None:  # noqa: ARG002 - as the protocol has it
        """Nothing falls due where nothing is leased."""
        return None

    def watch(self, handoff: str, scope: str | None) -> Ticket:
        """Start to listen for sends of this process."""
        return self._bell.watch(handoff, scope)

    def close(self) -> None:
        """Nothing to release: the store is its owner's."""

    def _next_id(self) -> int:
        with self._lock:
            self._last = max(time.time_ns(), self._last + 1)
            return self._last

    def _messages(self, handoff: str, scope: str | None) -> Iterator[Record]:
        return (record for record in self._records(handoff, scope) if record.state != State.KEPT)

    def _records(self, handoff: str, scope: str | None) -> Iterator[Record]:
        place = (_ROOT, handoff) if scope is None else _namespace(_ROOT, handoff, scope)
        offset = 0
        while items := self._store.search(place, limit=_PAGE, offset=offset):
            yield from (_record(handoff, item.value) for item in items)
            offset += len(items)


def _record(handoff: str, value: dict[str, Any]) -> Record:
    expires_s = value["expires_s"]
    return Record(
        id=value["id"],
        handoff=handoff,
        scope=value["scope"],
        key=value["key"],
        version=value["version"],
        meta=value["meta"],
        created_s=value["created_s"],
        expires_s=expires_s,
        expired=expires_s is not None and expires_s <= time.time(),
        state=value["state"],
        attempts=0,
        reason=None,
        digest=b64decode(value["digest"]),
        body=b64decode(value["body"]),
    )


def _namespace(root: str, handoff: str, scope: str) -> tuple[str, ...]:
    # A scope may hold dots, which a namespace may not.
    return (root, handoff, _digest(scope))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _refuse(handoff: str, asked: str) -> NoReturn:
    raise ClaimNotSupportedError(
        handoff=handoff,
        found=f"{asked} was asked of LangGraph's BaseStore, which has no conditional writes",
        fix="Give store= 'sqlite:' or 'postgresql://...'; or use receive(), which takes nothing away.",
    )
