"""Which words of a document carry something: facts that cannot be guessed, and terms that tell one passage from another."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from crux_langgraph.compression._counting import weigh_word
from crux_langgraph.compression._speech import HESITATIONS
from crux_langgraph.compression._stop_words import STOP_WORDS

_TOKEN = re.compile(r"[A-Za-z]++(?=\s)|https?://[^\s)\]}\"'<>,]+|[$#]?\w+(?:[-.@/'\u2019+]\w+|(?<=\d)[,:]\d+)*%?")
_IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_TOKEN_IN_IDEOGRAPHS = re.compile(
    rf"[\u3040-\u30ff\u3400-\u9fff]{{1,2}}|(?:(?![\u3040-\u30ff\u3400-\u9fff]){_TOKEN.pattern})"
)
_NUMBER = re.compile(r"[$#]?[\d,.]+%?\Z")
_DIGIT = re.compile(r"\d")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?\Z")
_ADDRESS = re.compile(r"@|://")
_COMPOSED = re.compile(r"_|[a-z][A-Z]|[@/]|\w\.\w")
_SHORTEST_STEM = 3
_SHORTEST_ACRONYM = 3
_LONG_NUMBER = 5
_REFERENCE = 3.0
_LETTER = weigh_word("a")
_CAPITAL = weigh_word("A")
_FIGURE = weigh_word("1")
_ENDINGS = ("'s", "\u2019s", "ing", "ed", "es", "s")


def tokens_of(texts: Sequence[str]) -> list[list[str]]:
    """Cut every text into the words, numbers, names and addresses in it."""
    ideographic = any(not text.isascii() and _IDEOGRAPHS.search(text) for text in texts)
    pattern = _TOKEN_IN_IDEOGRAPHS if ideographic else _TOKEN
    return list(map(pattern.findall, texts))


def stem(word: str) -> str:
    """Give the word in lower case without its commonest endings."""
    word = word.lower()
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)]
    return word


def carries(word: str) -> bool:
    """Whether a word says anything by itself: not a stop word, a hesitation or a single sign."""
    if word.isdecimal():
        return len(word) > 1
    lower = word.lower()
    return (
        len(lower) > 1
        and lower not in HESITATIONS
        and (lower not in STOP_WORDS or (word.isupper() and len(word) >= _SHORTEST_ACRONYM))
    )


def is_plain_word(word: str) -> bool:
    """Whether it is a word of the language, so not a number, an identifier or an address."""
    return not any(map(str.isdigit, word)) and _COMPOSED.search(word) is None


class _Numbering(dict[str, int]):
    """Numbers every spelling as it comes up."""

    def __missing__(self, spelling: str) -> int:
        number = self[spelling] = len(self)
        return number


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What was measured of every spelling in a document, by the spelling's number.

    A feature stands for all spellings of one stem; feature 0 carries nothing. `facts` and `terms` are weights by
    feature, `costs` tokens by spelling.
    """

    numbers: dict[str, int]
    features: list[int]
    costs: list[float]
    facts: list[float]
    terms: list[float]
    names: dict[str, int]

    def feature(self, word: str) -> int:
        """Give the feature of a word, 0 when the document does not have it."""
        return self.names.get(name_of(word), 0)


def build(tokens: Sequence[Sequence[str]]) -> tuple[Lexicon, list[tuple[int, ...]]]:
    """Number the spellings of all units and weigh them; give the units as numbers beside the lexicon."""
    numbering = _Numbering()
    get = numbering.__getitem__
    # Tuples of numbers, unlike lists, are not looked at again and again by the garbage collector.
    numbered = [tuple(map(get, unit)) for unit in tokens]
    counts = Counter(chain.from_iterable(numbered))
    openings = Counter(unit[0] for unit in numbered if unit)
    names: dict[str, int] = {"": 0}
    features = [names.setdefault(name_of(spelling), len(names)) for spelling in numbering]
    total, capitalised, examples = _occurrences(numbering, features, counts, openings, len(names))
    log_units = math.log(1 + len(tokens)) or 1.0
    facts = [0.0] * len(names)
    terms = [0.0] * len(names)
    rising = {often: 1 + 0.8 * math.log(often) for often in set(total[1:])}
    rarity = {often: math.log(1 + len(tokens) / often) / log_units for often in rising}
    for feature in range(1, len(names)):
        often = total[feature]
        facts[feature] = fact_class(examples[feature], capitalised=capitalised[feature], often=often) * rising[often]
        terms[feature] = rarity[often]
    costs = [_cost(spelling) for spelling in numbering]
    return Lexicon(dict(numbering), features, costs, facts, terms, names), numbered


def name_of(spelling: str) -> str:
    """Give what all spellings of one feature share; nothing for what carries nothing."""
    return _name_of_word(spelling) if spelling.isalpha() else _name_of_any(spelling)


def _name_of_any(spelling: str) -> str:
    if spelling[-1].isdigit() and len(spelling) > 1:
        return spelling.lower()
    if not carries(spelling):
        return ""
    return stem(spelling) if is_plain_word(spelling) else spelling.lower()


# Words come again in every payload. Only words are remembered, never an identifier or a number of somebody's.
_name_of_word = lru_cache(maxsize=1 << 15)(_name_of_any)


def _occurrences(
    spellings: Iterable[str], features: Sequence[int], counts: Counter[int], openings: Counter[int], size: int
) -> tuple[list[int], list[int], list[str]]:
    """Count each feature, and how often it is capitalised where a sentence does not open; give one spelling of each."""
    total = [0] * size
    capitalised = [0] * size
    example = [""] * size
    for number, spelling in enumerate(spellings):
        feature = features[number]
        total[feature] += counts[number]
        if spelling[0].isupper():
            capitalised[feature] += counts[number] - (0 if spelling.isupper() else openings[number])
        example[feature] = max(example[feature], spelling)
    return total, capitalised, example


def fact_class(spelling: str, *, capitalised: int, often: int) -> float:
    """Weigh a fact: references cannot be made up again, quantities matter less, plain words are no facts."""
    if spelling.isalpha():
        return 1.0 if capitalised * 2 > often or (not spelling.islower() and _COMPOSED.search(spelling)) else 0.0
    if spelling[-1].isdecimal() and spelling[0].isalpha():
        return _REFERENCE
    if spelling.isdecimal() or _NUMBER.match(spelling):
        return 0.3 if len(spelling) < _LONG_NUMBER else 0.6
    if _DIGIT.search(spelling):
        return 0.3 if _CLOCK.match(spelling) else _REFERENCE
    if _ADDRESS.search(spelling):
        return 2.0
    return 1.0 if capitalised * 2 > often or _COMPOSED.search(spelling) else 0.0


def _cost(spelling: str) -> float:
    if not spelling.isascii() or not spelling.isalpha():
        return _FIGURE * len(spelling) if spelling.isdecimal() and spelling.isascii() else weigh_word(spelling)
    rest = spelling[1:]
    if spelling.lower() in HESITATIONS:
        return 0.0
    if rest.islower() or not rest:
        return _LETTER * len(rest) + (_CAPITAL if spelling[0].isupper() else _LETTER)
    return weigh_word(spelling)
