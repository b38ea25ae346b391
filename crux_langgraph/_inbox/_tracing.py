"""What the runs of stored handoffs say: whose record it is, and by whom, in which trace, it was sent."""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from langgraph.config import get_config

from crux_langgraph._payload import Payload
from crux_langgraph.instrumentation import Facts, identity
from crux_langgraph.stores import Record


class Crossing(Protocol):
    """What a run says of a handoff."""

    id: str
    from_agent: str | None
    to_agent: str | None


def stored_facts(handoff: Crossing, scope: str | None) -> Facts:
    """Give what is known before a record is."""
    said = {} if scope is None else {"crux_scope": scope}
    return {**identity(handoff.id, handoff.from_agent, handoff.to_agent, "transfer"), **said}


def record_facts(record: Record) -> Facts:
    """Give what a receiver's run says of a record: its id, its attempts, and who sent it."""
    sender: Mapping[str, str] = json.loads(record.meta).get("sender") or {}
    linked = {f"crux_sender_{name}": value for name, value in sender.items()}
    return {"crux_record_id": record.id, "crux_attempt": record.attempts, **linked}


def shown(record: Record, payload: Payload[Any]) -> Facts:
    """Give what a receiver's run shows: the record and the payload, masked."""
    return {"record": record.id, "payload": payload.contract.shown(payload.data)}


def running_place() -> dict[str, str]:
    """Give the thread of the running graph, if there is one."""
    try:
        thread = (get_config().get("configurable") or {}).get("thread_id")
    except RuntimeError:
        return {}
    return {} if thread is None else {"thread_id": str(thread)}
