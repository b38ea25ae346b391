"""Prose in chunks: cut where sentences and lines end, put together as full as a request allows. Pure."""

import re
from bisect import bisect_right
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from crux_langgraph.compression import Counter

Shrink = Callable[[str, int], str]
"""Shortens a text to at most so many tokens, deterministically, by the handoff's counter."""

Part = tuple[str, str]
"""The path of a field, and its text."""

_BOUNDARY = re.compile(r"(?<=[.!?。！？])\s+|\n+")  # noqa: RUF001 - full-width marks end sentences too
_LONGEST_UNIT = 1_000
_MOST_CHARS_PER_TOKEN = 8
_NEARLY = 1.02


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one call reads: its text, and the names of the fields, or pieces of fields, in it."""

    text: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Unit:
    part: int
    path: str
    text: str


def render(parts: Sequence[Part]) -> str:
    """Write parts below each other, each under its path."""
    return "\n\n".join(f"{path}:\n{text.strip()}" for path, text in parts)


def split(parts: Sequence[Part], most: int, limit: int, counter: Counter, shrink: Shrink) -> list[Chunk]:
    """Cut parts into at most `most` chunks of at most `limit` tokens, about equally full, in order.

    Each chunk is counted as the one string that it is. What the cutting makes too much is shrunk, never left out
    unseen: callers keep `most * limit` well above the size of the parts.
    """
    units = list(_units(parts, max(1, min(_LONGEST_UNIT, limit // 8))))
    total = counter(render(parts))
    fair = min(limit, round(total / most * _NEARLY) + 8)
    groups = _pack(units, fair, counter)
    if len(groups) > most:
        groups = _pack(units, limit, counter)
    if len(groups) > most:
        groups = [*groups[: most - 1], [unit for group in groups[most - 1 :] for unit in group]]
    return _named([_within(_text(group), limit, counter, shrink) for group in groups], groups)


def preselect(parts: Sequence[Part], capacity: int, counter: Counter, shrink: Shrink) -> list[Part]:
    """Shorten parts to about `capacity` tokens together: small ones stay whole, large ones share what is left."""
    sizes = [counter(text) for _, text in parts]
    labels = counter("\n\n".join(f"{path}:\n" for path, _ in parts))
    quotas = _shares(sizes, max(0, capacity - labels))
    shortened = ((path, shrink(text, quota)) for (path, text), quota in zip(parts, quotas, strict=True) if quota > 0)
    return [(path, text) for path, text in shortened if text.strip()]


def _shares(sizes: Sequence[int], capacity: int) -> list[int]:
    quotas = [0] * len(sizes)
    left = capacity
    for rank, index in enumerate(sorted(range(len(sizes)), key=sizes.__getitem__)):
        quotas[index] = min(sizes[index], left // (len(sizes) - rank))
        left -= quotas[index]
    return quotas


def _units(parts: Sequence[Part], longest: int) -> Iterator[_Unit]:
    for index, (path, text) in enumerate(parts):
        for piece in _sentences(text.strip()):
            for unit in _cut(piece, longest):
                yield _Unit(index, path, unit)


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for boundary in _BOUNDARY.finditer(text):
        yield text[start : boundary.end()]
        start = boundary.end()
    yield text[start:]


def _cut(piece: str, longest: int) -> Iterator[str]:
    # At a space where there is one, so that no number or identifier is torn apart; a line of a megabyte has none.
    start = 0
    while len(piece) - start > longest:
        space = piece.rfind(" ", start + longest // 2, start + longest)
        end = start + longest if space < 0 else space + 1
        yield piece[start:end]
        start = end
    yield piece[start:]


def _pack(units: Sequence[_Unit], limit: int, counter: Counter) -> list[list[_Unit]]:
    ends = list(accumulate(len(unit.text) for unit in units))
    groups: list[list[_Unit]] = []
    start = 0
    while start < len(units):
        read = ends[start - 1] if start else 0
        furthest = bisect_right(ends, read + _MOST_CHARS_PER_TOKEN * limit)
        candidates = range(start + 1, furthest + 1)
        fitting = bisect_right(candidates, limit, key=_size_from(units, start, counter))
        end = start + max(1, fitting)
        groups.append(list(units[start:end]))
        start = end
    return groups


def _size_from(units: Sequence[_Unit], start: int, counter: Counter) -> Callable[[int], int]:
    return lambda end: counter(_text(units[start:end]))


def _text(units: Sequence[_Unit]) -> str:
    runs = (list(run) for _, run in groupby(units, key=lambda unit: unit.part))
    return render([(run[0].path, "".join(unit.text for unit in run)) for run in runs])


def _within(text: str, limit: int, counter: Counter, shrink: Shrink) -> str:
    return text if counter(text) <= limit else shrink(text, limit)


def _named(texts: Sequence[str], groups: Sequence[Sequence[_Unit]]) -> list[Chunk]:
    members = [dict.fromkeys((unit.part, unit.path) for unit in group) for group in groups]
    pieces = Tally(part for group in members for part, _ in group)
    seen: Tally[int] = Tally()
    chunks: list[Chunk] = []
    for text, group in zip(texts, members, strict=True):
        seen.update(part for part, _ in group)
        names = (_name(path, seen[part], pieces[part]) for part, path in group)
        chunks.append(Chunk(text, tuple(names)))
    return chunks


def _name(path: str, piece: int, pieces: int) -> str:
    return path if pieces == 1 else f"{path} ({piece} of {pieces})"
