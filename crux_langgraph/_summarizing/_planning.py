"""How many calls, over what, with which quotas: settled before the first call, so that the limits hold. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from crux_langgraph._summarizing._prompting import Prompts
from crux_langgraph._summarizing._splitting import Chunk, Part, Shrink, preselect, render, split
from crux_langgraph.compression import Counter

LEAST_QUOTA = 96
"""Below so many tokens an answer says too little to stand alone: then a second level puts the answers together."""

_MOST_MAP_QUOTA = 512
_LEAST_VALUES = 16
_VALUES_IN_QUOTA = 4
_VALUES_IN_READ = 32
_SLACK = 16
_JOINT = 4
_FULL = 0.9


@dataclass(frozen=True, slots=True)
class Plan:
    """The calls to be made: one for each chunk, each for at most `quota` tokens; then perhaps one over the answers.

    `reduce_tokens` is what that last call may read; None when the answers only stand after each other.
    """

    chunks: tuple[Chunk, ...]
    quota: int
    final_quota: int
    reduce_tokens: int | None
    preselected: bool
    values_tokens: int

    def values_within(self, quota: int) -> int:
        """Give the tokens that the values in a request may have: no more than leave an answer room for words."""
        most = min(self.values_tokens, quota // _VALUES_IN_QUOTA)
        return most if most >= _LEAST_VALUES else 0


@dataclass(frozen=True, slots=True)
class Room:
    """What there is to spend: calls, tokens read, the model's window, and the tokens that the result may have."""

    max_calls: int
    max_input_tokens: int
    window: int
    quota: int
    overhead: int
    """Tokens of a request around its text, the line of its values included."""
    values: int = 0
    """Tokens that this line may have."""

    @property
    def final_quota(self) -> int:
        """What one answer may have: the whole result, unless the window is too small for it beside the text."""
        return max(1, min(self.quota, self.window // 4))

    def two_levels(self, count: int) -> bool:
        """Say whether `count` answers need one more call that puts them together."""
        return count > 1 and self._share(count) < LEAST_QUOTA

    def map_quota(self, count: int) -> int:
        """What each of `count` answers may have."""
        if not self.two_levels(count):
            return min(self._share(count), self.final_quota)
        return max(LEAST_QUOTA, min(_MOST_MAP_QUOTA, self.chunk(count) // count - _JOINT))

    def reduce_tokens(self, count: int) -> int:
        """What that one more call reads at most."""
        return self.overhead + count * (self.map_quota(count) + _JOINT) if self.two_levels(count) else 0

    def chunk(self, count: int) -> int:
        """The most tokens of text in one of `count` requests: what the window leaves beside the largest answer."""
        if self.two_levels(count):
            return self.window - self.overhead - max(self.final_quota, min(_MOST_MAP_QUOTA, self.window // 4))
        return self.window - self.overhead - min(self._share(count), self.final_quota)

    def _share(self, count: int) -> int:
        return self.quota // count - _JOINT if count > 1 else self.quota

    def capacity(self, count: int) -> int:
        """The tokens of text that `count` calls, and one more where it is needed, can read within all limits."""
        if count + self.two_levels(count) > self.max_calls or count * (LEAST_QUOTA + _JOINT) > self.chunk(count):
            return 0
        readable = self.max_input_tokens - count * self.overhead - self.reduce_tokens(count)
        return min(round(count * self.chunk(count) * (_FULL if count > 1 else 1)), readable)


def values_room(quota: int, window: int, max_input_tokens: int) -> int:
    """Give the tokens that a line of values may have in a request: a small share of what is read."""
    return max(0, min(quota // _VALUES_IN_QUOTA, min(window, max_input_tokens) // _VALUES_IN_READ))


def overhead_of(prompts: Prompts, parts: Sequence[Part], quota: int, counter: Counter, values: int) -> int:
    """Count what a request reads beside its text; a field that goes on in the next chunk is named there again."""
    label = max((path for path, _ in parts), key=len, default="")
    asking = prompts.tokens("", quota, counter, " " if values else "")
    return asking + values + counter(f"{label}:\n") + _SLACK


def plan_for(parts: Sequence[Part], room: Room, counter: Counter, shrink: Shrink) -> Plan | None:
    """Plan the calls for `parts`, preselected deterministically where they are too large; None when nothing fits."""
    most = min(room.max_calls, room.window // (LEAST_QUOTA + _JOINT))
    counts = range(1, most + 1)
    total = counter(render(parts))
    enough = (count for count in counts if room.capacity(count) >= total)
    count = next(enough, max(counts, key=room.capacity, default=1))
    capacity = room.capacity(count)
    if capacity < min(LEAST_QUOTA, total):
        return None
    preselected = capacity < total
    chosen = preselect(parts, capacity, counter, shrink) if preselected else parts
    if not chosen:
        return None
    return Plan(
        chunks=tuple(split(chosen, count, min(room.chunk(count), capacity), counter, shrink)),
        quota=room.map_quota(count),
        final_quota=room.final_quota,
        reduce_tokens=room.reduce_tokens(count) or None,
        preselected=preselected,
        values_tokens=room.values,
    )
