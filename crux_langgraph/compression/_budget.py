"""A token budget: whether a text fits, counted as it will be sent."""

from collections.abc import Callable
from dataclasses import dataclass

from crux_langgraph.compression._counting import MOST_BYTES_PER_TOKEN, Counter

_GLIMPSE = 6
"""Most texts that are too long are seen to be so from a beginning that is shorter by this factor."""
_FIRST_GUESS = 16


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
    def long_sizes(self) -> tuple[int, int]:
        """Say how many characters are more than most texts have that fit, and more than any that is not mostly blank."""
        plainly = (self.max_tokens + 1) * MOST_BYTES_PER_TOKEN
        return plainly // _GLIMPSE, plainly

    def is_plainly_over(self, text: str) -> bool:
        """Whether a beginning of the text does not fit. Only a text that is long for its budget is looked at."""
        return any(len(text) > size and self.counter(text[:size]) > self.max_tokens for size in self.long_sizes)


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


def longest_by_rooms(most: int, room: Callable[[int], int], enough: int = 0) -> int:
    """Give the largest number from 0 to `most` that leaves room, in few tries: each lies where the rooms seen so far meet 0.

    The numbers that are tried depend on the budget, so this is only for where nothing hangs on that. 0 leaves room; a
    number that leaves less than `enough` is taken for the largest.
    """
    low, high = 0, most + 1
    spare, over = room(0), 0
    narrowed = True
    step = _FIRST_GUESS
    while high - low > 1:
        at = min(low + step, high - 1)
        before, left = high - low, room(at)
        if left < 0:
            high, over = at, -left
        else:
            if left < enough:
                return at
            step = max(1, (at - low) * left // max(1, spare - left))
            low, spare = at, left
        if over:
            # Where one end does not move, the interval is halved instead.
            narrowed = not narrowed or (high - low) * 2 <= before
            step = max(1, int((high - low) * spare / (spare + over))) if narrowed else (high - low) // 2
    return low
