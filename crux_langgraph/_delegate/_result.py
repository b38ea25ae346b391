"""DelegateResult: what a delegate gives back, and the JSON envelope that it becomes as a tool's artifact."""

from dataclasses import dataclass, field
from typing import Any, Generic

from langchain_core.messages.ai import UsageMetadata
from pydantic import BaseModel
from typing_extensions import TypeVar

from crux_langgraph._payload import Payload

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
