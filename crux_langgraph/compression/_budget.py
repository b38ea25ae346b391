"""A token budget: whether a text fits, counted as it will be sent."""

from collections.abc import Callable
from dataclasses import dataclass

from crux_langgraph.compression._counting import MOST_BYTES_PER_TOKEN, Counter


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `max_tokens` by `counter`, of the text with what `wrap` puts around it."""

    max_tokens: int
    counter: Counter
    wrap: Callable[[str], str]

    def count(self, text: str) -> int:
        """Count the text as it will be sent."""
        return self.counter(self.wrap(text))

    def fits(self, text: str, spare: int = 0) -> bool:
        """Whether the text fits and leaves `spare` tokens. A text that is plainly too long is not counted whole."""
        return not self.is_plainly_over(text) and self.room(text) >= spare

    def room(self, text: str) -> int:
        """Count the tokens that are left beside the text."""
        return self.max_tokens - self.count(text)

    @property
    def plainly_long(self) -> int:
        """How many characters are more than any text has that fits, except for one that is mostly white space."""
        return (self.max_tokens + 1) * MOST_BYTES_PER_TOKEN

    def is_plainly_over(self, text: str) -> bool:
        """Whether a beginning of the text does not fit. Only a text that is long for its budget is looked at."""
        plainly = self.plainly_long
        return len(text) > plainly and self.counter(text[:plainly]) > self.max_tokens


def longest(most: int, fits: Callable[[int], bool]) -> int:
    """Give the largest number from 0 to `most` that fits, when all below it fit; 0 is not asked about.

    The numbers that are tried depend on nothing but the answers, so a larger budget never gives a smaller number, even
    where a longer text happens to take fewer tokens. The search starts small: it costs little when little fits.
    """
    step = 8
    low, high = 0, most + 1
    while low + step < high:
        if not fits(low + step):
            high = low + step
            break
        low += step
        step += step // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
