"""What every unit of a document is worth before anything of it is shown, and what it costs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from crux_langgraph.compression import _counting
from crux_langgraph.compression._lexicon import Lexicon
from crux_langgraph.compression._relevance import Query, asked_features, relevance
from crux_langgraph.compression._units import KIND, LABEL, LINE, PART, Document, Kind

COST_EXPONENT = 0.8
NEW_PART = 8.0
"""A field of which nothing is shown yet comes forward by this factor."""
OPENING = 1.0
"""What the first unit of a field is worth besides: a field without facts is still one that somebody declared."""
LEAST = 0.01
"""What a unit without facts and terms is worth, so that there is an order among such units too."""
GAP = 3.0
"""Tokens of the mark that is saved between units that stand side by side."""
FACTS_IN: dict[Kind, float] = {
    "scalar": 1.0,
    "row": 1.0,
    "call": 1.0,
    "prose": 1.0,
    "speech": 0.3,
    "void": 0.0,
    "unread": 0.0,
}
_TERMS_IN: dict[Kind, float] = {
    "scalar": 0.0,
    "row": 0.0,
    "call": 0.0,
    "prose": 0.45,
    "speech": 1.0,
    "void": 0.0,
    "unread": 0.0,
}
_TERMS_IN_STRUCTURED_PROSE = 0.15
ASKED_TERM = 2.0
FROM_USER = 1.2
_NAMED_BY_USER = 1.4
_EARLY = 0.3
_LATE = 0.5
_LATE_IN_SPEECH = 0.15
_FEWEST_PLACED = 20


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights by feature (`facts`, `terms`), by kind (`terms_in`), by unit and by line; costs are estimated tokens.

    `densities` rates each unit by itself as if nothing were shown yet, never too low. Units in `ordered` keep that rate.
    `terms_in` has the kinds that were weighed.
    """

    facts: list[float]
    terms: list[float]
    terms_in: dict[Kind, float]
    factors: dict[int, float]
    costs: dict[int, float]
    line_costs: list[float]
    label_costs: dict[str, float]
    densities: dict[int, float]
    ordered: frozenset[int]


def weigh(document: Document, lexicon: Lexicon, numbered: Mapping[int, Sequence[int]], query: Query) -> Weights:
    """Weigh those units of a document whose words are given."""
    terms_in: dict[Kind, float] = dict(_TERMS_IN)
    if document.structured:
        terms_in["prose"] = _TERMS_IN_STRUCTURED_PROSE
    asked = asked_features(query, lexicon)
    terms = [weight * ASKED_TERM if f in asked else weight for f, weight in enumerate(lexicon.terms)]
    facts = _facts(document, lexicon, numbered)
    if document.structured:  # where words count little: what is asked for is a fact, whatever it is
        for feature in asked:
            facts[feature] = max(facts[feature], terms[feature])
    cost_of = lexicon.costs.__getitem__
    costs = {at: 1.0 + sum(map(cost_of, numbers)) for at, numbers in numbered.items()}
    factors = _factors(document, relevance(document, numbered, lexicon, query, asked))
    rows = document.rows
    kinds: set[Kind] = {rows[at][KIND] for at in numbered}
    terms_in = {kind: share for kind, share in terms_in.items() if kind in kinds}
    gains = {
        kind: [FACTS_IN[kind] * facts[f] + terms_in[kind] * terms[f] for f in lexicon.features].__getitem__
        for kind in terms_in
    }
    least = LEAST if len(document.parts) == 1 else OPENING
    densities = {
        at: factors[at] * (sum(map(gains[rows[at][KIND]], numbers)) + least) / (costs[at] + GAP) ** COST_EXPONENT
        for at, numbers in numbered.items()
    }
    ordered = _put_in_order(document, densities)
    head_costs = {head: _counting.weigh(head) + 1 if head else 0.0 for head in {line.head for line in document.lines}}
    line_costs = [head_costs[line.head] for line in document.lines]
    label_costs = {label: _counting.weigh_word(label) for label in {rows[at][LABEL] for at in numbered}}
    return Weights(facts, terms, terms_in, factors, costs, line_costs, label_costs, densities, ordered)


