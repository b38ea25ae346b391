"""Payload: what crossed from one agent to the next, its receipt, and the JSON envelope it becomes in state and stores."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, Generic, Literal, NoReturn, cast

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from typing_extensions import TypeVar

from crux_langgraph._contract import Contract, ViolationError
from crux_langgraph._rendering import Rendered, Rendering
from crux_langgraph.compression import Counter, FittedPart, Frame, Tier
from crux_langgraph.errors import HandoffError, OutputError

Out_co = TypeVar("Out_co", bound=BaseModel, covariant=True)

HANDOFFS_KEY = "handoffs"
"""The state channel in which envelopes travel, by payload id."""

_FORMAT = 1


def records_in(state: object) -> list[Mapping[str, Any]]:
    """Give the recorded envelopes in a state of any shape, oldest first; empty when it has no such channel."""
    if isinstance(state, Mapping):
        channel: object = cast("Mapping[str, Any]", state).get(HANDOFFS_KEY)
    else:
        channel = getattr(state, HANDOFFS_KEY, None)
    records = cast("Mapping[str, object]", channel).values() if isinstance(channel, Mapping) else ()
    return [cast("Mapping[str, Any]", record) for record in records if isinstance(record, Mapping)]


class Receipt:
    """What a handoff cost and changed: sizes before and after, and the seconds of each step.

    `input_*` is the validated input as JSON text, `context_*` the text for the receiving agent, frame and fence
    included. Bytes are of UTF-8; tokens are by the handoff's own counter. Sizes are measured when first read. On a
    payload that was read back from an envelope `input_*` is None unless it was measured before.
    """

    def __init__(
        self,
        *,
        durations_s: Mapping[str, float],
        counter: Counter,
        rendered: Callable[[], Rendered],
        input_text: Callable[[], str] | None = None,
        measured: Mapping[str, int] | None = None,
    ) -> None:
        self.durations_s = dict(durations_s)
        """Seconds by step: `input`, `transform`, `output`."""
        self._counter = counter
        self._rendered = rendered
        self._texts = {"input": input_text, "context": lambda: rendered().context}
        self._measured = dict(measured or {})

    def __repr__(self) -> str:
        seconds = ", ".join(f"{step}={taken:.6f}" for step, taken in self.durations_s.items())
        return f"Receipt({seconds}, measured={self._measured})"

    @property
    def input_bytes(self) -> int | None:
        """UTF-8 bytes of the input's JSON text."""
        return self._measure("input", "bytes", _utf8_length)

    @property
    def input_characters(self) -> int | None:
        """Characters of the input's JSON text."""
        return self._measure("input", "characters", len)

    @property
    def input_tokens(self) -> int | None:
        """Tokens of the input's JSON text."""
        return self._measure("input", "tokens", self._counter)

    @property
    def context_bytes(self) -> int:
        """UTF-8 bytes of the context."""
        return self._measure("context", "bytes", _utf8_length) or 0

    @property
    def context_characters(self) -> int:
        """Characters of the context."""
        return self._measure("context", "characters", len) or 0

    @property
    def context_tokens(self) -> int:
        """Tokens of the context, the number that `max_tokens` limits."""
        return self._measure("context", "tokens", self._counter) or 0

    @property
    def tier(self) -> Tier:
        """How much of the data the context shows: `verbatim`, `compact` (without loss), `extract` or `reference`."""
        return self._rendered().tier

    @property
    def parts(self) -> tuple[FittedPart, ...]:
        """What became of each field: path, tokens before and after, tier, reason. Empty where everything is shown."""
        return self._rendered().parts

    @property
    def omitted(self) -> tuple[str, ...]:
        """The paths of the fields that the context does not show in full."""
        return tuple(part.path for part in self.parts if part.tier in ("extract", "reference"))

    @property
    def duration_s(self) -> float:
        """Seconds of all steps together."""
        return sum(self.durations_s.values())

    def to_json(self) -> dict[str, Any]:
        """Write the durations and the sizes that were measured so far."""
        return {"durations_s": self.durations_s, "measured": self._measured}

    def _measure(self, text_name: str, unit: str, count: Callable[[str], int]) -> int | None:
        key = f"{text_name}_{unit}"
        text = self._texts[text_name]
        if key not in self._measured and text is not None:
            self._measured[key] = count(text())
        return self._measured.get(key)


