"""Choosing what is shown: pins, then the longest beginning of the ranking that fits, then what fits beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

from crux_langgraph.compression._budget import Budget, longest, longest_by_rooms
from crux_langgraph.compression._ranking import Ranking
from crux_langgraph.compression._rendering import GAP, Renderer
from crux_langgraph.compression._units import Document, pinned_units

_MANIFEST_SHARE = 8
_MOST_LOOKED_AT = 24
_MOST_TRIED = 8
_LEAST_ROOM = 5
_WORTH_FILLING = 100
"""The share of a budget that is left unused: to fill it would cost as much as the selection itself."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A text that fits, and the units that it shows; `cut` is the one of which only a beginning is shown."""

    text: str
    shown: frozenset[int]
    cut: int | None = None


class Selector:
    """Chooses from one document for one budget. The pins are known to fit."""

    def __init__(self, document: Document, renderer: Renderer, ranking: Ranking, budget: Budget) -> None:
        self._document = document
        self._renderer = renderer
        self._ranking = ranking
        self._budget = budget
        self._pins = pinned_units(document)

    def select(self, names: Sequence[str], tokens_per_cost: float) -> Selection:
        """Choose. `names` are those of all fields that may be left out, which the text ends with if they are.

        The openers say which fields are shown, whatever is ranked behind them; once all fields are open, the rest follows.
        """
        spare = self._spare(names)
        openers = self._ranking.openers
        opened = longest(len(openers), lambda count: self._fits(openers[:count], spare))
        shown = [*self._pins, *openers[:opened]]
        length = 0
        if opened == len(openers):
            length = self._length(shown, spare)
            shown += self._ranking.first(length)
        shown = self._filled(shown, length, spare, tokens_per_cost)
        if len(shown) == len(self._pins):
            return self._cut()
        return Selection(self._renderer.chosen(shown), frozenset(self._renderer.closed(shown)))

    def _length(self, shown: Sequence[int], spare: int) -> int:
        """Say how many units of the ranking fit behind what is shown; with openers, no field hangs on it."""
        first, most = self._ranking.first, len(self._document.rows)
        if not self._ranking.openers:
            return longest(most, lambda count: self._fits(first(count), spare))

        def room(count: int) -> int:
            return self._budget.room(self._renderer.chosen([*shown, *first(count)])) - spare

        return longest_by_rooms(most, room, _LEAST_ROOM)

    def _spare(self, names: Sequence[str]) -> int:
        if not names:
            return 0
        return min(self._budget.counter(manifest(names)), self._budget.max_tokens // _MANIFEST_SHARE)

    def _fits(self, chosen: Sequence[int], spare: int) -> bool:
        return self._budget.fits(self._renderer.chosen([*self._pins, *chosen]), spare)

    def _filled(self, shown: list[int], length: int, spare: int, tokens_per_cost: float) -> list[int]:
        """Add what still fits, from fields that are shown anyway: so the fields shown only grow with the budget."""
        units, ranking = self._document.units, self._ranking
        room = self._budget.room(self._renderer.chosen(shown)) - spare
        least = max(_LEAST_ROOM, self._budget.max_tokens // _WORTH_FILLING)
        if room < least:
            return shown
        parts = {units[at].part for at in (shown or ranking.first(0 if ranking.openers else 1))}
        tries = 0
        for place, at in enumerate(ranking.first(length + _MOST_LOOKED_AT)[length:]):
            if tries == _MOST_TRIED or room < least:
                break
            part = units[at].part
            too_long = not (place or ranking.openers)  # the selection ended at it
            # Where nothing is shown yet, the same few are tried at every budget: their costs are only about right.
            if part in parts and not too_long and (not shown or ranking.cost(at) * tokens_per_cost <= room):
                tries += 1
                left = self._budget.room(self._renderer.chosen([*shown, at])) - spare
                if left >= 0:
                    shown, room = [*shown, at], left
                    continue
            if self._document.parts[part].order is not None:  # what comes behind it would stand beside a gap
                parts.discard(part)
        return shown

    def _cut(self) -> Selection:
        """Show as much as fits of the best unit, when no unit fits whole."""
        body = self._renderer.chosen(self._pins)
        best = self._best_alone()
        if best is None:
            return Selection(body, frozenset(self._pins))
        unit = self._document.units[best]
        start = f"{body}\n{unit.label}" if body else unit.label
        size = longest(len(unit.text), lambda length: self._budget.fits(f"{start}{unit.text[:length]}{GAP}"))
        if not size:
            return Selection(body, frozenset(self._pins))
        return Selection(f"{start}{unit.text[:size]}{GAP}", frozenset(self._pins), best)

    def _best_alone(self) -> int | None:
        """Give the best unit of the best unit's field that is understood without a call or result beside it."""
        if self._ranking.openers:
            return self._ranking.openers[0]
        units, document = self._document.units, self._document
        ranked = self._ranking.first(_MOST_LOOKED_AT)
        alone = (at for at in ranked if at not in document.needs and at not in document.results)
        return next((at for at in alone if units[at].part == units[ranked[0]].part), ranked[0] if ranked else None)


def manifest(names: Sequence[str], more: int = 0) -> str:
    """Name what is left out, in a last line."""
    return f"\n{GAP} left out: {', '.join(names)}" + (f", {more} more" if more else "")


def with_manifest(text: str, names: Sequence[str], budget: Budget) -> str:
    """Add the names of what is left out, as many as fit."""
    size = longest(len(names), lambda count: budget.fits(text + manifest(names[:count], len(names) - count)))
    return text + manifest(names[:size], len(names) - size) if size else text
