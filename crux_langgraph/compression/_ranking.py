"""The order in which units are worth showing: the most that is new for what it costs, with the receiver's task in mind.

The order does not know the budget, so a larger budget shows a longer beginning of the same order.
"""

import heapq
from collections.abc import Iterator, Sequence
from itertools import islice

from crux_langgraph.compression._glancing import worth_weighing
from crux_langgraph.compression._lexicon import build, tokens_of
from crux_langgraph.compression._relevance import Query
from crux_langgraph.compression._units import Document, Kind, Unit, pinned_units
from crux_langgraph.compression._weighing import COST_EXPONENT, FACTS_IN, LEAST, NEW_PART, OPENING, weigh

_BLOCK = 4096
_REPEATED_FACT = 0.05
_REPEATED_TERM = 0.8
_SHARED_LABEL = 0.5
_SHARED_CALL = 0.25
"""A label or call is shown once for all units below it: the first one does not pay it alone."""
_GAP = 3.0
"""Tokens of the mark that is saved between units that stand side by side."""
_TIE = 1e-12


class Ranking:
    """The unpinned units of a document from the most to the least worth showing, drawn as far as they are asked for.

    What is pinned stands beside them, and takes no worth from what says the same: that is often what is asked about.
    """

    def __init__(self, document: Document, query: Query, max_tokens: int) -> None:
        self._units = document.units
        self._needs = document.needs
        self._pins = frozenset(pinned_units(document))
        self._opening = LEAST if len(document.parts) == 1 else OPENING
        worth, self._openers = worth_weighing(document, query, max_tokens)
        self._lexicon, numbered = build(tokens_of([document.units[at].text for at in worth]))
        self._numbered = dict(zip(worth, numbered, strict=True))
        self._weights = weigh(document, self._lexicon, self._numbered, query)
        self._covered: set[int] = set()
        self._seen: dict[int, int] = {}
        self._lines: set[int] = set()
        self._labels: set[tuple[int, str]] = set()
        self._parts: set[int] = set()
        self._shown: set[int] = set()
        self._known: dict[int, tuple[int, ...]] = {}
        self._drawn: list[int] = []
        self._rest = self._draw()

    def first(self, count: int) -> list[int]:
        """Give the first `count` units, fewer when there are no more."""
        missing = count - len(self._drawn)
        if missing > 0:
            self._drawn.extend(islice(self._rest, missing))
        return self._drawn[:count]

    def cost(self, unit: int) -> float:
        """Say about how many estimated tokens a unit takes, without its head."""
        return self._weights.costs[unit]

    def _draw(self) -> Iterator[int]:
        densities = self._weights.densities
        for at in sorted(self._pins):
            self._stand(at)
        for at in self._openers:
            self._take(at)
            yield at
        placed = {*self._pins, *self._openers}
        ranked = [at for at in self._numbered if self._units[at].kind != "void" and at not in placed]
        ranked.sort(key=densities.__getitem__, reverse=True)
        for start in range(0, len(ranked), _BLOCK):
            yield from self._greedy(ranked[start : start + _BLOCK])

    def _greedy(self, units: Sequence[int]) -> Iterator[int]:
        """Draw the best unit again and again; one that lost worth since it was rated is put back at its new rate.

        Only the units beside one that is drawn gain by that, so they are rated anew and stand in the heap twice.
        """
        densities = self._weights.densities
        waiting = set(units)
        heap = [(-densities[at] * NEW_PART, at) for at in units]
        heapq.heapify(heap)
        while heap:
            _, at = heapq.heappop(heap)
            if at not in waiting:
                continue
            rate = self._rate(at, self._features(at))
            if heap and rate < -heap[0][0] - _TIE:
                heapq.heappush(heap, (-rate, at))
                continue
            waiting.remove(at)
            self._take(at)
            for beside in {at - 1, at + 1} & waiting:
                heapq.heappush(heap, (-self._rate(beside, self._features(beside)), beside))
            yield at

    def _features(self, at: int) -> tuple[int, ...]:
        if at not in self._known:
            known = self._lexicon.features
            self._known[at] = tuple(dict.fromkeys(known[number] for number in self._numbered[at] if known[number]))
        return self._known[at]

    def _rate(self, at: int, features: Sequence[int]) -> float:
        unit, weights = self._units[at], self._weights
        fresh, least = (1.0, LEAST) if unit.part in self._parts else (NEW_PART, self._opening)
        if at in weights.ordered:
            return fresh * weights.densities[at]
        worth: float = fresh * weights.factors[at] * (self._worth(unit.kind, features) + least)
        return worth / float(self._price(at, unit) ** COST_EXPONENT)

    def _worth(self, kind: Kind, features: Sequence[int]) -> float:
        """Say what of the unit is new: facts that stand elsewhere already count little, terms half for every time."""
        weights, covered, seen = self._weights, self._covered, self._seen
        facts, terms, share = weights.facts, weights.terms, weights.terms_in[kind]
        worth = FACTS_IN[kind] * sum([facts[f] * _REPEATED_FACT if f in covered else facts[f] for f in features])
        if share:
            worth += share * sum([terms[f] * _REPEATED_TERM ** seen[f] if f in seen else terms[f] for f in features])
        return worth

    def _price(self, at: int, unit: Unit) -> float:
        """Say what it costs to show a unit now: with its line's head when nothing of that line is shown yet."""
        weights = self._weights
        price = weights.costs[at]
        if unit.line not in self._lines:
            price += weights.line_costs[unit.line]
        if unit.label and (unit.line, unit.label) not in self._labels:
            price += _SHARED_LABEL * weights.label_costs[unit.label]
        if at - 1 not in self._shown and at + 1 not in self._shown:
            price += _GAP
        needed = self._needs.get(at)
        if needed is not None and needed not in self._shown:
            price += _SHARED_CALL * weights.costs[needed]
        return price

    def _take(self, at: int) -> None:
        needed = self._needs.get(at)
        if needed is not None and needed not in self._shown:
            self._take(needed)
        self._stand(at)
        features = self._features(at)
        self._covered.update(features)
        for feature in features:
            self._seen[feature] = self._seen.get(feature, 0) + 1

    def _stand(self, at: int) -> None:
        unit = self._units[at]
        self._shown.add(at)
        self._lines.add(unit.line)
        self._labels.add((unit.line, unit.label))
        self._parts.add(unit.part)
