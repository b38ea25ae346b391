"""Messages as files hold them (OpenAI's and LangChain's spelling), read as LangChain messages."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolCall, ToolMessage
from pydantic import AliasChoices, AliasPath, BaseModel, BeforeValidator, Field, Json, ValidationError, model_validator
from typing_extensions import TypeIs

from crux_langgraph.cli._plain import one_line
from crux_langgraph.cli._stopping import StopError

Placed = tuple[str, Any]
"""A JSON value with the words that say where in the file it stands."""

_Arguments = dict[str, Any] | Json[dict[str, Any]]


def is_object(value: object) -> TypeIs[dict[str, Any]]:
    """Say whether a JSON value is an object."""
    return isinstance(value, dict)


def _empty_if_none(given: object) -> object:
    return given or {}


class _Call(BaseModel):
    """A tool call: `{"name", "args"}`, or OpenAI's `{"function": {"name", "arguments": "<JSON>"}}`."""

    name: str = Field(validation_alias=AliasChoices("name", AliasPath("function", "name")))
    args: Annotated[_Arguments, BeforeValidator(_empty_if_none)] = Field(
        default_factory=dict, validation_alias=AliasChoices("args", "arguments", AliasPath("function", "arguments"))
    )
    id: str | None = None


class _Message(BaseModel):
    """A message; LangChain's stored form `{"type", "data": {...}}` is unwrapped first."""

    role: Literal["user", "human", "assistant", "ai", "system", "developer", "tool", "function"] = Field(
        validation_alias=AliasChoices("role", "type")
    )
    content: str | list[str | dict[str, Any]] | None = None
    name: str | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _unwrap(cls, given: object) -> object:
        data = given.get("data") if is_object(given) else None
        return {"type": given.get("type"), **data} if is_object(given) and is_object(data) else given

    @model_validator(mode="after")
    def _says_something(self) -> "_Message":
        if self.content is None and not self.tool_calls:
            message = "it has neither content nor tool_calls"
            raise ValueError(message)
        return self


class _Calls:
    """The tool calls that wait for their result, for files that do not say which result belongs to which call."""

    def __init__(self) -> None:
        self._waiting: list[ToolCall] = []
        self._made = 0

    def make(self, call: _Call) -> ToolCall:
        self._made += 1
        made = ToolCall(name=call.name, args=call.args, id=call.id or f"call-{self._made}", type="tool_call")
        self._waiting.append(made)
        return made

    def answered_by(self, result: _Message) -> str:
        """Give the id of the call that this is the result of: what it says, or the oldest of its name, or any."""
        if result.tool_call_id is not None:
            return result.tool_call_id
        for place, call in enumerate(self._waiting):
            if result.name in (None, call["name"]):
                del self._waiting[place]
                return str(call["id"])
        return "call-unknown"


def read_messages(values: Iterable[Placed]) -> tuple[BaseMessage, ...]:
    """Read the messages of one conversation. Raises `StopError`, which names the place of the first bad one."""
    calls = _Calls()
    return tuple(_as_langchain(_checked(place, value), calls) for place, value in values)


def _as_langchain(message: _Message, calls: _Calls) -> BaseMessage:
    # Ids are left out: a file may repeat one, and a repeated id would replace the earlier message in the graph.
    content: Any = message.content or ""
    match message.role:
        case "user" | "human":
            return HumanMessage(content)
        case "assistant" | "ai":
            return AIMessage(content, tool_calls=[calls.make(call) for call in message.tool_calls or []])
        case "system" | "developer":
            return SystemMessage(content)
        case _:
            return ToolMessage(content, name=message.name, tool_call_id=calls.answered_by(message))


def _checked(place: str, value: object) -> _Message:
    try:
        return _Message.model_validate(value)
    except ValidationError as error:
        raise StopError(where=place, found=_told(error)) from None


def _told(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    path = ".".join(map(str, first["loc"]))
    match first["type"], path:
        case "model_type", "":
            return "expected a message, an object with role and content"
        case "missing", "role":
            return 'the message has no "role"; write user, assistant, system or tool'
        case "literal_error", _:
            return "unknown role; use user, assistant, system or tool (or human, ai)"
        case _:
            return one_line(f"{path}: {first['msg']}" if path else first["msg"].removeprefix("Value error, "))
