"""DelegateResult: what a delegate gives back, and the JSON envelope that it becomes as a tool's artifact."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, cast

from langchain_core.messages import ToolMessage
from langchain_core.messages.ai import UsageMetadata
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json, to_json
from typing_extensions import TypeVar

from crux_langgraph._handoff import Handoff
from crux_langgraph._payload import Payload, written
from crux_langgraph.errors import OutputError, ResultError

Out = TypeVar("Out", bound=BaseModel)
Out_co = TypeVar("Out_co", bound=BaseModel, covariant=True)

_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class DelegateResult(Generic[Out_co]):
    """What one call of a delegate gave: the payload of its handoff, and what it cost.

    `duration_s` is the whole call, `subagent_duration_s` the part that the subagent took, repairs included; the rest is
    the handoff's. `usage` holds the tokens of all models below the call, by the name that each model reports.
    """

    delegate_id: str
    payload: Payload[Out_co]
    duration_s: float
    subagent_duration_s: float
    repairs: int = 0
    usage: dict[str, UsageMetadata] = field(default_factory=dict[str, UsageMetadata])

    @property
    def data(self) -> Out_co:
        """What the handoff made of the subagent's return: validated, whole."""
        return self.payload.data

    @property
    def summary(self) -> str | None:
        """What a model wrote where the data had to be summarised, else None."""
        return self.payload.summary

    def to_envelope(self) -> dict[str, Any]:
        """Write the result as a JSON object, `data` in full (private fields too); `Delegate.result` reads it back."""
        return {
            "format": _FORMAT,
            "delegate": self.delegate_id,
            "payload": self.payload.to_envelope(),
            "duration_s": self.duration_s,
            "subagent_duration_s": self.subagent_duration_s,
            "repairs": self.repairs,
            "usage": {model: dict(usage) for model, usage in self.usage.items()},
        }

    def told(self) -> str:
        """Give the text for a calling model: data and summary as one JSON object, without private fields."""
        text = written(OutputError, self.payload.handoff, self.data, self.payload.contract.text_rendered)
        return to_json({"data": from_json(text), "summary": self.summary}).decode()


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
