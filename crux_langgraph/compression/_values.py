"""The facts of a text by themselves: the numbers, dates, names and identifiers that a shorter text should still have."""

import re
from collections.abc import Iterator, Sequence

from crux_langgraph.compression._lexicon import Lexicon, build, tokens_of
from crux_langgraph.compression._relevance import Query
from crux_langgraph.compression._tree import read
from crux_langgraph.compression._units import TEXT
from crux_langgraph.compression._walking import document_of
from crux_langgraph.compression._weighing import COST_EXPONENT, weigh

_KEY = re.compile(r"(?<![\w.])([^\W\d]++(?:[.][^\W\d]++)*+)[\"']?[:=]")


def values_of(text: str, task: str, most: int) -> list[str]:
    """Give at most `most` facts of a text as they are written in it, each once, the best first by the fit's ranking.

    What counts is what kind of fact it is, how often it comes, how close it stands to the words of `task`, and what it
    costs. A name of several words is one fact. Pure: the same arguments give the same answer.
    """
    document = document_of(read(text).root)
    texts = [row[TEXT] for row in document.rows]
    tokens = _without_keys(tokens_of(texts), text)
    lexicon, numbered = build(tokens)
    weights = weigh(document, lexicon, dict(enumerate(numbered)), Query(task))
    rates: dict[str, float] = {}
    for at, words in enumerate(tokens):
        for fact in _facts(words, texts[at], lexicon, weights.facts):
            worth = max(weights.facts[lexicon.feature(word)] for word in fact)
            price = sum(lexicon.costs[lexicon.numbers[word]] for word in fact)
            rate = weights.factors[at] * worth / float(price**COST_EXPONENT)
            written = " ".join(fact)
            rates[written] = max(rate, rates.get(written, 0.0))
    return _distinct(sorted(rates, key=lambda fact: -rates[fact]), most)


def _without_keys(tokens: Sequence[Sequence[str]], text: str) -> list[list[str]]:
    """Leave out what stands before a value, `user_id: 7`, and says nothing without it; a plain word may be a name."""
    keys = frozenset(_KEY.findall(text))
    return [[word for word in words if word.isalpha() or word not in keys] for words in tokens]


def _facts(words: Sequence[str], text: str, lexicon: Lexicon, facts: Sequence[float]) -> Iterator[list[str]]:
    """Give what of a unit's words are facts; those of a name that stand side by side belong together."""
    name: list[str] = []
    for word in words:
        named = word.isalpha() and word[0].isupper() and facts[lexicon.feature(word)] > 0
        if name and not (named and f"{name[-1]} {word}" in text):
            yield name
            name = []
        if named:
            name.append(word)
        elif facts[lexicon.feature(word)] > 0:
            yield [word]
    if name:
        yield name


def _distinct(ranked: Sequence[str], most: int) -> list[str]:
    """Leave out what stands in a better one."""
    best: list[str] = []
    said: set[str] = set()
    for fact in ranked:
        if len(best) == most:
            break
        if fact.lower() not in said:
            best.append(fact)
            said.update((fact.lower(), *fact.lower().split()))
    return best
