"""HandoffNode: a handoff as a node of a graph. It reads, lets the handoff do its work, and writes; no logic of its own."""

from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig

from crux_langgraph._handoff import Handoff
from crux_langgraph._payload import HANDOFFS_KEY
from crux_langgraph._waiting import AWAITING, BLOCKING, Way, finish
from crux_langgraph.graph._place import current_place
from crux_langgraph.graph._reading import Read, read_input
from crux_langgraph.graph._shape import as_schema
from crux_langgraph.graph._writing import MESSAGES_KEY, History, Write, brief_messages, further_updates, record_of


class HandoffNode(Runnable[Any, Any]):
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
    ) -> None:
        """Take the options of `add_handoff`; `state_schema` is the class of state that the user's functions expect."""
        self.handoff = handoff
        self.name: str | None = handoff.id
        self._read = read
        self._write = write
        self._history: History = history
        self._state_schema = state_schema

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:  # noqa: A002, ARG002 - as Runnable names them
        """Hand over what the state holds and give the update of the state."""
        return finish(self._flow(BLOCKING, input))

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:  # noqa: A002, ARG002 - as Runnable names them
        """As `invoke`; plain functions of the user run in LangChain's executor."""
        return await self._flow(AWAITING, input)

    async def _flow(self, way: Way, state: Any) -> dict[str, Any]:
        place = current_place()
        user_state = state if place and place.sent else as_schema(self._state_schema, state)
        value = await read_input(way, self.handoff, self._read, state, user_state)
        payload_id = place.payload_id(self.handoff.id) if place else None
        payload = await self.handoff.flow(way, value, payload_id=payload_id)
        updates: dict[str, Any] = {HANDOFFS_KEY: {payload.id: record_of(payload, state, place)}}
        if self._write == "messages":
            updates[MESSAGES_KEY] = brief_messages(payload, state, self._history)
        elif callable(self._write):
            updates |= await further_updates(way, self._write, payload, user_state)
        return updates