def _facts(document: Document, lexicon: Lexicon, numbered: Mapping[int, Sequence[int]]) -> list[float]:
    """Raise the facts that the user named: the user's words say what the work is about."""
    if document.spoken:
        return lexicon.facts
    facts = list(lexicon.facts)
    for name in document.keys:
        facts[lexicon.names.get(name.lower(), 0)] = 0.0
    rows, lines = document.rows, document.lines
    said = (numbers for at, numbers in numbered.items() if lines[rows[at][LINE]].from_user)
    named = {lexicon.features[number] for numbers in said for number in numbers}
    for feature in named:
        facts[feature] *= _NAMED_BY_USER
    return facts


def _factors(document: Document, scores: Mapping[int, float]) -> dict[int, float]:
    """Multiply what does not depend on the words: the field's weight, relevance to the task, place and author."""
    sharpen = sharpening(document)
    late = _LATE_IN_SPEECH if document.spoken else _LATE
    parts, lines, rows = document.parts, document.lines, document.rows
    firsts, sizes = _extents(document)
    factors: dict[int, float] = {}
    for at, score in scores.items():
        _, _, _, line, part, _ = rows[at]
        size = sizes[part]
        place = (at - firsts[part]) / size if size >= _FEWEST_PLACED else 0.5
        author = FROM_USER if lines[line].from_user else 1.0
        placed = 1 + late * place * place + _EARLY * (1 - place) ** 4
        factors[at] = parts[part].weight * sharpen(score) * placed * author
    return factors


def sharpening(document: Document) -> Callable[[float], float]:
    """Give what relevance to the task multiplies by, for a kind of document."""
    return _sharpest if document.spoken else _mild if document.structured else _sharp


def shares(document: Document) -> tuple[float, float]:
    """Say what facts and what words count in a kind of document, taken as one."""
    kind: Kind = "speech" if document.spoken else "row" if document.structured else "prose"
    return FACTS_IN[kind], _TERMS_IN[kind]


def _sharpest(score: float) -> float:
    return float((1 + 20 * score) ** 3)


def _sharp(score: float) -> float:
    return float((1 + 10 * score) ** 2)


def _mild(score: float) -> float:
    return 1 + 4 * score


def _extents(document: Document) -> tuple[dict[int, int], dict[int, int]]:
    """Give the first unit of every field, and over how many units it stretches from there."""
    parts = list(map(itemgetter(PART), document.rows))
    lasts = dict(zip(parts, range(len(parts)), strict=True))
    firsts = dict(zip(reversed(parts), reversed(range(len(parts))), strict=True))
    return firsts, {part: last - firsts[part] + 1 for part, last in lasts.items()}


def _put_in_order(document: Document, densities: dict[int, float]) -> frozenset[int]:
    """Make the units of ordered fields fall off from one end, starting at the rate of the field's best unit."""
    ordered: set[int] = set()
    rows = document.rows
    for members in in_order(document, ((at, rows[at][PART]) for at in densities)):
        densities.update(falling_off(members, densities))
        ordered.update(members)
    return frozenset(ordered)


def in_order(document: Document, members: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Take what belongs to each ordered field, from the end that matters; a member comes with its field's number."""
    ordered = {number: part.order for number, part in enumerate(document.parts) if part.order is not None}
    taken: dict[int, list[int]] = {}
    for at, part in members if ordered else ():
        if part in ordered:
            taken.setdefault(part, []).append(at)
    return [found if ordered[part] == "first" else found[::-1] for part, found in taken.items()]


def falling_off(members: Sequence[int], rates: Mapping[int, float]) -> dict[int, float]:
    """Rate members by their rank alone, starting at the rate of the best of them."""
    best = max(rates[at] for at in members)
    return {at: best / (1 + rank) ** 0.5 for rank, at in enumerate(members)}
