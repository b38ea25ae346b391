"""A first look at a document that is far larger than its budget: which stretches of it are worth weighing in full.

Weighing every word is what costs. So neighbouring units are taken together, rated by how rare their words are and
by what the task asks for, and the best of them are kept: the most that is new for their size, as in the ranking itself.
"""

import heapq
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, groupby
from operator import itemgetter
from typing import NamedTuple

from crux_langgraph.compression._counting import weigh
from crux_langgraph.compression._relevance import Query
from crux_langgraph.compression._sketching import read_alone, read_units
from crux_langgraph.compression._spellings import asked_facts, asked_in, words_of, worth_of
from crux_langgraph.compression._units import KIND, LINE, PART, TEXT, Document, pinned_units
from crux_langgraph.compression._weighing import COST_EXPONENT, FROM_USER, falling_off, in_order, sharpening

SMALLEST = 40_000
"""Characters that are weighed in full whatever the budget is."""
LEAST_POOL = 12_000
"""Characters that there are to choose from where little fits; else _PER_ROOM for each that fits."""
_PER_ROOM = 2.2
_OF_DATA = 0.7
"""The share of that for data: words count little in it, so the glance and the ranking weigh nearly the same."""
_STEP = 1.1
"""Pools grow in steps, so that budgets of about the same size look at the same pool."""
_ENOUGH = 1.05
"""What a pool costs when it is read, for what fits: of lumps that shrink as they are read, more are taken."""
_STEP_AGAIN = 1.5
_STRETCH = 300
_ALMOST = 0.7
"""A stretch is drawn when it is worth this share of the best: to find the best one costs more than it gains here."""
_AMONG = 5
"""A pool is drawn from the stretches that rate best, this many times its size."""
_SEEN = itemgetter(1)
_NEAR = 0.4
"""What a match in a neighbouring stretch counts."""


class _Stretch(NamedTuple):
    """Neighbouring units of one field, from `start` to before `stop`, and how many characters they have."""

    start: int
    stop: int
    part: int
    size: int


class Worth(NamedTuple):
    """A document and the units of it that are worth weighing, in their order; the ranking has to begin with `openers`.

    With the budget the pool grows, and with it the order changes. So that no field that was shown is lost by that, a
    document that may be read in part is opened by one unit of every field, and neither they nor their order depend on
    the budget.
    """

    document: Document
    units: Sequence[int]
    openers: Sequence[int] = ()


def worth_weighing(sketch: Document, query: Query, room: float, cost: float) -> Worth:
    """Read what is worth weighing when about `room` characters fit, or `cost` estimated tokens: all unless it is too much.

    Characters are those of a payload as it is given. Little may be left of them when it is read: then more is read.
    """
    if _length(sketch) <= SMALLEST:
        document, places = read_units(sketch, range(len(sketch.rows)))
        return Worth(document, range(places[-1]))
    share = _OF_DATA if sketch.structured and not any(line.head for line in sketch.lines) else 1.0
    size = share * LEAST_POOL
    while size < share * _PER_ROOM * room:
        size *= _STEP
    glance = _Glance(sketch, query)
    worth = glance.read(size)
    while size < glance.size and (found := _cost(worth)) < _ENOUGH * cost:
        size *= max(_STEP_AGAIN, _ENOUGH * cost / max(1.0, found))
        worth = glance.read(size)
    return worth


def _length(document: Document) -> int:
    return sum(map(len, map(itemgetter(TEXT), document.rows)))


def _cost(worth: Worth) -> float:
    """Estimate the tokens of those units that may be shown or left out."""
    parts, rows = worth.document.parts, map(worth.document.rows.__getitem__, worth.units)
    return weigh(" ".join(row[TEXT] for row in rows if row[KIND] != "void" and not parts[row[PART]].pinned))


