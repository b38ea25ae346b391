"""Reading a result back from the message of a delegate's tool, checked."""

from typing import Annotated, Any, Literal, cast

from langchain_core.messages import ToolMessage
from langchain_core.messages.ai import UsageMetadata
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from typing_extensions import TypeVar

from crux_langgraph._delegate._result import DelegateResult
from crux_langgraph._handoff import Handoff
from crux_langgraph._payload import Payload
from crux_langgraph.errors import ResultError

Out = TypeVar("Out", bound=BaseModel)


def read_result(delegate: str, handoff: Handoff[Any, Out], message: object) -> DelegateResult[Out]:
    """Read a tool message's artifact as a result, or raise `ResultError` saying why it is none."""
    artifact = message.artifact if isinstance(message, ToolMessage) else None
    try:
        record = ResultEnvelope.model_validate(artifact)
    except ValidationError as error:
        raise _no_result(delegate, _told_instead(message), error) from None
    if record.delegate != delegate:
        raise _no_result(delegate, f"a result of delegate {record.delegate!r}")
    return record.result(handoff.from_envelope(record.payload))


def _told_instead(message: object) -> str:
    if not isinstance(message, ToolMessage):
        return f"of type {type(message).__name__}"
    return "the message of a failed call" if message.status == "error" else "a tool message without a result"


def _no_result(delegate: str, given: str, original: ValidationError | None = None) -> ResultError:
    return ResultError(
        delegate=delegate,
        found=f"what was given is {given}",
        fix="Give the ToolMessage, with its artifact, of a call of this delegate's tool that succeeded.",
        original=original,
    )


class ResultEnvelope(BaseModel):
    """The outside of a recorded result; its payload is checked by the handoff afterwards."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    format: Literal[1]
    delegate: str
    payload: dict[str, Any]
    duration_s: Annotated[float, Field(ge=0)]
    subagent_duration_s: Annotated[float, Field(ge=0)]
    repairs: Annotated[int, Field(ge=0)]
    usage: dict[str, dict[str, Any]]

    def result(self, payload: Payload[Any]) -> DelegateResult[Any]:
        """Give the result around its checked payload."""
        return DelegateResult(
            delegate_id=self.delegate,
            payload=payload,
            duration_s=self.duration_s,
            subagent_duration_s=self.subagent_duration_s,
            repairs=self.repairs,
            usage=cast("dict[str, UsageMetadata]", self.usage),
        )
