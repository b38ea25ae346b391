"""A handoff that a model asked for: the record that travels in the `handoff_requests` channel until it is routed."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple, cast

from pydantic_core import to_json

REQUESTS_KEY = "handoff_requests"
"""The state channel in which requests travel, by key."""

ORIGIN_KEY = "handoff_origin"
"""What a routed receiver is sent beside its payload: the path of hops that led to it."""

_KEY_CHARACTERS = 32
_NOT_IN_A_NAME = re.compile(r"[^a-zA-Z0-9_-]+")


def tool_name_of(to_agent: str | None) -> str:
    """Give the name of the tool that hands over to an agent, when it is given none."""
    return f"transfer_to_{_NOT_IN_A_NAME.sub('_', str(to_agent))}"


class Request(NamedTuple):
    """One handoff that one tool call asked for, with arguments that were checked."""

    key: str
    handoff: str
    data: Any
    """The checked input as JSON values."""
    at: str
    """Where the tool ran: LangGraph's checkpoint namespace, which begins with that of each task around it."""
    tool_call_id: str | None
    origin: Mapping[str, Any] | None
    """The path of hops that led to the asking agent, when it was reached by a routed handoff itself."""

    def to_record(self) -> dict[str, Any]:
        """Write it as JSON values, for the channel."""
        return self._asdict()

    def is_under(self, task: str) -> bool:
        """Say whether the tool ran in the task with this namespace, or in a graph that ran in it."""
        return self.at == task or self.at.startswith(f"{task}|")


def request_key(thread_id: str | None, at: str, tool_call_id: str | None) -> str:
    """Derive a key that a replay of the same call gives again, and that no other call has.

    A tool call's own id will not do: providers and parallel agents repeat them.
    """
    return f"hr-{sha256(to_json([thread_id, at, tool_call_id])).hexdigest()[:_KEY_CHARACTERS]}"


def requests_in(state: object) -> list[Request]:
    """Give the requests in a state that is a mapping, oldest first; what is none is passed over."""
    channel: object = cast("Mapping[str, Any]", state).get(REQUESTS_KEY) if isinstance(state, Mapping) else None
    records = cast("Mapping[str, object]", channel).values() if isinstance(channel, Mapping) else ()
    return [request for record in records for request in _read(record)]


def _read(record: object) -> list[Request]:
    if not isinstance(record, Mapping):
        return []
    given = cast("Mapping[str, Any]", record)
    return [Request(**{name: given[name] for name in Request._fields})] if given.keys() >= set(Request._fields) else []
