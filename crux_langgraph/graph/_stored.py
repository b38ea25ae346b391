"""Nodes over a store: one that sends what the state holds, and one that puts what was sent into the state."""

from typing import Any

from langchain_core.runnables import RunnableConfig

from crux_langgraph._handoff import Handoff
from crux_langgraph._inbox import Scope, SendOptions
from crux_langgraph._payload import HANDOFFS_KEY
from crux_langgraph._waiting import Way
from crux_langgraph.graph._flowing import FlowNode
from crux_langgraph.graph._hops import Origin, onward
from crux_langgraph.graph._place import current_place
from crux_langgraph.graph._reading import Read, read_input
from crux_langgraph.graph._running import last_said
from crux_langgraph.graph._writing import record_of


class SendNode(FlowNode):
    """A node that sends: `builder.add_node("hand_over", SendNode(research_to_writer, read="structured_response"))`.

    `read` is as in `add_handoff`, `scope` as in `send`: by default the running thread. A node that runs again, after a
    failure, an interrupt or a crash, sends once, whatever its model says the next time. It changes nothing in the state.
    """

    def __init__(self, handoff: Handoff[Any, Any, Any], *, read: Read = None, scope: Scope = None) -> None:
        """Take the handoff and where its input is."""
        self.handoff = handoff
        self.name: str | None = f"send-{handoff.id}"
        self._read = read
        self._scope: Scope = scope

    async def _flow(self, way: Way, state: Any, _: RunnableConfig | None, /) -> dict[str, Any]:
        value = await read_input(way, self.handoff, self._read, state, state)
        await self.handoff.send_flow(way, value, SendOptions(scope=self._scope, tool_call_id=self.name))
        return {}


class ReceiveNode(FlowNode):
    """A node that receives: what was sent to the scope last is then in the `handoffs` channel, as if handed over here.

    `scope` and `wait_s` are as in `receive`. When nothing was sent the state stays as it is.
    """

    def __init__(self, handoff: Handoff[Any, Any, Any], *, scope: Scope = None, wait_s: float = 0.0) -> None:
        """Take the handoff, and how long to wait."""
        self.handoff = handoff
        self.name: str | None = f"receive-{handoff.id}"
        self._scope: Scope = scope
        self._wait_s = wait_s

    async def _flow(self, way: Way, state: Any, _: RunnableConfig | None, /) -> dict[str, Any]:
        payload = await self.handoff.receive_flow(way, self._scope, self._wait_s, 0)
        if payload is None:
            return {}
        envelope = payload.to_envelope()
        came = onward(Origin((), (), last_said(state)), envelope, None)
        return {HANDOFFS_KEY: {payload.id: record_of(envelope, state, current_place(), came, payload.to_agent)}}
