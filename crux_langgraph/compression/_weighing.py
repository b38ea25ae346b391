"""What every unit of a document is worth before anything of it is shown, and what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass

from crux_langgraph.compression import _counting
from crux_langgraph.compression._lexicon import Lexicon
from crux_langgraph.compression._relevance import Query, asked_features, relevance
from crux_langgraph.compression._units import Document, Kind

COST_EXPONENT = 0.8
NEW_PART = 8.0
"""A field of which nothing is shown yet comes forward by this factor."""
OPENING = 1.0
"""What the first unit of a field is worth besides: a field without facts is still one that somebody declared."""
LEAST = 0.01
"""What a unit without facts and terms is worth, so that there is an order among such units too."""
FACTS_IN: dict[Kind, float] = {"scalar": 1.0, "row": 1.0, "call": 1.0, "prose": 1.0, "speech": 0.3, "void": 0.0}
_TERMS_IN: dict[Kind, float] = {"scalar": 0.0, "row": 0.0, "call": 0.0, "prose": 0.45, "speech": 1.0, "void": 0.0}
_TERMS_IN_STRUCTURED_PROSE = 0.15
_ASKED_TERM = 2.0
_FROM_USER = 1.2
_NAMED_BY_USER = 1.4
_EARLY = 0.3
_LATE = 0.5
_LATE_IN_SPEECH = 0.15
_FEWEST_PLACED = 20


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights by feature (`facts`, `terms`), by kind (`terms_in`), by unit and by line; costs are estimated tokens.

    `densities` rates each unit as if nothing were shown yet, never too low. Units in `ordered` keep that rate.
    """

    facts: list[float]
    terms: list[float]
    terms_in: dict[Kind, float]
    factors: list[float]
    costs: list[float]
    line_costs: list[float]
    label_costs: dict[str, float]
    densities: list[float]
    ordered: frozenset[int]


def weigh(document: Document, lexicon: Lexicon, numbered: Sequence[Sequence[int]], query: Query) -> Weights:
    """Weigh all units of a document."""
    terms_in: dict[Kind, float] = dict(_TERMS_IN)
    if document.structured:
        terms_in["prose"] = _TERMS_IN_STRUCTURED_PROSE
    asked = asked_features(query, lexicon)
    terms = [weight * _ASKED_TERM if f in asked else weight for f, weight in enumerate(lexicon.terms)]
    facts = _facts(document, lexicon, numbered)
    costs = [1.0 + sum(map(lexicon.costs.__getitem__, numbers)) for numbers in numbered]
    factors = _factors(document, relevance(document, numbered, lexicon, query))
    gains = {
        kind: [FACTS_IN[kind] * facts[f] + share * terms[f] for f in lexicon.features].__getitem__
        for kind, share in terms_in.items()
    }
    least = LEAST if len(document.parts) == 1 else OPENING
    densities = [
        factor * (sum(map(gains[unit.kind], numbers)) + least) / cost**COST_EXPONENT
        for unit, numbers, factor, cost in zip(document.units, numbered, factors, costs, strict=True)
    ]
    ordered = _put_in_order(document, densities)
    head_costs = {head: _counting.weigh(head) + 1 if head else 0.0 for head in {line.head for line in document.lines}}
    line_costs = [head_costs[line.head] for line in document.lines]
    label_costs = {label: _counting.weigh(label) for label in {unit.label for unit in document.units}}
    return Weights(facts, terms, terms_in, factors, costs, line_costs, label_costs, densities, ordered)


def _facts(document: Document, lexicon: Lexicon, numbered: Sequence[Sequence[int]]) -> list[float]:
    """Raise the facts that the user named: the user's words say what the work is about."""
    if document.spoken:
        return lexicon.facts
    facts = list(lexicon.facts)
    for name in document.keys:
        facts[lexicon.names.get(name.lower(), 0)] = 0.0
    units = zip(document.units, numbered, strict=True)
    named = {
        lexicon.features[number] for unit, numbers in units if document.lines[unit.line].from_user for number in numbers
    }
    for feature in named:
        facts[feature] *= _NAMED_BY_USER
    return facts


def _factors(document: Document, scores: Sequence[float]) -> list[float]:
    """Multiply what does not depend on the words: the field's weight, relevance to the task, place and author."""
    sharpen = _sharpest if document.spoken else _mild if document.structured else _sharp
    weights = [part.weight for part in document.parts]
    places = _places(document)
    late = _LATE_IN_SPEECH if document.spoken else _LATE
    return [
        weights[unit.part]
        * sharpen(score)
        * (1 + late * place * place + _EARLY * (1 - place) ** 4)
        * (_FROM_USER if document.lines[unit.line].from_user else 1.0)
        for unit, score, place in zip(document.units, scores, places, strict=True)
    ]


def _sharpest(score: float) -> float:
    return float((1 + 20 * score) ** 3)


def _sharp(score: float) -> float:
    return float((1 + 10 * score) ** 2)


def _mild(score: float) -> float:
    return 1 + 4 * score


def _places(document: Document) -> list[float]:
    """Say how far along its field each unit stands, from 0 to 1."""
    sizes = [0] * len(document.parts)
    at: list[int] = []
    for unit in document.units:
        at.append(sizes[unit.part])
        sizes[unit.part] += 1
    pairs = zip(document.units, at, strict=True)
    return [place / sizes[unit.part] if sizes[unit.part] >= _FEWEST_PLACED else 0.5 for unit, place in pairs]


def _put_in_order(document: Document, densities: list[float]) -> frozenset[int]:
    """Make the units of ordered fields fall off from one end, starting at the rate of the field's best unit."""
    ordered: set[int] = set()
    for number, part in enumerate(document.parts):
        if part.order is None:
            continue
        units = [at for at, unit in enumerate(document.units) if unit.part == number]
        best = max((densities[at] for at in units), default=0.0)
        for rank, at in enumerate(units if part.order == "first" else reversed(units)):
            densities[at] = best / (1 + rank) ** 0.5
        ordered.update(units)
    return frozenset(ordered)
