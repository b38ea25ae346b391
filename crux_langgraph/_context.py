"""Context: a piece of text for a prompt, with a name and a priority; and several of them made one text in one budget."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from crux_langgraph.compression import Counter, estimate_tokens
from crux_langgraph.errors import BudgetError, ContextsError

DEFAULT_PRIORITY = 80

_BETWEEN = "\n\n"

_REFITS = 8
"""How often one context is refitted to one budget: two counters disagree by a factor, which one or two steps find."""


@dataclass(frozen=True, slots=True)
class Context:
    """Text for a receiving agent's prompt.

    `id` says what it is (`handoff:<id>` for a payload), `priority` how much it matters beside other contexts (0-100,
    higher matters more), `text` is the exact string to inject, frame and fence included. `refit`, where there is one,
    gives the same content within a number of tokens by its own counter, frame included, and raises `BudgetError` with
    `needed_tokens` when even the least that must be said does not fit.
    """

    id: str
    text: str
    priority: int = DEFAULT_PRIORITY
    refit: Callable[[int], str] | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return self.text


class Cut(NamedTuple):
    """What was cut from one context, in tokens of its text; `tokens_after` is 0 when it was left out altogether."""

    id: str
    tokens_before: int
    tokens_after: int


@dataclass(frozen=True, slots=True)
class Composed:
    """Several contexts as one text that takes `tokens`: the `contexts` it shows, as they are shown, and what was cut."""

    text: str
    tokens: int
    contexts: tuple[Context, ...]
    cut: tuple[Cut, ...] = ()

    def __str__(self) -> str:
        return self.text


def compose(contexts: Iterable[Context], max_tokens: int | None, *, counter: Counter = estimate_tokens) -> Composed:
    """Join contexts, in the order given, into one text of at most `max_tokens` by `counter`; None for no limit.

    What is too much is taken from the lowest priority first, and among equals from the one given first: it is refitted,
    down to its least, before the next one shrinks. A context that cannot be refitted keeps its text, and is left out,
    lowest priority first, only when all others at their least leave no room for it. Raises `ContextsError` when the
    others do not fit even so, or when none would be left. The string that is counted is the one that is returned.
    """
    given = tuple(contexts)
    joining = _Joining(given, sys.maxsize if max_tokens is None else max_tokens, counter)
    shown = dict(enumerate(given))
    whole = [place for place in _lowest_first(shown) if given[place].refit is None]
    fitted = joining.fitted(shown)
    while whole and len(shown) > 1 and not joining.fits(fitted):
        del shown[whole.pop(0)]
        fitted = joining.fitted(shown)
    if not joining.fits(fitted):
        raise ContextsError(
            contexts=[context.id for context in given],
            max_tokens=joining.max_tokens,
            needed_tokens=joining.tokens(fitted),
        )
    return joining.composed(fitted)


_Shown = dict[int, Context]
"""The contexts that are shown, by their place among those given."""


def _lowest_first(shown: _Shown) -> list[int]:
    return sorted(shown, key=lambda place: shown[place].priority)


class _Joining(NamedTuple):
    """Counting and shrinking the contexts of one `compose`."""

    given: tuple[Context, ...]
    max_tokens: int
    counter: Counter

    def tokens(self, shown: _Shown) -> int:
        return self.counter(_text(shown))

    def fits(self, shown: _Shown) -> bool:
        return self.tokens(shown) <= self.max_tokens

    def fitted(self, shown: _Shown) -> _Shown:
        """Shrink one context after another until all fit; all are at their least when they do not."""
        for place in _lowest_first(shown):
            if self.fits(shown):
                return shown
            shown = self._shrunk(shown, place)
        return shown

    def _shrunk(self, shown: _Shown, place: int) -> _Shown:
        refit = shown[place].refit
        if refit is None:
            return shown
        room = target = self.max_tokens - self.tokens(_with_text(shown, place, ""))
        for _ in range(_REFITS):
            text = _text_within(refit, target)
            if text is None:
                break
            attempt = _with_text(shown, place, text)
            excess = self.tokens(attempt) - self.max_tokens
            if excess <= 0:
                return attempt
            # The context counts by its own counter: what it called `target` tokens are `room + excess` of ours.
            target = min(target - 1, target * room // (room + excess))
        return self._least(shown, place, refit)

    def _least(self, shown: _Shown, place: int, refit: Callable[[int], str]) -> _Shown:
        attempt = _with_text(shown, place, _least_text(refit, shown[place].text))
        return min(shown, attempt, key=self.tokens)

    def composed(self, shown: _Shown) -> Composed:
        cut = tuple(
            Cut(context.id, self.counter(context.text), self.counter(shown[place].text) if place in shown else 0)
            for place, context in enumerate(self.given)
            if place not in shown or shown[place].text != context.text
        )
        return Composed(_text(shown), self.tokens(shown), tuple(shown.values()), cut)


def _text(shown: _Shown) -> str:
    return _BETWEEN.join(context.text for context in shown.values())


def _with_text(shown: _Shown, place: int, text: str) -> _Shown:
    return {**shown, place: replace(shown[place], text=text)}


def _text_within(refit: Callable[[int], str], max_tokens: int) -> str | None:
    if max_tokens < 1:
        return None
    try:
        return refit(max_tokens)
    except BudgetError:
        return None


def _least_text(refit: Callable[[int], str], text: str) -> str:
    needed = 1
    for _ in range(_REFITS):
        try:
            return refit(needed)
        except BudgetError as error:
            needed = max(needed + 1, error.needed_tokens or 0)
    return text
