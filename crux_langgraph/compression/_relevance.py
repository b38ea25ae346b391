"""How close each unit stands to what the receiver is asked: passage BM25 over the units, in document order."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pydantic import BaseModel

from crux_langgraph.compression._lexicon import Lexicon, carries, stem, tokens_of
from crux_langgraph.compression._stop_words import INSTRUCTIONS
from crux_langgraph.compression._units import LINE, Document

_AHEAD = math.exp(-1 / 15)
_BACK = math.exp(-1 / 8)
_HALF = 2.0
_NAMED_SPEAKER = 1.6
_SPEAKER_ALONE = 0.02
_MOST_TERMS = 24
_NEGLIGIBLE = 0.001
_INSTRUCTIONS = frozenset(map(stem, INSTRUCTIONS))
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Query:
    """What the receiver is asked: its task in words, terms to look for, and the model it fills."""

    task: str = ""
    focus: tuple[str, ...] = ()
    receiver: type[BaseModel] | None = None

    def weighted(self) -> dict[str, float]:
        """Give the words of it with their weights, without those that only say what to do."""
        weights: dict[str, float] = {}
        for weight, texts in ((2.0, self.focus), (1.0, (self.task,)), (0.3, _field_texts(self.receiver))):
            for word in (word for tokens in tokens_of(texts) for word in tokens):
                if carries(word) and stem(word) not in _INSTRUCTIONS:
                    weights.setdefault(word, weight)
        return weights

    def names(self, speaker: str) -> bool:
        """Whether it names a speaker in full."""
        asked = _WORD.findall(f"{self.task} {' '.join(self.focus)}".lower())
        words = _WORD.findall(speaker.lower())
        return bool(words) and set(words) <= set(asked)


def _field_texts(receiver: type[BaseModel] | None) -> tuple[str, ...]:
    if receiver is None:
        return ()
    fields = receiver.model_fields.items()
    return tuple(f"{name.replace('_', ' ')} {info.description or ''}" for name, info in fields)


def asked_features(query: Query, lexicon: Lexicon) -> dict[int, float]:
    """Give the features of the document that the query asks for, the rarest first where there are many."""
    found: dict[int, float] = {}
    for word, weight in query.weighted().items():
        feature = lexicon.feature(word)
        if feature:
            found[feature] = max(weight, found.get(feature, 0.0))
    rarest = sorted(found, key=lambda feature: (-found[feature] * lexicon.terms[feature], feature))
    return {feature: found[feature] * lexicon.terms[feature] for feature in rarest[:_MOST_TERMS]}


def relevance(
    document: Document,
    numbered: Mapping[int, Sequence[int]],
    lexicon: Lexicon,
    query: Query,
    asked: Mapping[int, float],
) -> dict[int, float]:
    """Give every unit a number, mostly from 0 to 1: its share of the weight of what is asked, found in it or near it.

    A match counts on for about fifteen units after it and eight before it, so that answers near a question are found.
    """
    scores = [0.0] * len(numbered)
    norm = sum(asked.values())
    gaps = [after - before for before, after in pairwise(numbered)]
    ahead = [1.0, *(_AHEAD**gap for gap in gaps)]
    back = [*(_BACK**gap for gap in gaps), 1.0]
    for feature, matches in _places(numbered, lexicon, asked).items():
        _spread(matches, asked[feature] / norm, ahead, back, scores)
    heads = {line.head for line in document.lines}
    asked_for = {head for head in heads if query.names(head.rstrip(":"))}
    if not asked_for:
        return dict(zip(numbered, scores, strict=True))
    lines, rows = document.lines, document.rows
    return {
        at: score * _NAMED_SPEAKER + _SPEAKER_ALONE if lines[rows[at][LINE]].head in asked_for else score
        for at, score in zip(numbered, scores, strict=True)
    }


def _places(
    numbered: Mapping[int, Sequence[int]], lexicon: Lexicon, asked: Mapping[int, float]
) -> dict[int, list[float]]:
    """Give for each asked feature 1 at the units in which it stands, and 0 at the others."""
    wanted = {number: feature for number, feature in enumerate(lexicon.features) if feature in asked}
    disjoint = set(wanted).isdisjoint
    places = {feature: [0.0] * len(numbered) for feature in asked}
    for at, unit in enumerate(numbered.values()):
        if not disjoint(unit):
            for number in unit:
                if number in wanted:
                    places[wanted[number]][at] = 1.0
    return places


def _spread(
    matches: Sequence[float], weight: float, ahead: Sequence[float], back: Sequence[float], scores: list[float]
) -> None:
    """Add one term to all scores: a count that decays with the distance from each match, saturated."""
    level = 0.0
    reached: list[float] = []
    for own, decay in zip(matches, ahead, strict=True):
        level = level * decay + own
        reached.append(level)
    level = 0.0
    last = len(matches) - 1
    for behind, (own, near, decay) in enumerate(zip(reversed(matches), reversed(reached), reversed(back), strict=True)):
        level *= decay
        density = near + level
        level += own
        if density > _NEGLIGIBLE:
            scores[last - behind] += weight * density / (density + _HALF)
