"""Tools for agents: sending through a handoff, and receiving the newest. Imported where they are made."""

from collections.abc import Coroutine
from typing import Any, Protocol

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import BaseModel, PrivateAttr

from crux_langgraph._inbox._scope import Scope
from crux_langgraph._inbox._sending import SendOptions, Sent
from crux_langgraph._payload import Payload
from crux_langgraph._tool_input import arguments_of
from crux_langgraph._waiting import AWAITING, BLOCKING, Way, finish
from crux_langgraph.errors import InputError


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


class SendTool(BaseTool):
    """The tool that sends. Its arguments are the fields of the input model, and what a model writes is checked once.

    Called with a tool call, it tells of bad arguments by a `ToolMessage` with `status="error"`; called with the bare
    arguments it raises.
    """

    handle_tool_error: Any = True
    _inbox: ToolInbox = PrivateAttr()
    _scope: Scope = PrivateAttr()

    @classmethod
    def of(cls, inbox: ToolInbox, scope: Scope) -> "SendTool":
        """Make the tool of an inbox."""
        tool = cls(
            name=f"send_{inbox.id.replace('-', '_')}",
            description=f"Send this to another agent, which works on it later: {inbox.description}",
            args_schema=inbox.input_schema,
        )
        tool._inbox, tool._scope = inbox, scope
        return tool

    def _to_args_and_kwargs(
        self, tool_input: str | dict[str, Any], tool_call_id: str | None
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        given, _ = arguments_of(tool_input, self._inbox.input_schema)
        return (), {"given": given, "tool_call_id": tool_call_id}

    def _run(self, given: dict[str, Any], *, tool_call_id: str | None) -> str:
        return finish(self._send(BLOCKING, given, tool_call_id))

    async def _arun(self, given: dict[str, Any], *, tool_call_id: str | None) -> str:
        return await self._send(AWAITING, given, tool_call_id)

    async def _send(self, way: Way, given: dict[str, Any], tool_call_id: str | None) -> str:
        options = SendOptions(scope=self._scope, tool_call_id=tool_call_id)
        try:
            sent = await self._inbox.send_flow(way, given, options)
        except InputError as error:
            if tool_call_id is None:
                raise
            raise ToolException(str(error)) from None
        return f"{'Sent before' if sent.duplicate else 'Sent'} as {self._inbox.id} {sent.id}."


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
