"""Reading what is stored: each record with what became of it, and its payload checked against today's model."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Generic, Literal, NamedTuple

from pydantic import BaseModel
from typing_extensions import TypeVar

from crux_langgraph._inbox._scope import parts_of
from crux_langgraph._inbox._wire import unpacked
from crux_langgraph._payload import Payload
from crux_langgraph.errors import EnvelopeError
from crux_langgraph.stores import Record, State

Out_co = TypeVar("Out_co", bound=BaseModel, covariant=True)

Read = Callable[[Mapping[str, Any]], Payload[Out_co]]
Status = Literal["ready", "done", "dead"]

_STATUS: Mapping[int, Status] = {State.READY: "ready", State.DONE: "done", State.DEAD: "dead"}


class StoredFacts(NamedTuple):
    """What a store says of one record without looking into its payload. `attempts` counts the claims so far."""

    id: int
    scope: tuple[str, ...]
    status: Status
    attempts: int
    reason: str | None
    sent_at: datetime
    expires_at: datetime | None
    version: int


class Stored(Generic[Out_co]):
    """One record of an inbox: the facts about it, and its payload, read when it is asked for."""

    def __init__(self, record: Record, read: Read[Out_co]) -> None:
        self._record = record
        self._read = read
        self.facts: StoredFacts = StoredFacts(
            id=record.id,
            scope=parts_of(record.scope),
            status=_STATUS[record.state],
            attempts=record.attempts,
            reason=record.reason,
            sent_at=_time(record.created_s),
            expires_at=None if record.expires_s is None else _time(record.expires_s),
            version=record.version,
        )

    def __repr__(self) -> str:
        return f"Stored(id={self.id}, scope={self.facts.scope}, status={self.facts.status!r})"

    @property
    def id(self) -> int:
        """The id that `send` gave."""
        return self.facts.id

    @property
    def payload(self) -> Payload[Out_co]:
        """The payload, checked. Raises `EnvelopeError`, whose `reason` tells in which way it cannot be read."""
        return opened(self._record, self._read)


def opened(record: Record, read: Read[Out_co]) -> Payload[Out_co]:
    """Give the payload of a record. Raises `EnvelopeError` with the record's id."""
    if record.expired:
        raise EnvelopeError(
            handoff=record.handoff,
            found=f"stored record {record.id} expired at {_time(record.expires_s or 0.0).isoformat(timespec='seconds')}",
            fix="Have it sent again, or with a longer ttl_s.",
            reason="expired",
            record_id=record.id,
        )
    try:
        return read(unpacked(record))
    except EnvelopeError as error:
        error.record_id = record.id
        raise


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
