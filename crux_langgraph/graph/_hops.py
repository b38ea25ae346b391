"""The path of hops that a payload has come by, and the guard over it: no loop without progress, no path too long."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from pydantic_core import to_json

from crux_langgraph._payload import records_in
from crux_langgraph.errors import HopLimitError, LoopError
from crux_langgraph.graph._running import MESSAGES_KEY, last_said, notes_in
from crux_langgraph.graph._shape import as_mapping

Hop = Mapping[str, str]


class Origin(NamedTuple):
    """The hops that led to an agent since the user last spoke, a digest of the data of each, and the user's message.

    The newest hop's digest may be missing where its data is at hand: most paths end before anything is compared with it.
    """

    hops: Sequence[Hop]
    digests: Sequence[str]
    said: str | None

    def to_json(self) -> dict[str, Any]:
        """Write it as JSON values."""
        return {"hops": [dict(hop) for hop in self.hops], "digests": list(self.digests), "said": self.said}

    @classmethod
    def read(cls, record: Mapping[str, Any], said: str | None) -> "Origin":
        """Give what `to_json` wrote, with all digests; no hops when the user has spoken since."""
        if record.get("said") != said:
            return cls((), (), said)
        return cls(record.get("hops") or (), record.get("digests") or (), said).with_digest(record.get("data"))

    def with_digest(self, data: object) -> "Origin":
        """Give it with the digest of the newest hop, whose data this is, for where the data does not go along."""
        missing = len(self.digests) < len(self.hops)
        return self._replace(digests=[*self.digests, _digest(data)]) if missing else self


def origin_of(state: object, agent: str | None) -> Origin:
    """Read off the state how the payload that `agent` works on came there; no hops when the user's words came straight.

    It is the newest record that led to the agent in this run, and since the user last spoke.
    """
    values = as_mapping(state)
    arrived = [record for record in records_in(values) if agent is not None and record.get("to") == agent]
    said = last_said(values)
    if not arrived or not (MESSAGES_KEY in values or notes_in(values)):
        return Origin((), (), said)
    return Origin.read(max(arrived, key=lambda record: str(record.get("created_at"))), said)


def onward(origin: Origin, envelope: Mapping[str, Any], max_hops: int | None) -> Origin:
    """Give the path with this payload's hop at its end. Raises `LoopError` or `HopLimitError` where it may not go on.

    A loop is the same handoff carrying the same data a second time; so a cycle of any length that changes nothing is
    found at the first hop of its second round. The digest of this hop is left to who has no data to make it of later.
    """
    handoff = envelope["handoff"]
    path = [*origin.hops, {"handoff": handoff, "payload": envelope["id"]}]
    seen = [there for one, there in zip(origin.hops, origin.digests, strict=False) if one["handoff"] == handoff]
    if seen and _digest(envelope["data"]) in seen:
        names = _names(path)
        raise LoopError(
            handoff=handoff,
            found=f"the same payload goes round: {' -> '.join(names)}",
            fix="Let an agent on the way add to what it hands on, or answer itself. Nothing was handed over.",
            path=names,
        )
    if max_hops is not None and len(path) > max_hops:
        names = _names(path)
        raise HopLimitError(
            handoff=handoff,
            found=f"it would be hop {len(path)} since the user last spoke, of at most {max_hops}: {' -> '.join(names)}",
            fix="Raise max_hops, or let an agent on the way answer itself. Nothing was handed over.",
            path=names,
            max_hops=max_hops,
        )
    return Origin(path, origin.digests, origin.said)


def _names(path: Sequence[Hop]) -> tuple[str, ...]:
    return tuple(str(hop["handoff"]) for hop in path)


def _digest(data: object) -> str:
    return blake2b(to_json(data), digest_size=32).hexdigest()
