"""What a store keeps: the entry that is appended, the record that is read, the lease of a claim. All of it plain data."""

from enum import IntEnum
from typing import NamedTuple


class State(IntEnum):
    """Where a record stands in its life."""

    READY = 0
    """Waits for a consumer, is leased to one, or waits for its next attempt."""
    DONE = 1
    """Acknowledged. It stays readable."""
    DEAD = 2
    """Set aside, with the reason, until somebody requeues it."""
    KEPT = 3
    """No message: a payload that a graph state only refers to."""


class Entry(NamedTuple):
    """What is appended: one payload for one scope of one handoff, as bytes that the store does not look into."""

    handoff: str
    scope: str
    body: bytes
    digest: bytes
    version: int = 1
    key: str | None = None
    meta: str = "{}"
    ttl_s: float | None = None
    state: State = State.READY


class Appended(NamedTuple):
    """What `append` did: the id of the record, and whether the key had been there already, so that nothing was added."""

    id: int
    duplicate: bool


class Record(NamedTuple):
    """One stored payload. Times are seconds since 1970 by the clock of the database."""

    id: int
    handoff: str
    scope: str
    key: str | None
    version: int
    meta: str
    created_s: float
    expires_s: float | None
    expired: bool
    state: int
    attempts: int
    reason: str | None
    digest: bytes
    body: bytes


class Lease(NamedTuple):
    """A claimed record together with the token that fences its acknowledgement."""

    record: Record
    token: bytes
