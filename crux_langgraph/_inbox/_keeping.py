"""Large payloads: the store keeps the data, and the graph's state a reference to it."""

from collections.abc import Mapping
from typing import Any, cast

from typing_extensions import TypeIs

from crux_langgraph._inbox._wire import digest_of, packed, unpacked
from crux_langgraph._payload import Payload
from crux_langgraph._waiting import Way
from crux_langgraph.errors import EnvelopeError
from crux_langgraph.stores import Entry, State, Store

_REFERENCE = "stored"
_DATA = "data"


async def kept_aside(
    way: Way, store: Store, payload: Payload[Any], record: dict[str, Any], *, scope: str, above_bytes: int
) -> dict[str, Any]:
    """Give `record`, and where its payload is larger than this, with a reference in the place of the data.

    A task that runs again refers to the same data.
    """
    body = packed(payload.to_envelope())
    if len(body) <= above_bytes:
        return record
    digest = digest_of(payload.handoff, scope, body)
    entry = Entry(
        handoff=payload.handoff,
        scope=scope,
        body=body,
        digest=digest,
        version=payload.version,
        key=f"kept {digest.hex()}",
        state=State.KEPT,
    )
    appended = await way.call(store.append, entry)
    return {**record, _DATA: None, _REFERENCE: appended.id}


def is_reference(envelope: object) -> TypeIs[Mapping[str, Any]]:
    """Say whether the data of what should be an envelope is in the store."""
    if not isinstance(envelope, Mapping):
        return False
    return isinstance(cast("Mapping[str, Any]", envelope).get(_REFERENCE), int)


def fetched(store: Store, handoff: str, envelope: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the envelope with its data. Raises `EnvelopeError` when the store has it no more, or has something else."""
    record = store.get(handoff, envelope[_REFERENCE])
    if record is None:
        raise EnvelopeError(
            handoff=handoff,
            found=f"the state refers to stored record {envelope[_REFERENCE]}, which is not there",
            fix="Read it with the store in which it was kept, and sweep only what no thread refers to any more.",
            reason="missing",
            record_id=envelope[_REFERENCE],
        )
    inside = unpacked(record)
    if inside.get("id") != envelope.get("id"):
        raise EnvelopeError(
            handoff=handoff,
            found=f"the state refers to stored record {record.id}, which is of another payload",
            fix="Read it with the store in which it was kept.",
            reason="corrupt",
            record_id=record.id,
        )
    return {**envelope, _DATA: inside[_DATA], "version": inside["version"]}
