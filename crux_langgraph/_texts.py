"""Texts: what is written of one payload's data, and the frame around it."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any, cast

from pydantic import BaseModel

from crux_langgraph._contract import Contract, ViolationError
from crux_langgraph._rendering import Rendered, Rendering
from crux_langgraph.compression import Frame
from crux_langgraph.errors import HandoffError, OutputError


class Texts:
    """The texts of one payload, each written when it is first read.

    A payload and its receipt share them, and they refer to neither: what nobody holds any more is let go at once, with
    all of its data, and does not wait for the garbage collector.
    """

    _whole: str | None = None
    _rendered: Rendered | None = None

    def __init__(
        self,
        contract: Contract[Any],
        rendering: Rendering,
        data: BaseModel,
        from_agent: str | None,
        fence: str,
        summary: str | None = None,
    ) -> None:
        self.contract = contract
        self.rendering = rendering
        self._data = data
        self._from_agent = from_agent
        self._fence = fence
        self._summary = summary

    def are_of(self, data: BaseModel, from_agent: str | None, fence: str, summary: str | None) -> bool:
        """Say whether they are what is written of these very data, within this frame."""
        frame = (self._from_agent, self._fence, self._summary)
        return data is self._data and frame == (from_agent, fence, summary)

    # No cached properties: before Python 3.12 each takes a lock, for longer than a short text is written.
    @property
    def whole(self) -> str:
        """The data as JSON text, without what is private."""
        if self._whole is None:
            self._whole = cast("str", self.written(self.contract.text_rendered))
        return self._whole

    @property
    def rendered(self) -> Rendered:
        """The context within the handoff's budget, with the account of what was cut."""
        if self._rendered is None:
            self._rendered = self.within(self.rendering.max_tokens)
        return self._rendered

    @property
    def frame(self) -> Frame:
        """What stands around the context."""
        said = self.whole + (self._summary or "")
        return frame_of(self.rendering.handoff, self._from_agent, _unimitated(self._fence, said))

    def within(self, max_tokens: int | None) -> Rendered:
        """Give the context within a budget, None for no limit. Raises `BudgetError` when what must be shown is more."""
        whole, frame = self.whole, self.frame
        if self._summary is not None:
            from crux_langgraph._summarized import render_summarized  # most programs ask no model for one

            shortened = render_summarized(self.rendering, self._summary, self._data, frame, max_tokens)
            if shortened is not None:
                return shortened
        return self.rendering.render(self.contract, self._data, whole, frame, max_tokens)

    def written(self, write: Callable[[Any], Any]) -> Any:
        """Give what `write` makes of the data, or raise `OutputError`."""
        return written(OutputError, self.rendering.handoff, self._data, write)

    def with_summary(self, summary: str | None) -> "Texts":
        """Give the texts after a model was asked for a summary, None when nothing is used of what it wrote."""
        if summary is None:
            return self
        return Texts(self.contract, self.rendering, self._data, self._from_agent, self._fence, summary)


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
