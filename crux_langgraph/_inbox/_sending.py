"""Sending: prepare, then persist. Nothing is stored when a step fails, and a repetition is found before it costs anything."""

import json
from typing import Any, NamedTuple, Protocol, cast

from crux_langgraph._inbox._keys import given_key, task_key
from crux_langgraph._inbox._refusing import require_seconds
from crux_langgraph._inbox._scope import Scope, encoded, parts_of
from crux_langgraph._inbox._tracing import running_place, stored_facts
from crux_langgraph._inbox._wire import digest_of, packed
from crux_langgraph._payload import Payload
from crux_langgraph._waiting import Way
from crux_langgraph.errors import InputError
from crux_langgraph.instrumentation import Recording
from crux_langgraph.stores import Entry, Store


class Sent(NamedTuple):
    """What a send did: the id of the record, and whether it had been stored before, so that nothing was added."""

    id: int
    duplicate: bool


class Sender(Protocol):
    """What sending needs of a handoff."""

    id: str
    version: int
    from_agent: str | None
    to_agent: str | None

    async def flow(self, way: Way, value: object) -> Payload[Any]:
        """Prepare a payload."""
        ...

    def checked_input(self, value: object) -> Any:
        """Give `value` as the JSON values of a valid input, or raise `InputError`."""
        ...


class SendOptions(NamedTuple):
    """The options of `send`."""

    scope: Scope = None
    key: str | None = None
    ttl_s: float | None = None
    tx: Any = None
    tool_call_id: str | None = None


async def send(way: Way, handoff: Sender, store: Store, value: object, options: SendOptions) -> Sent:
    """Run the steps of `Handoff.send` on either way, in a run of their own."""
    if options.ttl_s is not None:
        require_seconds(handoff.id, "ttl_s", options.ttl_s)
    scope = encoded(handoff.id, "send", options.scope)
    facts = stored_facts(handoff, scope)
    async with Recording(way, "handoff:send", facts) as run:
        await run.start(lambda: {"scope": parts_of(scope), "key": options.key})
        sent = await _send(way, handoff, store, value, options, scope, run)
        run.end(lambda: {"record": sent.id, "duplicate": sent.duplicate}, lambda: {"crux_record_id": sent.id})
        return sent


async def _send(
    way: Way, handoff: Sender, store: Store, value: object, options: SendOptions, scope: str, run: Recording
) -> Sent:
    key = _key(handoff, value, options)
    before = None if key is None else await way.call(store.find, handoff.id, scope, key, tx=options.tx)
    if before is not None:
        return Sent(before, duplicate=True)
    payload = await _prepared(way, handoff, value)
    body = packed(payload.to_envelope())
    entry = Entry(
        handoff=handoff.id,
        scope=scope,
        body=body,
        digest=digest_of(handoff.id, scope, body),
        version=payload.version,
        key=key,
        meta=json.dumps({"payload": payload.id, "sender": {**run.link, **running_place()}}),
        ttl_s=options.ttl_s,
    )
    return Sent(*await way.call(store.append, entry, tx=options.tx))


def _key(handoff: Sender, value: object, options: SendOptions) -> str | None:
    if options.key is not None:
        return given_key(handoff.id, options.key)

    def text() -> str:
        if isinstance(value, Payload):
            return cast("Payload[Any]", value).id
        return json.dumps(handoff.checked_input(value))

    return task_key(options.tool_call_id, text)


async def _prepared(way: Way, handoff: Sender, value: object) -> Payload[Any]:
    if not isinstance(value, Payload):
        return await handoff.flow(way, value)
    payload = cast("Payload[Any]", value)
    if payload.handoff != handoff.id:
        raise InputError(
            handoff=handoff.id,
            found=f"what was given is a payload of handoff {payload.handoff!r}",
            fix="Send it with the handoff that prepared it. Nothing was stored.",
        )
    return payload
