"""Tools: what a model calls. Imported where one is made, since LangGraph's tool runtime takes a while to import."""

from typing import Any, Protocol, cast

from langchain_core.tools import BaseTool, ToolException
from langgraph.prebuilt import ToolRuntime
from pydantic import BaseModel, PrivateAttr

from crux_langgraph._handoff_tool import HandoffTool
from crux_langgraph._read_tool import ReadHandoffTool, read_handoff
from crux_langgraph._tool_input import arguments_of
from crux_langgraph._waiting import AWAITING, BLOCKING, Way, finish
from crux_langgraph.errors import DelegateError

__all__ = ["DelegateTool", "HandoffTool", "ReadHandoffTool", "read_handoff"]

_NO_RUNTIME = cast("ToolRuntime[Any, Any]", None)


class ToolOwner(Protocol):
    """What a tool calls: a delegate."""

    args_schema: type[BaseModel]

    def check_arguments(self, given: object) -> BaseModel:
        """Give valid arguments or raise `ArgumentsError`."""
        ...

    async def answer(self, way: Way, arguments: BaseModel, runtime: Any) -> tuple[str, dict[str, Any]]:
        """Give the content and the artifact of one call."""
        ...

    def tells(self, error: DelegateError) -> bool:
        """Say whether the calling model is told of `error`."""
        ...


class DelegateTool(BaseTool):
    """A delegate as a tool. Made by `Delegate.as_tool`; it works wherever a LangChain tool does, sync and async.

    Called with a tool call, it tells of failures by a `ToolMessage` with `status="error"`; called with the bare
    arguments there is no calling model to tell, and each failure is raised.
    """

    response_format: Any = "content_and_artifact"
    handle_tool_error: Any = True
    _owner: ToolOwner = PrivateAttr()

    @classmethod
    def of(cls, owner: ToolOwner, *, name: str, description: str) -> "DelegateTool":
        """Make the tool of a delegate."""
        tool = cls(name=name, description=description, args_schema=owner.args_schema)
        tool._owner = owner
        return tool

    @property
    def func(self) -> Any:
        """What LangGraph's ToolNode reads to know that a `runtime` is to be injected."""
        return self._run

    def _to_args_and_kwargs(
        self, tool_input: str | dict[str, Any], tool_call_id: str | None
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        # Not `_parse_input`, which is not asked for a tool without arguments, and gives fields where we need the model.
        given, runtime = arguments_of(tool_input, self._owner.args_schema)
        is_told = tool_call_id is not None
        try:
            arguments = self._owner.check_arguments(given)
        except DelegateError as error:
            self._tell(error, is_told=is_told)
            raise
        return (), {"arguments": arguments, "is_told": is_told, "runtime": runtime}

    def _tell(self, error: DelegateError, *, is_told: bool) -> None:
        if is_told and self._owner.tells(error):
            raise ToolException(error.told) from error

    def _run(self, arguments: BaseModel, *, is_told: bool, runtime: ToolRuntime[Any, Any] = _NO_RUNTIME) -> Any:
        return finish(self._answer(BLOCKING, arguments, runtime, is_told=is_told))

    async def _arun(self, arguments: BaseModel, *, is_told: bool, runtime: ToolRuntime[Any, Any] = _NO_RUNTIME) -> Any:
        return await self._answer(AWAITING, arguments, runtime, is_told=is_told)

    async def _answer(self, way: Way, arguments: BaseModel, runtime: Any, *, is_told: bool) -> tuple[str, Any]:
        try:
            return await self._owner.answer(way, arguments, runtime)
        except DelegateError as error:
            self._tell(error, is_told=is_told)
            raise
