"""Counting tokens without a network: a counter is any `Callable[[str], int]`."""

import math
import string
from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

from crux_langgraph._numbers import is_whole
from crux_langgraph.errors import DefinitionError

Counter = Callable[[str], int]


class TokenCounting(Protocol):
    """What can say how many tokens a text takes: any LangChain model."""

    def get_num_tokens(self, text: str) -> int:
        """Give the tokens of a text."""
        ...


# The weights are an upper quantile of the maximum over six real tokenizers (cl100k, o200k, DeepSeek, Qwen, Tekken,
# legacy Claude), so prose is counted about 1.3 times too high and no payload that was measured too low.
_WEIGHTS = (
    (string.ascii_lowercase.encode(), 0.27),
    (string.ascii_uppercase.encode(), 1.1),
    (string.digits.encode(), 1.3),
    (string.punctuation.encode(), 0.7),
    (b"\n\t", 1.0),
    (bytes(range(128, 256)), 1.0),
)
_WEIGHT_OF_BYTE = [next((weight for chars, weight in _WEIGHTS if byte in chars), 0.0) for byte in range(256)]
_MARGIN = 6
_SAMPLE = "The quick brown fox jumps over 13 lazy dogs. "
_REPEATS = 8
MOST_BYTES_PER_TOKEN = 32


def estimate_tokens(text: str) -> int:
    """Count tokens by character class: an estimate that is too high rather than too low, made offline.

    Linear in the length (about 5 ms per MB) and never above the UTF-8 length, which no byte-level tokenizer exceeds.

    >>> from crux_langgraph import estimate_tokens
    >>> estimate_tokens("Air scatters blue light most.")
    15
    """
    raw = text.encode("utf-8", "surrogatepass")
    return _rounded(_weigh(raw), raw)


def _rounded(weight: float, raw: bytes) -> int:
    return min(len(raw), math.ceil(weight) + _MARGIN)


def count_and_weigh(counter: Counter, text: str) -> tuple[int, float]:
    """Give what the counter and what `weigh` give, at once where both are the same."""
    if counter is not estimate_tokens:
        return counter(text), weigh(text)
    raw = text.encode("utf-8", "surrogatepass")
    weight = _weigh(raw)
    return _rounded(weight, raw), weight


def weigh(text: str) -> float:
    """Give the estimate before rounding and margin: what texts weigh adds up to what their concatenation weighs."""
    return _weigh(text.encode("utf-8", "surrogatepass"))


def weigh_word(text: str) -> float:
    """Give what `weigh` gives, faster for a few characters and slower for many."""
    return sum(map(_WEIGHT_OF_BYTE.__getitem__, text.encode("utf-8", "surrogatepass")))


def _weigh(raw: bytes) -> float:
    size, weighed = len(raw), 0.0
    for chars, weight in _WEIGHTS:  # not `sum()`: of a short text its generator takes a fourth of the time
        weighed += weight * (size - len(raw.translate(None, chars)))
    return weighed


def tiktoken_counter(name: str = "o200k_base") -> Counter:
    """Make an exact counter for OpenAI's models out of an encoding's name (`o200k_base`) or a model's (`gpt-4o`).

    Needs the `tiktoken` package. It downloads the encoding once, at this call, unless `TIKTOKEN_CACHE_DIR` has it.
    """
    try:
        tiktoken: Any = import_module("tiktoken")
    except ModuleNotFoundError as error:
        msg = 'tiktoken_counter() needs tiktoken: pip install "crux-langgraph[tiktoken]"'
        raise ModuleNotFoundError(msg, name=error.name) from error
    encoding = (
        tiktoken.get_encoding(name) if name in tiktoken.list_encoding_names() else tiktoken.encoding_for_model(name)
    )
    return lambda text: len(encoding.encode_ordinary(text))


def model_counter(model: TokenCounting) -> Counter:
    """Make a counter of a chat model's own `get_num_tokens`.

    It is tried at this call. Raises `DefinitionError` when it fails, or answers what carries no budget: of some models
    it needs a download, of some a request per count, and of those that do not bring one it is GPT-2's, which is wrong
    for them and answers 0 for any text where it could not be loaded.
    """

    def counter(text: str) -> int:
        return model.get_num_tokens(text)

    name = type(model).__name__
    fix = "Give another model, or tiktoken_counter(name) for OpenAI's; the default estimate needs neither."
    try:
        fault = counter_fault(counter)
    except Exception as error:
        found = f"{name}.get_num_tokens raised {type(error).__name__} for a short English sentence"
        raise DefinitionError(handoff="model_counter", found=found, fix=fix, kind="counter") from error
    if fault is not None:
        found = f"{name}.get_num_tokens {fault}"
        raise DefinitionError(handoff="model_counter", found=found, fix=fix, kind="counter")
    return counter


def counter_fault(counter: Counter) -> str | None:
    """Try a counter on a sample and say what is wrong with its answers; None when nothing is.

    Refuses what would make every budget meaningless: no number, zero, a negative number, one that does not grow with
    the text, or fewer tokens than any tokenizer makes (some counters answer 0 for everything when they are offline).
    """
    once, many = counter(_SAMPLE), counter(_SAMPLE * _REPEATS)
    odd = [count for count in (once, many) if not is_whole(count)]
    if odd:
        return f"answers {type(odd[0]).__name__}, not a whole number"
    if once <= 0:
        return f"answers {once} for a sentence of {len(_SAMPLE)} characters"
    if many <= once:
        return f"answers {many} for {_REPEATS} times the text it counts as {once}"
    if many * MOST_BYTES_PER_TOKEN < len(_SAMPLE) * _REPEATS:
        return f"answers {many} for {len(_SAMPLE) * _REPEATS} characters, fewer than any tokenizer makes of them"
    return None
