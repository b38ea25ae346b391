"""Numbers, dates and identifiers that a model wrote and its source does not have. Pure.

A fact is a word with a digit in it, compounds included: `2024-05-03`, `ORD-1234`, `12.5`, `x_7@host.io`. The source
also owns every run of a compound's pieces (`2024-05` of `2024-05-03`, `api/v2` of `host/api/v2/x`), never a piece of a
decimal. Notation is evened out first: dashes, full-width digits, `1,200` for `1200`, `7` for `07`, `1.50` for `1.5`.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

_DASHES = {ord(dash): "-" for dash in "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"}
_THOUSANDS = re.compile("(?<=\\d)[,'\u2019\u00a0\u2009\u202f](?=\\d{3}(?!\\d))")
_FACT = re.compile(r"(?<![^\s(\[])-?(?=\d)[^\W_]+(?:[-._/:@#+][^\W_]+)*|[^\W_]+(?:[-._/:@#+][^\W_]+)*")
_JOINT = re.compile(r"[-_/@#+]|(?<!\d)\.|\.(?!\d)|(?<!\d):|:(?!\d)")
_UNIT = re.compile(r"(-?\d[\d.:]*)[^\W\d_]+")
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)")
_SMALL = re.compile(r"-?0\d")
_DECIMAL = re.compile(r"-?\d+\.\d+")
_LISTED = re.compile(r"^[ \t]*(?:[-*•][ \t]+)?\d{1,3}[.)][ \t]+", re.MULTILINE)
_SENTENCE = re.compile(r"(?:[^\n.!?。！？]|[.!?](?!\s|$))*[.!?。！？]*\s*")  # noqa: RUF001 - full-width marks end sentences too
_LONGEST_RUN = 6
_LONGEST_UNIT_WORD = 4


def without_inventions(answer: str, source: str) -> tuple[str, tuple[str, ...]]:
    """Give `answer` without the sentences that hold a fact `source` does not have, and those sentences.

    The numbers of a numbered list are not facts.
    """
    known = _owned(source)
    kept: list[str] = []
    removed: list[str] = []
    for sentence in _SENTENCE.findall(answer):
        invented = any(fact not in known for fact in _stated(sentence))
        (removed if invented else kept).append(sentence)
    return "".join(kept).strip(), tuple(sentence.strip() for sentence in removed)


def _stated(sentence: str) -> Iterator[str]:
    for fact in _facts(_LISTED.sub("", _even(sentence))):
        yield _plain(fact)


def _owned(source: str) -> set[str]:
    text = _even(source)
    owned: set[str] = set()
    for fact in _facts(text):
        owned.update(_runs(fact))
    owned.update(_measures(text))
    return owned


def _facts(text: str) -> Iterator[str]:
    return (word for word in _FACT.findall(text) if any(char.isdigit() for char in word))


def _even(text: str) -> str:
    # Separators first: NFKC makes plain spaces of the thin ones that group digits.
    return unicodedata.normalize("NFKC", _THOUSANDS.sub("", text)).translate(_DASHES).lower()


def _runs(fact: str) -> Iterator[str]:
    yield _plain(fact)
    yield _plain(fact.lstrip("-"))
    cuts = [0, *(match.end() for match in _JOINT.finditer(fact)), len(fact) + 1]
    for first in range(len(cuts) - 1):
        for last in range(first + 1, min(len(cuts), first + 1 + _LONGEST_RUN)):
            run = fact[cuts[first] : cuts[last] - 1]
            yield _plain(run)
            measured = _UNIT.fullmatch(run)
            if measured:
                yield _plain(measured[1])


def _measures(text: str) -> Iterator[str]:
    # "12 ms" may be written "12ms".
    for number, unit in pairwise(text.split()):
        if number[-1:].isdigit() and unit[:_LONGEST_UNIT_WORD].isalpha():
            yield number + unit.rstrip(".,;:!?)")


def _plain(fact: str) -> str:
    if _DECIMAL.fullmatch(fact):
        return fact.rstrip("0").rstrip(".")
    ordinal = _ORDINAL.fullmatch(fact)
    number = ordinal[1] if ordinal else fact
    return number.replace("0", "", 1) if _SMALL.fullmatch(number) else number
