"""Pages: what a receiving agent reads of a payload beyond its context, each within a budget of its own."""

from typing import Any, NamedTuple

from crux_langgraph._payload import Payload
from crux_langgraph._rendering import sound
from crux_langgraph.compression import Counter, Frame, fit
from crux_langgraph.errors import BudgetError, DoesNotFitError

_MOST_NAMED = 120


class Asked(NamedTuple):
    """What an agent asks for: a place of a payload, from which character on, how many, and what it looks for in it."""

    path: str = ""
    offset: int = 0
    limit: int | None = None
    about: str = ""


def page_of(payload: Payload[Any], asked: Asked, max_tokens: int) -> str:
    """Give a page of a payload in a frame of its own, at most `max_tokens` by the handoff's counter.

    With `about` it shows the pieces that say most about that; else as much of the text as fits, and the heading says
    where it goes on. Raises `ReadError`, and `BudgetError` when no text fits.
    """
    # Page tools are made by few programs, and this by nobody else.
    from crux_langgraph.compression._budget import Budget, longest

    whole = payload.read(asked.path)
    text = payload.read(asked.path, offset=asked.offset, limit=asked.limit)
    page = _Page(payload.texts.frame, payload.handoff, asked, len(whole))
    counter = sound(payload.rendering.counter)
    if asked.about:
        return _extract(page, text, counter, max_tokens)
    budget = Budget(max_tokens, counter, page.around)
    if budget.fits(text):
        return page.around(text)
    size = longest(len(text), lambda length: budget.fits(text[:length]))
    shown = next((part for part in (_to_a_break(text[:size]), text[:size]) if part and budget.fits(part)), None)
    if shown is None:
        raise _no_room(payload.handoff, max_tokens, budget.count(""))
    return page.around(shown)


class _Page(NamedTuple):
    frame: Frame
    handoff: str
    asked: Asked
    size: int

    def around(self, text: str) -> str:
        start, end = self.asked.offset, self.asked.offset + len(text)
        more = f"; go on with offset={end}" if end < self.size and not self.asked.about else ""
        named = " ".join(self.asked.path.split())[:_MOST_NAMED] or "all"
        shown = (
            f"what it says about that, of {self.size}" if self.asked.about else f"{start}-{end} of {self.size}{more}"
        )
        return self.frame._replace(title=f"Handoff {self.handoff}, {named}, characters: {shown}").around(text)


def _extract(page: _Page, text: str, counter: Counter, max_tokens: int) -> str:
    try:
        return page.around(fit(text, max_tokens, counter=counter, focus=(page.asked.about,), wrap=page.around).text)
    except DoesNotFitError as error:
        raise _no_room(page.handoff, max_tokens, error.needed_tokens) from None


def _no_room(handoff: str, max_tokens: int, needed: int) -> BudgetError:
    return BudgetError(
        handoff=handoff,
        found=f"an answer may take {max_tokens} tokens, and its heading and fence alone take {needed}",
        fix="Give the tool more tokens.",
        max_tokens=max_tokens,
        needed_tokens=needed,
    )


def _to_a_break(text: str) -> str:
    """Give a text up to the last line's or word's end in its second half, so that no number is torn in two."""
    half = len(text) // 2
    end = max(text.rfind("\n", half), text.rfind(" ", half))
    return text[: end + 1]
