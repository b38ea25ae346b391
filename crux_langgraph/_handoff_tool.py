"""HandoffTool: a handoff that a model chooses."""

from collections.abc import Mapping
from typing import Any, NoReturn, Protocol, cast

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, ToolException
from langgraph.prebuilt import ToolRuntime
from langgraph.types import Command
from pydantic import BaseModel, PrivateAttr

from crux_langgraph._requesting import ORIGIN_KEY, REQUESTS_KEY, Request, request_key
from crux_langgraph._states import value_in
from crux_langgraph._tool_input import arguments_of
from crux_langgraph.errors import InputError

_NO_RUNTIME = cast("ToolRuntime[Any, Any]", None)


class HandoffOwner(Protocol):
    """What a tool hands over by: a handoff."""

    id: str
    description: str
    to_agent: str | None

    @property
    def input_schema(self) -> type[BaseModel]:
        """The model of what is handed over."""
        ...

    def checked_input(self, value: object) -> Any:
        """Give a valid input as JSON values or raise `InputError`."""
        ...


class HandoffTool(BaseTool):
    """A handoff that a model chooses. Made by `Handoff.as_tool`.

    A call checks the arguments and puts a request into the `handoff_requests` channel, beside the answer that every
    tool call must have; `HandoffRouting` then ends the agent's turn, and `add_handoffs` leads the request on. Called
    with a tool call, it tells of bad arguments by a `ToolMessage` with `status="error"`; called with the bare arguments
    it raises. Each way it gives the `Command` that a `ToolNode` expects.
    """

    handle_tool_error: Any = True
    _owner: HandoffOwner = PrivateAttr()
    _read: Mapping[str, tuple[str, ...]] = PrivateAttr()

    @classmethod
    def of(
        cls,
        owner: HandoffOwner,
        *,
        name: str,
        description: str,
        args_schema: type[BaseModel],
        read: Mapping[str, tuple[str, ...]],
    ) -> "HandoffTool":
        """Make the tool of a handoff; `read` names the state keys of each field that the model does not fill."""
        tool = cls(name=name, description=description, args_schema=args_schema)
        tool._owner = owner
        tool._read = read
        return tool

    @property
    def handoff(self) -> Any:
        """The handoff that it asks for."""
        return self._owner

    @property
    def state_keys(self) -> Mapping[str, tuple[str, ...]]:
        """By field that the model does not fill: the state keys, of which the first that is there is read."""
        return self._read

    @property
    def func(self) -> Any:
        """What LangGraph's ToolNode reads to know that a `runtime` is to be injected."""
        return self._run

    def _to_args_and_kwargs(
        self, tool_input: str | dict[str, Any], tool_call_id: str | None
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        given, runtime = arguments_of(tool_input, cast("type[BaseModel]", self.args_schema))
        return (), {"given": given, "tool_call_id": tool_call_id, "runtime": runtime}

    def _run(
        self, given: dict[str, Any], *, tool_call_id: str | None, runtime: ToolRuntime[Any, Any] = _NO_RUNTIME
    ) -> Any:
        rest = self._from_state(getattr(runtime, "state", None))
        try:
            filled = {name: value for name, value in given.items() if name not in self._not_filled()}
            data = self._owner.checked_input({**filled, **rest})
        except InputError as error:
            self._tell(error, is_told=tool_call_id is not None)
        request = self._request(data, tool_call_id, runtime)
        answer = f"Transferred to {self._owner.to_agent or self._owner.id}."
        told = [] if tool_call_id is None else [ToolMessage(answer, name=self.name, tool_call_id=tool_call_id)]
        return Command(update={REQUESTS_KEY: {request.key: request.to_record()}, "messages": told})

    async def _arun(
        self, given: dict[str, Any], *, tool_call_id: str | None, runtime: ToolRuntime[Any, Any] = _NO_RUNTIME
    ) -> Any:
        # Checking is quick and waits for nothing: without this, LangChain would take a thread for it.
        return self._run(given, tool_call_id=tool_call_id, runtime=runtime)

    def _request(self, data: Any, tool_call_id: str | None, runtime: Any) -> Request:
        info = getattr(runtime, "execution_info", None)
        at = info.checkpoint_ns if info else ""
        origin = value_in(getattr(runtime, "state", None), ORIGIN_KEY)
        key = request_key(info.thread_id if info else None, at, tool_call_id)
        return Request(key, self._owner.id, data, at, tool_call_id, origin)

    def _from_state(self, state: object) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, keys in self._read.items():
            here = [key for key in keys if value_in(state, key) is not None]
            if here:
                found[here[0]] = value_in(state, here[0])
            elif self._owner.input_schema.model_fields[name].is_required():
                raise InputError(
                    handoff=self._owner.id,
                    found=f"its tool {self.name!r} reads {name!r} from the agent's state, which has no value there",
                    fix="Declare the key in the agent's state_schema and give it a value, or let the model fill it: "
                    "name it in as_tool(fields=...).",
                )
        return found

    def _not_filled(self) -> set[str]:
        """Give the names and aliases of the fields that the state fills, and no model."""
        return {name for field, keys in self._read.items() for name in (field, *keys)}

    def _tell(self, error: InputError, *, is_told: bool) -> NoReturn:
        """Tell the calling model what it can mend. What came from the state it cannot."""
        hidden = self._not_filled()
        heads = [problem.path.partition(".")[0].partition("[")[0] for problem in error.problems]
        if hidden.issuperset(heads):
            raise error
        bad = InputError(
            handoff=error.handoff,
            found="the arguments are not what it takes",
            fix="Call it again with the arguments that its schema describes. Nothing was handed over.",
            problems=error.problems,
            original=error.original,
        )
        if is_told:
            raise ToolException(str(bad)) from None
        raise bad from None
