"""The order in which units are worth showing: the most that is new for what it costs, with the receiver's task in mind.

The order does not know the budget, so a larger budget shows a longer beginning of the same order.
"""

import heapq
from collections.abc import Iterator, Sequence
from itertools import islice

from crux_langgraph.compression._glancing import Worth
from crux_langgraph.compression._lexicon import build, tokens_of
from crux_langgraph.compression._relevance import Query
from crux_langgraph.compression._units import KIND, LABEL, PART, TEXT, Row, pinned_units
from crux_langgraph.compression._weighing import COST_EXPONENT, FACTS_IN, GAP, LEAST, NEW_PART, OPENING, Weights, weigh

_BLOCK = 4096
_REPEATED_FACT = 0.05
_REPEATED_TERM = 0.8
_SHARED_LABEL = 0.5
_SHARED_CALL = 0.25
"""A label or call is shown once for all units below it: the first one does not pay it alone."""
_ALMOST = 0.9
"""A unit is drawn when it is worth this share of the best: to tell the two apart costs more than it gains."""


class _Fresh:
    """What each feature still adds to a unit of a kind (`gains`).

    A fact that stands elsewhere already counts little, a term less for every time.
    """

    def __init__(self, weights: Weights) -> None:
        self._facts = list(weights.facts)
        self._terms = list(weights.terms)
        self._covered: set[int] = set()
        shares = {kind: (FACTS_IN[kind], share) for kind, share in weights.terms_in.items()}
        self._by_shares = {
            (fact, term): [fact * one + term * other for one, other in zip(self._facts, self._terms, strict=True)]
            for fact, term in shares.values()
        }
        self.gains = {kind: self._by_shares[share] for kind, share in shares.items()}

    def learn(self, features: Sequence[int]) -> None:
        """Count the features of a unit as shown once more."""
        facts, terms, covered = self._facts, self._terms, self._covered
        for feature in features:
            if feature not in covered:
                covered.add(feature)
                facts[feature] *= _REPEATED_FACT
            terms[feature] *= _REPEATED_TERM
        for (fact, term), gains in self._by_shares.items():
            for feature in features:
                gains[feature] = fact * facts[feature] + term * terms[feature]


class Ranking:
    """The unpinned units of a document from the most to the least worth showing, drawn as far as they are asked for.

    `openers` come before all others and open one field each; only of a small document there are none. What is
    pinned stands beside them, and takes no worth from what says the same: that is often what is asked about.
    """

    def __init__(self, worth: Worth, query: Query) -> None:
        document, units, self.openers = worth
        self._rows = document.rows
        self._needs = document.needs
        self._pins = frozenset(pinned_units(document))
        self._opening = LEAST if len(document.parts) == 1 else OPENING
        self._lexicon, numbered = build(tokens_of([document.rows[at][TEXT] for at in units]))
        self._numbered = dict(zip(units, numbered, strict=True))
        self._weights = weigh(document, self._lexicon, self._numbered, query)
        self._fresh = _Fresh(self._weights)
        self._lines: set[int] = set()
        self._labels: set[tuple[int, str]] = set()
        self._parts: set[int] = set()
        self._shown: set[int] = set()
        self._known: dict[int, tuple[int, ...]] = {}
        self._drawn: list[int] = []
        self._rest = self._draw()

    def first(self, count: int) -> list[int]:
        """Give the first `count` units behind the openers, fewer when there are no more."""
        missing = count - len(self._drawn)
        if missing > 0:
            self._drawn.extend(islice(self._rest, missing))
        return self._drawn[:count]

    def cost(self, unit: int) -> float:
        """Say about how many estimated tokens a unit takes with its label, without its head."""
        return self._weights.costs[unit] + _SHARED_LABEL * self._weights.label_costs[self._rows[unit][LABEL]]

    def _draw(self) -> Iterator[int]:
        densities = self._weights.densities
        for at in sorted(self._pins):
            self._stand(at)
        for at in self.openers:
            self._take(at)
        placed = {*self._pins, *self.openers}
        rows = self._rows
        ranked = [at for at in self._numbered if rows[at][KIND] != "void" and at not in placed]
        ranked.sort(key=densities.__getitem__, reverse=True)
        for start in range(0, len(ranked), _BLOCK):
            yield from self._greedy(ranked[start : start + _BLOCK])

    def _greedy(self, units: Sequence[int]) -> Iterator[int]:
        """Draw the best unit again and again; one that lost worth since it was rated is put back at its new rate.

        Only the units beside one that is drawn gain by that, so they stand in the heap twice.
        """
        waiting = set(units)
        opened = self._parts.issuperset(self._rows[at][PART] for at in units)
        fresh = 1.0 if opened else NEW_PART
        heap = [(-self._weights.densities[at] * fresh, at) for at in units]
        heap.extend((-self._most(beside), beside) for at in self._shown for beside in {at - 1, at + 1} & waiting)
        heapq.heapify(heap)
        while heap:
            _, at = heapq.heappop(heap)
            if at not in waiting:
                continue
            rate = self._rate(at)
            if heap and rate < -heap[0][0] * _ALMOST:
                heapq.heappush(heap, (-rate, at))
                continue
            waiting.remove(at)
            self._take(at)
            for beside in {at - 1, at + 1} & waiting:
                heapq.heappush(heap, (-self._most(beside), beside))
            yield at

    def _most(self, at: int) -> float:
        """Give a rate that a unit beside a shown one does not exceed."""
        weights = self._weights
        fresh = 1.0 if self._rows[at][PART] in self._parts else NEW_PART
        return float(fresh * weights.densities[at] * (1.0 + GAP / weights.costs[at]) ** COST_EXPONENT)

    def _features(self, at: int) -> tuple[int, ...]:
        features = self._known.get(at)
        if features is None:
            known = self._lexicon.features
            found = dict.fromkeys(map(known.__getitem__, self._numbered[at]))
            found.pop(0, None)
            features = self._known[at] = tuple(found)
        return features

    def _rate(self, at: int) -> float:
        row, weights = self._rows[at], self._weights
        fresh, least = (1.0, LEAST) if row[PART] in self._parts else (NEW_PART, self._opening)
        if at in weights.ordered:
            return fresh * weights.densities[at]
        new = sum(map(self._fresh.gains[row[KIND]].__getitem__, self._features(at)))
        return float(fresh * weights.factors[at] * (new + least) / self._price(at, row) ** COST_EXPONENT)

    def _price(self, at: int, row: Row) -> float:
        """Say what it costs to show a unit now: with its line's head when nothing of that line is shown yet."""
        _, _, label, line, _, _ = row
        weights, shown = self._weights, self._shown
        price = weights.costs[at]
        if line not in self._lines:
            price += weights.line_costs[line]
        if label and (line, label) not in self._labels:
            price += _SHARED_LABEL * weights.label_costs[label]
        if at - 1 not in shown and at + 1 not in shown:
            price += GAP
        needed = self._needs.get(at)
        if needed is not None and needed not in shown:
            price += _SHARED_CALL * weights.costs[needed]
        return price

    def _take(self, at: int) -> None:
        needed = self._needs.get(at)
        if needed is not None and needed not in self._shown:
            self._take(needed)
        self._stand(at)
        self._fresh.learn(self._features(at))

    def _stand(self, at: int) -> None:
        _, _, label, line, part, _ = self._rows[at]
        self._shown.add(at)
        self._lines.add(line)
        self._labels.add((line, label))
        self._parts.add(part)
