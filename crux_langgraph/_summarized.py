"""The text of a payload whose prose a model wrote shorter: the summary first, then the fit of everything else."""

import re
import sys
from collections.abc import Callable
from typing import NamedTuple

from pydantic import BaseModel

from crux_langgraph._model_use import SUMMARY_PATH
from crux_langgraph._rendering import CounterFaultError, Rendered, Rendering, sound
from crux_langgraph.compression import Counter, Fitted, FittedPart, Frame, fit
from crux_langgraph.compression._fitting import fit_checked
from crux_langgraph.compression._passages import Prose, prose_of
from crux_langgraph.errors import DoesNotFitError

LEAST_QUOTA = 24
"""Tokens below which a summary says too little to be worth a call."""

_SLACK = 4
_SHARE = 4
_MOST_NAMED = 6
_ITEM = re.compile(r"\[\d+\]")


def render_summarized(
    rendering: Rendering, summary: str, data: BaseModel, frame: Frame, max_tokens: int | None
) -> Rendered | None:
    """Give the text of `data` with a summary in place of its prose, within `max_tokens`, None for no limit.

    None when too little is left beside the summary for what must be shown. Raises `BudgetError` for a failing counter.
    """
    limit = sys.maxsize if max_tokens is None else max_tokens
    try:
        fitted = summarized(rendering, data, frame).fit(summary, limit)
    except CounterFaultError as fault:
        rendering.raise_fault(fault, limit)
    except DoesNotFitError:
        return None
    return Rendered(frame.around(fitted.text), fitted.tier, fitted.parts)


def summarized(rendering: Rendering, data: BaseModel, frame: Frame) -> "Summarized":
    """Take the prose out of `data`, to be laid out as this rendering says."""
    return Summarized(prose_of(data), sound(rendering.counter), rendering.task, frame.around)


class Summarized(NamedTuple):
    """Lays the texts of one payload out: what a model wrote, and the rest, in one frame (`wrap`) and one budget."""

    prose: Prose
    counter: Counter
    task: str
    wrap: Callable[[str], str]

    @property
    def size(self) -> int:
        """The tokens of all passages."""
        return sum(self.counter(passage.text) for passage in self.prose.passages)

    def quota(self, max_tokens: int | None) -> int:
        """Give the tokens that a summary may have: what the rest leaves, and it leaves at least half where it can.

        Without a budget it is a quarter of what is summarised.
        """
        if max_tokens is None:
            return self.brief_quota
        room = max_tokens - self.counter(self.wrap(self._led(""))) - _SLACK
        return room - self._rest_tokens(room // 2) if self.prose.rest.root else room

    @property
    def brief_quota(self) -> int:
        """A quarter of what is summarised: for a summary that is wanted although everything would fit."""
        return max(LEAST_QUOTA, self.size // _SHARE)

    def fit(self, summary: str, max_tokens: int) -> Fitted:
        """Give the text within its frame. Raises `DoesNotFitError` when the rest does not fit beside the summary."""
        led = self._led(self.shrunk(summary, max(1, self.quota(max_tokens))))
        if not self.prose.rest.root:
            return self._alone(led, max_tokens)
        fitted = fit_checked(
            self.prose.rest,
            max_tokens,
            counter=self.counter,
            task=self.task,
            wrap=lambda text: self.wrap(f"{led}\n\n{text}"),
        )
        return Fitted(f"{led}\n\n{fitted.text}", fitted.tokens, "summary", (*self._parts(led), *fitted.parts))

    def shrunk(self, text: str, quota: int) -> str:
        """Give one text within a quota by the deterministic fit."""
        if self.counter(text) <= quota:
            return text
        return fit(text, quota, counter=self.counter, task=self.task).text

    def _alone(self, led: str, max_tokens: int) -> Fitted:
        tokens = self.counter(self.wrap(led))
        if tokens > max_tokens:
            raise DoesNotFitError(needed_tokens=tokens, max_tokens=max_tokens, pins=())
        # Of an empty rest the fit tells what is declared Omit().
        omitted = (part for part in fit(self.prose.rest, sys.maxsize, counter=self.counter).parts if part.path)
        return Fitted(led, tokens, "summary", (*self._parts(led), *omitted))

    def _rest_tokens(self, most: int) -> int:
        try:
            return fit(self.prose.rest, max(1, most), counter=self.counter, task=self.task).tokens
        except DoesNotFitError as error:
            return error.needed_tokens

    def _led(self, summary: str) -> str:
        """Put above a summary what it is a summary of."""
        names = [path for path in self._paths() if path]
        more = [f"{len(names) - _MOST_NAMED} more"] if len(names) > _MOST_NAMED else []
        of = ", ".join([*names[:_MOST_NAMED], *more])
        return f"Summary of {of}:\n{summary}" if of else f"Summary:\n{summary}"

    def _paths(self) -> dict[str, int]:
        paths: dict[str, int] = {}
        for path, text in self.prose.passages:
            field = _ITEM.sub("[]", path)
            paths[field] = paths.get(field, 0) + self.counter(text)
        return paths

    def _parts(self, led: str) -> list[FittedPart]:
        written = FittedPart(SUMMARY_PATH, 0, self.counter(led), "summary", "written by the model")
        return [
            *(FittedPart(path, size, 0, "summary", f"in the {SUMMARY_PATH}") for path, size in self._paths().items()),
            written,
        ]