class _Glance:
    """The stretches of one document, their words and what these are worth."""

    def __init__(self, document: Document, query: Query) -> None:
        self._document = document
        self._length = _length(document)
        texts = list(map(itemgetter(TEXT), document.rows))
        self._stretches = list(_stretches(document))
        self.size = sum(one.size for one in self._stretches)
        """The characters of what says something."""
        self._words = words_of([" ".join(texts[one.start : one.stop]) for one in self._stretches])
        often = Counter(chain.from_iterable(self._words))
        self._asked = asked_in(query, often)
        worth = worth_of(document, often, len(self._stretches))
        if document.structured:  # where words count little: what is asked for is a fact, as in the ranking
            worth.update(asked_facts(self._asked, often, len(self._stretches)))
            self._words = [tuple(filter(worth.__contains__, words)) for words in self._words]
        else:
            worth = {**dict.fromkeys(often, (0.0, 0.0)), **worth}
        self._worth = worth
        self._new = {word: gain for word, (gain, _) in worth.items()}
        self._gains = self._new
        self._factors = self._factored(self._asked)
        self._ordered: dict[int, float] = {}
        self._rates = {at: self._rate(at) for at in range(len(self._stretches))}
        self._put_in_order()
        self._order = sorted(self._rates, key=self._rates.__getitem__, reverse=True)
        self._opening = self._opened()

    def best(self, size: float) -> list[int]:
        """Give the units of the best stretches: one of every field, then up to `size` characters."""
        stretches = self._stretches
        chosen = set(self._opening.values())
        taken = sum(stretches[at].size for at in chosen)
        for at in self._drawn(chosen, _AMONG * size):
            if taken >= size:
                break
            chosen.add(at)
            taken += stretches[at].size
        self._gains = self._new
        units = chain.from_iterable(range(stretches[at].start, stretches[at].stop) for at in chosen)
        read = {*units, *pinned_units(self._document)}
        needs = self._document.needs
        return sorted({*read, *(needs[at] for at in read if at in needs)})

    def read(self, size: float) -> Worth:
        """Read up to `size` characters. Which units open the fields is the same whatever else is read."""
        units = range(len(self._document.rows)) if self._length <= size else self.best(size)
        document, places = read_units(self._document, set(units))
        inside = list(chain.from_iterable(range(places[at], places[at + 1]) for at in units))
        return Worth(document, inside, self.openers(document, places))

    def openers(self, document: Document, places: Sequence[int]) -> list[int]:
        """Give the best unit of each field that may be left out, in the document with these places of the units."""
        parts = document.parts
        best = [at for part, at in self._opening.items() if not parts[part].pinned]
        best.sort(key=self._rates.__getitem__, reverse=True)
        return [self._best_unit(at, document, places) for at in best]

    def _best_unit(self, at: int, document: Document, places: Sequence[int]) -> int:
        stretch, rows = self._stretches[at], document.rows
        inside = [unit for unit in range(places[stretch.start], places[stretch.stop]) if rows[unit][KIND] != "void"]
        if at in self._ordered:
            return inside[0 if document.parts[stretch.part].order == "first" else -1]
        return max(inside, key=lambda unit: self._density(rows[unit][TEXT]))

    def _density(self, text: str) -> float:
        gains, asked = self._gains, self._asked
        words = words_of([text])[0]
        worth = sum(gains.get(word, 0.0) for word in words)
        near = sharpening(self._document)(min(1.0, sum(asked.get(word, 0.0) for word in words)))
        return near * worth / float((1 + len(text)) ** COST_EXPONENT)

    def _opened(self) -> dict[int, int]:
        """Give the best stretch of every field that says something."""
        best: dict[int, int] = {}
        for at in self._order:
            stretch = self._stretches[at]
            if stretch.part not in best and self._says_something(stretch):
                best[stretch.part] = at
        return best

    def _says_something(self, stretch: _Stretch) -> bool:
        return any(row[KIND] != "void" for row in read_alone(self._document, range(stretch.start, stretch.stop)))

    def _drawn(self, chosen: Iterable[int], among: float) -> Iterator[int]:
        """Draw the best stretch again and again, with what was drawn before it counted as known.

        Only the best `among` characters are drawn from: what is known makes a stretch worse and never better.
        """
        self._gains = self._new.copy()
        for at in chosen:
            self._learn(at)
        reached = accumulate(self._stretches[at].size for at in self._order)
        heap = [(-self._rates[at], at) for at, behind in zip(self._order, reached, strict=True) if behind < among]
        while heap:
            _, at = heapq.heappop(heap)
            rate = self._rate(at)
            if heap and rate < -heap[0][0] * _ALMOST:
                heapq.heappush(heap, (-rate, at))
                continue
            self._learn(at)
            yield at

    def _put_in_order(self) -> None:
        """Rate the stretches of ordered fields so that they fall off from one end, whatever else is drawn."""
        for members in in_order(self._document, ((at, one.part) for at, one in enumerate(self._stretches))):
            self._ordered.update(falling_off(members, self._rates))
        self._rates.update(self._ordered)

    def _rate(self, at: int) -> float:
        if at in self._ordered:
            return self._ordered[at]
        return self._factors[at] * sum(map(self._gains.__getitem__, self._words[at]))

    def _learn(self, at: int) -> None:
        """Count the words of a stretch as known: a fact is worth little from now on, a term a little less every time."""
        words = self._words[at]
        self._gains.update(zip(words, map(_SEEN, map(self._worth.__getitem__, words)), strict=True))

    def _factored(self, asked: dict[str, float]) -> list[float]:
        """Multiply what does not depend on the other words: weight, author, size, nearness to the task."""
        document = self._document
        parts, lines, rows = document.parts, document.lines, document.rows
        sharpen = sharpening(document)
        disjoint = asked.keys().isdisjoint
        known = asked.get
        own = [0.0 if disjoint(words) else sum(filter(None, map(known, words))) for words in self._words]
        beside = [0.0, *own, 0.0]
        return [
            parts[one.part].weight
            * sharpen(min(1.0, own[at] + _NEAR * (beside[at] + beside[at + 2])))
            * (FROM_USER if lines[rows[one.start][LINE]].from_user else 1.0)
            / one.size**COST_EXPONENT
            for at, one in enumerate(self._stretches)
        ]


def _stretches(document: Document) -> Iterator[_Stretch]:
    """Take neighbouring units of one field together, up to some hundred characters."""
    rows = document.rows
    sizes = [0 if row[KIND] == "void" else len(row[TEXT]) + 1 for row in rows]
    reached = list(accumulate(sizes, initial=0))
    start = 0
    for part, members in groupby(map(itemgetter(PART), rows)):
        end = start + sum(1 for _ in members)
        while start < end:
            stop = bisect_right(reached, reached[start] + _STRETCH, start + 1, end)
            if reached[stop] > reached[start]:
                yield _Stretch(start, stop, part, reached[stop] - reached[start])
            start = stop
