"""How a payload becomes the text for its receiver: framed, within a token budget, and with an account of what was cut."""

import sys
from typing import Any, NamedTuple, NoReturn, cast

from pydantic import BaseModel

from crux_langgraph._contract import Contract
from crux_langgraph._numbers import is_whole
from crux_langgraph.compression import Counter, Fitted, FittedPart, Frame, Tier
from crux_langgraph.compression._fitting import fit_checked
from crux_langgraph.errors import BudgetError, DoesNotFitError


class Rendered(NamedTuple):
    """The text of a payload, framed; how much of the data it shows; and what became of each field where it is cut."""

    context: str
    tier: Tier
    parts: tuple[FittedPart, ...] = ()
    tokens: int | None = None
    """Of `context`, where that very string has been counted."""


class Rendering(NamedTuple):
    """What a handoff says about its texts: the budget, who counts, and what the receiver is to do with them."""

    handoff: str
    max_tokens: int | None
    counter: Counter
    task: str

    def render(
        self, contract: Contract[Any], data: BaseModel, whole: str, frame: Frame, max_tokens: int | None
    ) -> Rendered:
        """Give the text of `data` within `max_tokens`, None for no limit; `whole` is the data as JSON text.

        Raises `BudgetError` when what must be shown does not fit, or when the counter fails.
        """
        if not contract.marked:
            context = frame.around(whole)
            tokens = None if max_tokens is None else self.tokens_of(context, max_tokens)
            if tokens is None or max_tokens is None or tokens <= max_tokens:
                return Rendered(context, "verbatim", tokens=tokens)
        limit = sys.maxsize if max_tokens is None else max_tokens
        fitted = self._fitted(data, frame, limit)
        return Rendered(frame.around(fitted.text), fitted.tier, fitted.parts)

    def tokens_of(self, text: str, max_tokens: int) -> int:
        """Count the tokens of `text` as it is. Raises `BudgetError` naming `max_tokens` when the counter fails."""
        try:
            return sound(self.counter)(text)
        except CounterFaultError as fault:
            self.raise_fault(fault, max_tokens)

    def _fitted(self, data: BaseModel, frame: Frame, max_tokens: int) -> Fitted:
        try:
            return fit_checked(data, max_tokens, counter=sound(self.counter), task=self.task, wrap=frame.around)
        except CounterFaultError as fault:
            self.raise_fault(fault, max_tokens)
        except DoesNotFitError as error:
            raise BudgetError(
                handoff=self.handoff,
                found=error.found,
                fix=f"{error.fix} Nothing was handed over.",
                max_tokens=max_tokens,
                needed_tokens=error.needed_tokens,
                pins=error.pins,
            ) from None

    def raise_fault(self, fault: "CounterFaultError", max_tokens: int) -> NoReturn:
        """Raise `BudgetError` for a counter that fails."""
        raise BudgetError(
            handoff=self.handoff,
            found=str(fault),
            fix="Give counter= a function that counts the tokens of any text. Nothing was handed over.",
            max_tokens=max_tokens,
            needed_tokens=None,
            original=fault.original,
        ) from fault.original


class CounterFaultError(Exception):
    """A counter raised, or answered what is no number of tokens."""

    def __init__(self, found: str, original: Exception | None = None) -> None:
        super().__init__(f"its counter {found}")
        self.original = original


def sound(counter: Counter) -> Counter:
    """Give the counter with its answers checked: a definition can only try it on a sample."""

    def counted(text: str) -> int:
        try:
            count = cast("object", counter(text))
        except Exception as error:
            found = f"raised {type(error).__name__}"
            raise CounterFaultError(found, error) from error
        if not is_whole(count, bool(text)):
            told = count if isinstance(count, int) else type(count).__name__
            found = f"answered {told} for a text of {len(text)} characters"
            raise CounterFaultError(found)
        return count

    return counted