def _utf8_length(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, kw_only=True, repr=False)
class Payload(Generic[Out_co]):
    """One payload of one handoff: validated data, the text for the receiving agent, and how it came about.

    `data` is whole, always; only `context` is made to fit. `summary` is what a model wrote, None when none was asked.
    """

    id: str
    handoff: str
    version: int
    from_agent: str | None
    to_agent: str | None
    created_at: datetime
    data: Out_co
    summary: str | None = None
    fence: str
    """The random letters that mark the fence of this payload's context."""
    contract: Contract[Any] = field(compare=False)
    """What `data` was checked against."""
    rendering: Rendering = field(compare=False)
    """How the handoff renders its payloads."""
    receipt: Receipt = field(compare=False)

    def __repr__(self) -> str:
        shown = self._written(self.contract.text_shown)
        return f"Payload(id={self.id!r}, handoff={self.handoff!r}, version={self.version}, data={shown})"

    def __reduce__(self) -> NoReturn:
        message = "A Payload is not pickled: send payload.to_envelope(), and read it with handoff.from_envelope()."
        raise TypeError(message)

    @property
    def context(self) -> str:
        """The text for the receiving agent: heading, origin, and the data without private fields inside a fence.

        Within the handoff's `max_tokens`: whole where that fits, else the most useful of it with `…` where something is
        missing. The same payload gives the same text, also after a round trip through its envelope.
        """
        return self.rendered.context

    def context_within(self, max_tokens: int) -> str:
        """Give the text within another budget, frame included. Raises `BudgetError` when what must be shown is more."""
        return self._render(max_tokens).context

    @cached_property
    def rendered(self) -> Rendered:
        """The context with the account of what was cut, as `receipt` tells it."""
        return self._render(self.rendering.max_tokens)

    def _render(self, max_tokens: int | None) -> Rendered:
        whole = self._written(self.contract.text_rendered)
        frame = frame_of(self.handoff, self.from_agent, _unimitated(self.fence, whole))
        return self.rendering.render(self.contract, self.data, whole, frame, max_tokens)

    def to_envelope(self) -> dict[str, Any]:
        """Write the payload as a JSON object: its identity, `data` in full (private fields too), summary and receipt.

        `Handoff.from_envelope` reads it back to an equal payload, but for fields with `Private(in_state=False)`.
        """
        return {
            "format": _FORMAT,
            "id": self.id,
            "handoff": self.handoff,
            "version": self.version,
            "from_agent": self.from_agent,
            "to_agent": self.to_agent,
            "created_at": self.created_at.isoformat(timespec="microseconds"),
            "data": self._written(self.contract.recorded),
            "summary": self.summary,
            "fence": self.fence,
            "receipt": self.receipt.to_json(),
        }

    def _written(self, write: Callable[[Any], Any]) -> Any:
        return written(OutputError, self.handoff, self.data, write)


def written(layer: type[HandoffError], handoff: str, data: BaseModel, write: Callable[[Any], Any]) -> Any:
    """Give what `write` makes of valid data, or raise the error of that layer."""
    try:
        return write(data)
    except ViolationError as violation:
        raise layer(
            handoff=handoff,
            found=f"a valid {type(data).__name__} cannot be written as JSON",
            fix="Mend its serializers, which must write JSON values and raise nothing, and change nothing in checked data.",
            problems=violation.problems,
            original=violation.original,
        ) from None


def frame_of(handoff: str, from_agent: str | None, marker: str) -> Frame:
    """Give the frame of a handoff's contexts."""
    return Frame(title=f"Handoff {handoff}", origin=from_agent, marker=marker)


def _unimitated(marker: str, text: str) -> str:
    # Only a tampered envelope can know its marker; the text then gets one that it cannot know either.
    while marker in text:
        marker = sha256(f"{marker}{text}".encode("utf-8", "surrogatepass")).hexdigest()
    return marker


_AgentName = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$")]
"""One line: a context states it outside of the fence."""


class ReceiptRecord(BaseModel):
    """A receipt as an envelope holds it."""

    model_config = ConfigDict(defer_build=True)

    durations_s: dict[str, float] = {}
    measured: dict[str, int] = {}


class Envelope(BaseModel):
    """The outside of a recorded payload; `data` is checked against the handoff's output model afterwards."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    format: Literal[1]
    id: Annotated[str, Field(min_length=1)]
    handoff: str
    version: Annotated[int, Field(ge=1)]
    from_agent: _AgentName | None
    to_agent: _AgentName | None
    created_at: AwareDatetime
    data: Any
    summary: str | None
    fence: Annotated[str, Field(pattern=r"^[A-Za-z]{28}$")]
    receipt: ReceiptRecord
