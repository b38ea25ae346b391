"""Tools for agents: sending through a handoff, and receiving the newest. Imported where they are made."""

from collections.abc import Coroutine
from typing import Any, Protocol, cast

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from langgraph.prebuilt import ToolRuntime
from pydantic import BaseModel

from crux_langgraph._inbox._scope import Scope
from crux_langgraph._inbox._sending import SendOptions, Sent
from crux_langgraph._payload import Payload
from crux_langgraph._waiting import AWAITING, BLOCKING, Way, finish
from crux_langgraph.errors import InputError

_NO_RUNTIME = cast("ToolRuntime[Any, Any]", None)


class ToolInbox(Protocol):
    """What the tools call."""

    id: str
    description: str

    @property
    def input_schema(self) -> type[BaseModel]:
        """The model of what is sent."""
        ...

    async def send_flow(self, way: Way, value: object, options: SendOptions) -> Sent:
        """Send on either way."""
        ...

    def receive_flow(
        self, way: Way, scope: Scope, wait_s: float, after: int
    ) -> Coroutine[Any, Any, Payload[Any] | None]:
        """Receive on either way."""
        ...


def send_tool(inbox: ToolInbox, scope: Scope) -> BaseTool:
    """Make the tool that sends: its arguments are the fields of the input model."""

    async def flow(way: Way, runtime: ToolRuntime[Any, Any] | None, fields: dict[str, Any]) -> str:
        call = runtime.tool_call_id if runtime is not None else None
        try:
            sent = await inbox.send_flow(way, fields, SendOptions(scope=scope, tool_call_id=call))
        except InputError as error:
            raise ToolException(str(error)) from error
        return f"{'Sent before' if sent.duplicate else 'Sent'} as {inbox.id} {sent.id}."

    def send(runtime: ToolRuntime[Any, Any] = _NO_RUNTIME, **fields: Any) -> str:
        return finish(flow(BLOCKING, runtime, fields))

    async def asend(runtime: ToolRuntime[Any, Any] = _NO_RUNTIME, **fields: Any) -> str:
        return await flow(AWAITING, runtime, fields)

    return StructuredTool.from_function(
        send,
        asend,
        name=f"send_{inbox.id.replace('-', '_')}",
        description=f"Send this to another agent, which works on it later: {inbox.description}",
        args_schema=inbox.input_schema,
        handle_tool_error=True,
    )


def receive_tool(inbox: ToolInbox, scope: Scope) -> BaseTool:
    """Make the tool that gives the text of the newest payload."""

    async def flow(way: Way) -> str:
        payload = await inbox.receive_flow(way, scope, 0.0, 0)
        return "Nothing was sent yet." if payload is None else payload.context

    def receive() -> str:
        return finish(flow(BLOCKING))

    async def areceive() -> str:
        return await flow(AWAITING)

    return StructuredTool.from_function(
        receive,
        areceive,
        name=f"receive_{inbox.id.replace('-', '_')}",
        description=f"Read the newest that another agent sent for this: {inbox.description}",
    )
