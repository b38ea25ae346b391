"""Which words of a document carry something: facts that cannot be guessed, and terms that tell one passage from another."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from crux_langgraph.compression._counting import weigh
from crux_langgraph.compression._speech import HESITATIONS

_TOKEN = re.compile(r"https?://[^\s)\]}\"'<>,]+|[$#]?\w+(?:[-.@/'’+]\w+|(?<=\d)[,:]\d+)*%?")
_IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_TOKEN_IN_IDEOGRAPHS = re.compile(
    rf"[\u3040-\u30ff\u3400-\u9fff]{{1,2}}|(?:(?![\u3040-\u30ff\u3400-\u9fff]){_TOKEN.pattern})"
)
_NUMBER = re.compile(r"[$#]?[\d,.]+%?\Z")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?\Z")
_ADDRESS = re.compile(r"@|://")
_COMPOSED = re.compile(r"_|[a-z][A-Z]|[@/]|\w\.\w")
_LETTER = weigh("a")
_ENDINGS = ("'s", "’s", "ing", "ed", "es", "s")
_STOP_WORDS = frozenset(
    [
        "a",
        "about",
        "above",
        "after",
        "again",
        "all",
        "also",
        "am",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "because",
        "been",
        "before",
        "being",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "doing",
        "don",
        "down",
        "during",
        "each",
        "few",
        "for",
        "from",
        "further",
        "get",
        "go",
        "going",
        "got",
        "had",
        "has",
        "have",
        "having",
        "he",
        "her",
        "here",
        "hers",
        "him",
        "his",
        "how",
        "i",
        "i'm",
        "i'll",
        "i've",
        "if",
        "in",
        "into",
        "is",
        "it",
        "it's",
        "its",
        "just",
        "know",
        "let",
        "like",
        "may",
        "me",
        "might",
        "more",
        "most",
        "much",
        "my",
        "no",
        "nor",
        "not",
        "now",
        "of",
        "off",
        "oh",
        "ok",
        "okay",
        "on",
        "once",
        "one",
        "only",
        "or",
        "other",
        "our",
        "out",
        "over",
        "own",
        "please",
        "really",
        "right",
        "s",
        "same",
        "say",
        "see",
        "she",
        "should",
        "so",
        "some",
        "such",
        "t",
        "than",
        "thank",
        "thanks",
        "that",
        "that's",
        "the",
        "their",
        "them",
        "then",
        "there",
        "there's",
        "these",
        "they",
        "thing",
        "things",
        "think",
        "this",
        "those",
        "through",
        "to",
        "too",
        "two",
        "under",
        "until",
        "up",
        "us",
        "very",
        "want",
        "was",
        "way",
        "we",
        "we're",
        "we'll",
        "we've",
        "well",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "whom",
        "why",
        "will",
        "with",
        "would",
        "yeah",
        "yes",
        "you",
        "you're",
        "your",
        "mm-hmm",
        "uh-huh",
        "re",
        "ll",
        "ve",
        "d",
        "m",
    ]
)


def tokens_of(texts: Sequence[str]) -> list[list[str]]:
    """Cut every text into the words, numbers, names and addresses in it."""
    pattern = _TOKEN_IN_IDEOGRAPHS if any(map(_IDEOGRAPHS.search, texts)) else _TOKEN
    return list(map(pattern.findall, texts))


def stem(word: str) -> str:
    """Give the word in lower case without its commonest endings."""
    word = word.lower()
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def carries(word: str) -> bool:
    """Whether a word says anything by itself: not a stop word, a hesitation or a single sign."""
    lower = word.lower()
    return (
        len(lower) > 1 and lower not in HESITATIONS and (lower not in _STOP_WORDS or (word.isupper() and len(word) > 2))
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
        return self.names.get(stem(word), 0)


def build(tokens: Sequence[Sequence[str]]) -> tuple[Lexicon, list[list[int]]]:
    """Number the spellings of all units and weigh them; give the units as numbers beside the lexicon."""
    numbering = _Numbering()
    get = numbering.__getitem__
    numbered = [list(map(get, unit)) for unit in tokens]
    counts = Counter(chain.from_iterable(numbered))
    openings = Counter(unit[0] for unit in numbered if unit)
    names: dict[str, int] = {"": 0}
    features = [_feature_of(spelling, names) for spelling in numbering]
    total, capitalised, numbered_spelling = _occurrences(numbering, features, counts, openings, len(names))
    examples = numbered_spelling
    log_units = math.log(1 + len(tokens)) or 1.0
    facts = [0.0] * len(names)
    terms = [0.0] * len(names)
    for feature in range(1, len(names)):
        often = total[feature]
        facts[feature] = _class(examples[feature], capitalised[feature], often) * (1 + 0.8 * math.log(often))
        terms[feature] = math.log(1 + len(tokens) / often) / log_units
    costs = [_cost(spelling) for spelling in numbering]
    return Lexicon(dict(numbering), features, costs, facts, terms, names), numbered


def _feature_of(spelling: str, names: dict[str, int]) -> int:
    if not carries(spelling):
        return 0
    return names.setdefault(stem(spelling) if is_plain_word(spelling) else spelling.lower(), len(names))


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


def _class(spelling: str, capitalised: int, often: int) -> float:
    """Weigh a fact: references cannot be made up again, quantities matter less, plain words are no facts."""
    if _CLOCK.match(spelling):
        return 0.3
    if _NUMBER.match(spelling):
        return 0.3 if len(spelling) < 5 else 0.6
    if any(map(str.isdigit, spelling)):
        return 3.0
    if _ADDRESS.search(spelling):
        return 2.0
    return 1.0 if capitalised * 2 > often or _COMPOSED.search(spelling) else 0.0


def _cost(spelling: str) -> float:
    if spelling.isascii() and spelling.islower() and spelling.isalpha():
        return 0.0 if spelling in HESITATIONS else _LETTER * len(spelling)
    return 0.0 if spelling.lower() in HESITATIONS else weigh(spelling)
