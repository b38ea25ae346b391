"""HandoffRouting: a `create_agent` agent whose model hands over."""

from collections.abc import Sequence
from typing import Annotated, Any, NotRequired

from langchain.agents.middleware.types import AgentMiddleware, AgentState, OmitFromSchema, hook_config
from langchain_core.tools import BaseTool

from crux_langgraph._handoff import Handoff
from crux_langgraph._requesting import REQUESTS_KEY
from crux_langgraph.errors import DefinitionError
from crux_langgraph.graph import merge_requests


class SenderState(AgentState[Any]):
    """What a sending agent's state has beside its messages."""

    handoff_requests: NotRequired[Annotated[dict[str, Any], OmitFromSchema(input=True, output=False), merge_requests]]
    """What its model asked for in this run: handed to the graph around it, and never taken in from there."""
    handoff_origin: NotRequired[Annotated[dict[str, Any], OmitFromSchema(input=False, output=True)]]
    """The path of hops that led to it, when a routed handoff did."""


class HandoffRouting(AgentMiddleware[SenderState, Any, Any]):
    """Ends an agent's turn when its model has handed over, and brings the tools by which it does so.

        create_agent(model, tools, middleware=[HandoffRouting(to_billing, to_refunds)])

    All tools that were called beside the handoffs run first, so each call has its result and the history stays valid.
    Handoffs become tools as they are; for other names, descriptions or `fields` give `to_billing.as_tool(...)`, here or
    in the agent's own `tools`. A call whose arguments are wrong queues nothing: with no other handoff in the same turn
    the model is told and goes on.
    """

    state_schema = SenderState

    def __init__(self, *handoffs: "Handoff[Any, Any, Any] | BaseTool") -> None:
        """Bring the tools of these handoffs. Raises `DefinitionError` as `as_tool`, and for two tools of one name."""
        super().__init__()
        self.tools: Sequence[BaseTool] = [one if isinstance(one, BaseTool) else one.as_tool() for one in handoffs]
        names = [tool.name for tool in self.tools]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise DefinitionError(
                handoff=", ".join(twice),
                found=f"HandoffRouting: it was given several tools named {', '.join(twice)}",
                fix="Give all but one another name: to_billing.as_tool(name=...).",
            )

    @property
    def name(self) -> str:
        """Name the middleware as what it is: an agent has one."""
        return "HandoffRouting"

    def before_agent(self, state: SenderState, runtime: Any) -> dict[str, Any] | None:  # noqa: ARG002 - as AgentMiddleware calls it
        """Forget what an earlier run of an agent with a thread of its own had asked for."""
        old = state.get("handoff_requests")
        return {REQUESTS_KEY: dict.fromkeys(old)} if old else None

    async def abefore_agent(self, state: SenderState, runtime: Any) -> dict[str, Any] | None:
        """As `before_agent`: it only reads the state."""
        return self.before_agent(state, runtime)

    @hook_config(can_jump_to=["end"])
    def before_model(self, state: SenderState, runtime: Any) -> dict[str, Any] | None:  # noqa: ARG002 - as AgentMiddleware calls it
        """End the turn when something was handed over in it."""
        return {"jump_to": "end"} if state.get(REQUESTS_KEY) else None

    @hook_config(can_jump_to=["end"])
    async def abefore_model(self, state: SenderState, runtime: Any) -> dict[str, Any] | None:
        """As `before_model`: it only reads the state."""
        return self.before_model(state, runtime)
