"""What a store holds of a payload: its envelope as JSON bytes, with a digest that also says whose it is."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, cast

from crux_langgraph.errors import EnvelopeError
from crux_langgraph.stores import Record


def packed(envelope: Mapping[str, Any]) -> bytes:
    """Write an envelope as JSON bytes. Every text survives, lone surrogates and NUL too."""
    return json.dumps(envelope, separators=(",", ":"), allow_nan=False).encode()


def digest_of(handoff: str, scope: str, body: bytes) -> bytes:
    """Give the digest of a body in its place: moved to another handoff or scope it is another one."""
    digest = sha256(json.dumps([handoff, scope]).encode())
    digest.update(b"\0")
    digest.update(body)
    return digest.digest()


def unpacked(record: Record) -> Mapping[str, Any]:
    """Read the envelope of a record. Raises `EnvelopeError` when it is not, bit for bit, what was sent."""
    if digest_of(record.handoff, record.scope, bytes(record.body)) != bytes(record.digest):
        raise EnvelopeError(
            handoff=record.handoff,
            found=f"stored record {record.id} was changed since it was sent",
            fix="Restore the database, or have it sent again. Nothing of it was read.",
            reason="corrupt",
            record_id=record.id,
        )
    return cast("Mapping[str, Any]", json.loads(record.body))
