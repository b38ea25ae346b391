"""The words of a document at a first look: as they are spelled, and what each spelling is worth."""

import math
import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache, partial
from itertools import chain, compress, filterfalse
from operator import itemgetter

from crux_langgraph.compression._lexicon import carries, fact_class, name_of
from crux_langgraph.compression._relevance import Query
from crux_langgraph.compression._speech import HESITATIONS
from crux_langgraph.compression._stop_words import STOP_WORDS
from crux_langgraph.compression._units import Document
from crux_langgraph.compression._weighing import ASKED_TERM, shares

_PUNCTUATION = b",;:!?()[]{}\"'<>|="
_APART = bytes.maketrans(_PUNCTUATION, b" " * len(_PUNCTUATION))
_APART_BEYOND_ASCII = "\u2019\u201c\u201d\u2026\u3001\u3002\uff0c"
_OPENING = itemgetter(slice(0, 2))
_BETWEEN = "\x00"
_REPEATED_FACT = 0.05
_REPEATED_TERM = 0.5
_SILENT = HESITATIONS | STOP_WORDS | frozenset(string.ascii_lowercase)
_CLASSES = [
    (re.compile(pattern, re.DOTALL).match, fact_class(example, capitalised=0, often=1))
    for pattern, example in (
        (r"[^\W\d_].*\d\Z|\d(?![\d.]*%?\Z)", "a1"),
        (r"[\d.]{1,3}[\d.%]\Z", "1.5"),
        (r"[\d.]{4,}[\d.%]\Z", "12345"),
    )
]
"""What many words of data are: references, quantities, and numbers that are too long for one."""


def words_of(texts: Sequence[str]) -> list[tuple[str, ...]]:
    """Cut texts into words, roughly; tuples of them, unlike lists, are nothing for the garbage collector to visit."""
    whole = _BETWEEN.join(text.replace(_BETWEEN, " ") for text in texts)
    if not whole.isascii():
        for sign in _APART_BEYOND_ASCII:
            whole = whole.replace(sign, " ")
    apart = whole.encode("utf-8", "surrogatepass").translate(_APART).decode("utf-8", "surrogatepass")
    return [tuple(text.split()) for text in apart.replace(". ", " ").split(_BETWEEN)] if texts else []


class _Pairs(dict[int, tuple[float, float]]):
    """What words of one class are worth by how often they come: while they are new, and once they were seen."""

    def __init__(self, document: Document, size: int, fact: float) -> None:
        super().__init__()
        fact_share, self._term_share = shares(document)
        self._fact = fact * fact_share
        self._size = size
        self._log_size = math.log(1 + size)

    def __missing__(self, often: int) -> tuple[float, float]:
        fact = self._fact * (1 + 0.8 * math.log(often))
        term = self._term_share * math.log(1 + self._size / often) / self._log_size
        pair = self[often] = fact + term, fact * _REPEATED_FACT + term * _REPEATED_TERM
        return pair


def worth_of(document: Document, often: Counter[str], size: int) -> dict[str, tuple[float, float]]:
    """Weigh every spelling, new and as one that was seen: the classes of the lexicon, without its stems.

    What is worth nothing is not in the answer.
    """
    pairs = cache(partial(_Pairs, document, size))
    worth: dict[str, tuple[float, float]] = {}

    def learn(words: Sequence[str], fact: float) -> None:
        """Weigh words of one class, all at once."""
        worth.update(zip(words, map(pairs(fact).__getitem__, map(often.__getitem__, words)), strict=True))

    letters = list(filter(str.isalpha, often))
    plain = list(filter(str.islower, letters))
    if plain and any(pairs(0.0)[1]):
        learn(plain, 0.0)
    rest = list(filterfalse(str.isalpha, often))
    for matches, fact in _CLASSES:
        learn(list(filter(matches, rest)), fact)
        rest = list(filterfalse(worth.__contains__, rest))
    for word in filter(carries, chain(rest, filterfalse(str.islower, letters))):
        count = often[word]
        name = word[0].isupper() and word.lower() not in often
        worth[word] = pairs(fact_class(word, capitalised=count if name else 0, often=count))[count]
    for word in _SILENT & worth.keys():
        del worth[word]
    return worth


def asked_in(query: Query, often: Counter[str]) -> dict[str, float]:
    """Give the share of the task's weight that each spelling of its words carries."""
    wanted = {name_of(word): weight for word, weight in query.weighted().items()}
    size = max(often.values(), default=1)
    openings = {way(name[:2]) for name in wanted for way in (str.lower, str.title, str.upper)}
    found: dict[str, float] = {}
    most: dict[str, float] = {}
    for word in compress(often, map(openings.__contains__, map(_OPENING, often))):
        if (name := name_of(word)) in wanted:
            found[word] = wanted[name] * math.log(1 + size / often[word])
            most[name] = max(most.get(name, 0.0), found[word])
    norm = sum(most.values())
    return {word: weight / norm for word, weight in found.items()} if norm else {}


def asked_facts(asked: Iterable[str], often: Counter[str], size: int) -> dict[str, tuple[float, float]]:
    """Weigh what the task asks for by how rare it is."""
    rare = {word: ASKED_TERM * math.log(1 + size / often[word]) / math.log(1 + size) for word in asked}
    return {word: (worth, worth * _REPEATED_TERM) for word, worth in rare.items()}
