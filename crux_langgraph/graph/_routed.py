"""The two ends of a routed handoff: the path that leads each request to its node, and the node that leads it on."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END
from langgraph.types import Command, Send
from pydantic_core import to_json

from crux_langgraph._handoff import Handoff
from crux_langgraph._payload import HANDOFFS_KEY
from crux_langgraph._requesting import ORIGIN_KEY, REQUESTS_KEY, Request, requests_in
from crux_langgraph._waiting import Way
from crux_langgraph.errors import UnroutedError
from crux_langgraph.graph._flowing import FlowNode, Path
from crux_langgraph.graph._hops import Origin, onward, origin_of
from crux_langgraph.graph._place import current_place
from crux_langgraph.graph._running import MESSAGES_KEY, RUN_KEY, last_said
from crux_langgraph.graph._shape import as_schema
from crux_langgraph.graph._state import ACTIVE_KEY
from crux_langgraph.graph._writing import History, Write, brief_messages, record_of
from crux_langgraph.instrumentation import is_unheard


class Routed(NamedTuple):
    """What a routed handoff node is sent: one request, and the state as the asking agent left it."""

    request: Request
    origin: Origin
    state: Mapping[str, Any]
    is_active: bool
    """The last handoff of its turn, whose target is the active agent from now on."""

    def to_arg(self) -> dict[str, Any]:
        """Write it as what `Send` carries."""
        return {
            "request": self.request.to_record(),
            "origin": self.origin.to_json(),
            "state": dict(self.state),
            "is_active": self.is_active,
        }

    @classmethod
    def from_arg(cls, arg: Mapping[str, Any]) -> "Routed":
        """Read what `to_arg` wrote."""
        origin = Origin(**arg["origin"])
        return cls(Request(**arg["request"]), origin, arg["state"], arg["is_active"])


class RequestRouter(Path):
    """The path of a sending agent's conditional edge: each request of this very run to its node, else the default.

    Only the requests of the task that has just ended: those of other agents, and those that an aborted run left
    behind, are nobody's here.
    """

    name = "handoffs"

    def __init__(self, source: str, nodes: Mapping[str, str], default: str) -> None:
        """Lead the requests of `source` to `nodes`, by handoff id."""
        self._source = source
        self._nodes = dict(nodes)
        self._default = default
        self.carried: Mapping[str, frozenset[str]] = {}
        """By handoff id, the state keys that its target declares: nothing else is copied. Settled at compile."""

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002, ARG002 - as Runnable names them
        """Give the `Send`s, or the default. Raises `UnroutedError` for a request that leads nowhere."""
        # Of the config that is passed: LangGraph makes the runtime of a node known to its body, and not to its edges.
        task: str = (config or {}).get("configurable", {}).get("checkpoint_ns", "")
        own = [request for request in requests_in(input) if request.is_under(task)]
        routed = [request for request in own if request.handoff in self._nodes]
        if len(routed) < len(own) and "|" not in task:
            # In a graph within a graph it stays in the channel, which the graph around it may route.
            self._refuse(next(request for request in own if request not in routed))
        return [self._send(request, input, is_active=request is routed[-1]) for request in routed] or self._default

    def _send(self, request: Request, state: Mapping[str, Any], *, is_active: bool) -> Send:
        came = request.origin
        origin = origin_of(state, self._source) if came is None else Origin.read(came, last_said(state))
        carried = self.carried.get(request.handoff, frozenset())
        kept = {key: value for key, value in state.items() if key in carried}
        return Send(self._nodes[request.handoff], Routed(request, origin, kept, is_active).to_arg())

    def _refuse(self, request: Request) -> None:
        raise UnroutedError(
            handoff=request.handoff,
            found=f"the model of {self._source!r} asked for it, and nothing leads it on from there",
            fix=f"Name it in add_handoffs(builder, {self._source!r}, [...]), or take its tool from the agent.",
        )


class RoutedNode(FlowNode):
    """The node of a handoff that models choose: hands over one request, and sends the payload on to its target."""

    def __init__(
        self,
        handoff: Handoff[Any, Any],
        *,
        name: str,
        target: str,
        write: Write = None,
        history: History = "keep",
        max_hops: int | None = None,
    ) -> None:
        """Take the options of `add_handoffs`; what the target is sent is settled when the graph compiles."""
        self.handoff = handoff
        self.name = name
        self._target = target
        self._write = write
        self._history: History = history
        self._max_hops = max_hops
        self.target_schema: Any = None
        """The class of state that a target which is a function expects; None for a graph. Settled at compile."""

    async def _flow(self, way: Way, sent: Any, config: RunnableConfig | None, /) -> Any:
        routed, place = Routed.from_arg(sent), current_place()
        payload_id = place.payload_id(self.handoff.id) if place else None
        # As JSON text, which a strict model reads as it is meant: its dates are texts there.
        data = to_json(routed.request.data).decode()
        unheard = place is not None and is_unheard(config)
        payload = await self.handoff.flow(way, data, payload_id=payload_id, unheard=unheard)
        envelope = payload.to_envelope()
        origin = onward(routed.origin, envelope, self._max_hops).with_digest(envelope["data"])
        record = record_of(envelope, routed.state, place, origin, self._target)
        updates: dict[str, Any] = {
            HANDOFFS_KEY: {payload.id: record},
            REQUESTS_KEY: {routed.request.key: None},
        }
        if routed.is_active and self._target != END:
            updates[ACTIVE_KEY] = self._target
        carried: dict[str, Any] = {**routed.state, HANDOFFS_KEY: {payload.id: record}, ORIGIN_KEY: origin.to_json()}
        if self._write == "messages":
            brief = brief_messages(payload, routed.state, "keep")
            older: list[Any] = routed.state.get(MESSAGES_KEY, []) if self._history == "keep" else []
            updates[MESSAGES_KEY], carried[MESSAGES_KEY] = brief, [*older, *brief]
        return Command(update=updates, goto=self._onward(carried))

    def _onward(self, carried: Mapping[str, Any]) -> Any:
        return END if self._target == END else Send(self._target, as_schema(self.target_schema, carried))


def carried_keys(keys: Iterable[str]) -> frozenset[str]:
    """Give those keys of the state that a routed target is sent as they are."""
    return frozenset(keys) - {HANDOFFS_KEY, REQUESTS_KEY, ORIGIN_KEY, RUN_KEY}
