"""Payload: what crossed from one agent to the next, its receipt, and the JSON envelope it becomes in state and stores."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, NoReturn, cast

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from typing_extensions import TypeVar

from crux_langgraph._contract import Contract
from crux_langgraph._model_use import ModelUse
from crux_langgraph._receipt import Receipt
from crux_langgraph._rendering import Rendering
from crux_langgraph._states import MAPPINGS, value_in
from crux_langgraph._texts import Texts

Out_co = TypeVar("Out_co", bound=BaseModel, covariant=True)

HANDOFFS_KEY = "handoffs"
"""The state channel in which envelopes travel, by payload id."""

_FORMAT = 1
_MOST_SHOWN = 2_000
"""Characters of the data that a repr shows."""


def records_in(state: object) -> list[Mapping[str, Any]]:
    """Give the recorded envelopes in a state of any shape, oldest first; empty when it has no such channel."""
    channel: object = value_in(state, HANDOFFS_KEY)
    if not channel or not isinstance(channel, MAPPINGS):
        return []
    records = cast("Mapping[str, object]", channel).values()
    return [cast("Mapping[str, Any]", record) for record in records if isinstance(record, MAPPINGS)]


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
    texts: Texts = field(compare=False)
    """What is written of `data`, as its receipt counts it."""
    receipt: Receipt = field(compare=False)

    def __post_init__(self) -> None:
        # `dataclasses.replace` gives a payload other data and leaves its texts, which are not of that.
        if not self.texts.are_of(self.data, self.from_agent, self.fence, self.summary):
            texts = Texts(self.contract, self.rendering, self.data, self.from_agent, self.fence, self.summary)
            object.__setattr__(self, "texts", texts)

    def __repr__(self) -> str:
        text: str = self.texts.written(self.contract.text_shown)
        missing = len(text) - _MOST_SHOWN
        shown = f"{text[:_MOST_SHOWN]}… ({missing:,} more characters)" if missing > 0 else text
        return f"Payload(id={self.id!r}, handoff={self.handoff!r}, version={self.version}, data={shown})"

    def _repr_html_(self) -> str:
        """What a notebook shows: whose payload it is, its receipt, and its context, in which nothing is private."""
        route = f"{self.from_agent or 'any agent'} to {self.to_agent or 'any agent'}"
        return self.receipt.view(f"Payload of {self.handoff}", (route, self.id), self.context)

    def __reduce__(self) -> NoReturn:
        message = "A Payload is not pickled: send payload.to_envelope(), and read it with handoff.from_envelope()."
        raise TypeError(message)

    @property
    def contract(self) -> Contract[Any]:
        """What `data` was checked against."""
        return self.texts.contract

    @property
    def rendering(self) -> Rendering:
        """How the handoff renders its payloads."""
        return self.texts.rendering

    @property
    def context(self) -> str:
        """The text for the receiving agent: heading, origin, and the data without private fields inside a fence.

        Within the handoff's `max_tokens`: whole where that fits, else the most useful of it with `…` where something is
        missing; with `summary` in place of the prose where a model wrote one. The same payload gives the same text,
        also after a round trip through its envelope.
        """
        return self.texts.rendered.context

    def context_within(self, max_tokens: int) -> str:
        """Give the text within another budget, frame included. Raises `BudgetError` when what must be shown is more."""
        return self.texts.within(max_tokens).context

    def read(self, path: str = "", *, offset: int = 0, limit: int | None = None) -> str:
        """Read what stands at a path in full, for what the context left out: `payload.read("pages[2].body")`.

        A path is what `receipt.omitted` holds, or one with the number of an item in place of `[]`; the empty one is all
        of the data. A text is given as it is, anything else as JSON; `limit` characters of it from `offset` on, None
        for all. Raises `ReadError` for a path that leads nowhere and for what is private.
        """
        from crux_langgraph._reading import part_of, text_at  # most programs read the context alone

        text: str = self.texts.written(lambda data: text_at(self.handoff, self.contract, data, path))
        return part_of(self.handoff, text, offset, limit)

    def summarized(self, summary: str | None, model: ModelUse) -> "Payload[Out_co]":
        """Give the payload after a model was asked; `summary` is what it wrote, None when nothing is used of that."""
        texts = self.texts.with_summary(summary)
        return replace(self, summary=summary, texts=texts, receipt=self.receipt.with_model(model, texts))

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
            "data": self.texts.written(self.contract.recorded),
            "summary": self.summary,
            "fence": self.fence,
            "receipt": self.receipt.to_json(),
        }


_AgentName = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$")]
"""One line: a context states it outside of the fence."""


class ReceiptRecord(BaseModel):
    """A receipt as an envelope holds it."""

    model_config = ConfigDict(defer_build=True)

    durations_s: dict[str, float] = {}
    measured: dict[str, int] = {}
    model: ModelUse | None = None


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
