"""HandoffNode: a handoff as a node of a graph. It reads, lets the handoff do its work, and writes; no logic of its own."""

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from crux_langgraph._handoff import Handoff
from crux_langgraph._payload import HANDOFFS_KEY, Payload
from crux_langgraph._waiting import Way
from crux_langgraph.errors import InputError
from crux_langgraph.graph._flowing import FlowNode
from crux_langgraph.graph._hops import onward, origin_of
from crux_langgraph.graph._place import Place, current_place
from crux_langgraph.graph._reading import Read, read_input
from crux_langgraph.graph._repairing import Repair, Sent, repair
from crux_langgraph.graph._running import MESSAGES_KEY, RUN_KEY
from crux_langgraph.graph._shape import as_mapping, as_schema, needs_raw_view
from crux_langgraph.graph._tracing import Unrecorded
from crux_langgraph.graph._writing import History, Write, brief_messages, further_updates, record_of
from crux_langgraph.instrumentation import identity, is_unheard


class HandoffNode(FlowNode):
    """A node that takes the state, hands over, and gives the update: `{"handoffs": {payload_id: record}, ...}`.

    `add_handoff` makes and wires it. It checks in its body and raises the handoff's typed errors from there, so retry
    policies, error handlers and `update_state` work on a bad payload. It can also be called by hand with a state;
    the payload then gets a random id.
    """

    def __init__(
        self,
        handoff: Handoff[Any, Any],
        *,
        read: Read = None,
        write: Write = None,
        history: History = "keep",
        state_schema: Any = None,
        name: str | None = None,
        source: str | None = None,
        target: str | None = None,
        on_invalid: Repair | None = None,
        max_hops: int | None = None,
        store_above_bytes: int | None = None,
        notes: bool = False,
    ) -> None:
        """Take the options of `add_handoff`; `state_schema` is the class of state that the user's functions expect.

        With `notes` it remembers, in a channel that the node's own schema must name, that it ran in this run.
        """
        self.handoff = handoff
        self.name: str | None = name or handoff.id
        self._read = read
        self._write = write
        self._history: History = history
        self._state_schema = state_schema if needs_raw_view(state_schema) else None
        self._source = source
        self._target = target
        self._sender = handoff.from_agent or source
        self._receiver = handoff.to_agent or target
        self._on_invalid = on_invalid
        self._max_hops = max_hops
        self._notes = notes
        self._store_above_bytes = store_above_bytes

    async def _flow(self, way: Way, state: Any, config: RunnableConfig | None, /) -> Any:
        place = current_place()
        unheard = place is not None and is_unheard(config)
        shown = _shown(state)
        user_state = self._user_state(shown, place)
        value = None
        try:
            value = await read_input(way, self.handoff, self._read, shown, user_state)
            payload = await self.handoff.flow(
                way, value, payload_id=place.payload_id(self.handoff.id) if place else None, unheard=unheard
            )
        except InputError as error:
            if self._on_invalid is None or place is None or error.__cause__ is not None:
                raise
            return await repair(way, self._on_invalid, error, value, state, self._sent(place))
        updates = await self._updates(way, payload, state, user_state, place)
        if self._on_invalid is not None:
            return Command(update=updates, goto=str(self._target))
        return Unrecorded(updates) if unheard else updates

    async def _updates(
        self, way: Way, payload: Payload[Any], state: Any, user_state: Any, place: Place | None
    ) -> dict[str, Any]:
        envelope = payload.to_envelope()
        origin = onward(origin_of(state, self._sender), envelope, self._max_hops)
        record = record_of(envelope, state, place, origin, self._receiver)
        if self._store_above_bytes is not None:
            record |= origin.with_digest(envelope["data"]).to_json()
            record = await self.handoff.kept_aside(way, payload, record, above_bytes=self._store_above_bytes)
        updates: dict[str, Any] = {HANDOFFS_KEY: {payload.id: record}}
        if self._notes:
            updates[RUN_KEY] = {self.name: {}}
        if self._write == "messages":
            updates[MESSAGES_KEY] = brief_messages(payload, state, self._history)
        elif callable(self._write):
            updates |= await further_updates(way, self._write, payload, user_state)
        return updates

    def _sent(self, place: Place) -> Sent:
        facts = identity(self.handoff.id, self._sender, self._receiver, "transfer")
        return Sent(str(self.name), str(self._source), place.payload_id(self.handoff.id), facts)

    def _user_state(self, shown: Any, place: Place | None) -> Any:
        is_as_given = self._state_schema is None or (place is not None and place.sent)
        return shown if is_as_given else as_schema(self._state_schema, shown)


def _shown(state: Any) -> Any:
    """Give the state without what the handoff nodes keep for themselves."""
    if RUN_KEY not in as_mapping(state):
        return state
    return {key: value for key, value in as_mapping(state).items() if key != RUN_KEY}
