"""The account of a fit: for every part its tokens before and after, and why."""

from collections import Counter
from collections.abc import Collection, Iterable
from operator import itemgetter
from typing import NamedTuple

from crux_langgraph.compression._budget import Budget
from crux_langgraph.compression._counting import count_and_weigh, weigh
from crux_langgraph.compression._fitted import FittedPart, Tier
from crux_langgraph.compression._tree import Tree, as_json
from crux_langgraph.compression._turns import Conversation
from crux_langgraph.compression._units import KIND, PART, TEXT, Document

_SAMPLE = 20_000
_LIKELY = (0.1, 3.0)


class Account:
    """Accounts for the parts of one payload, by one budget's counter."""

    def __init__(self, tree: Tree, budget: Budget, raw: str) -> None:
        self._tree = tree
        self._budget = budget
        self._raw = raw
        sample = raw[:_SAMPLE]
        found, self._weight = count_and_weigh(budget.counter, sample)
        counted = max(1, found)
        ratio = counted / max(1.0, self._weight)
        self.tokens_per_cost = min(_LIKELY[1], max(_LIKELY[0], ratio))
        """Tokens by the counter for one token of the estimate, measured on the beginning of the payload."""
        self.characters_per_token = len(sample) / counted
        """Measured on the same beginning."""
        self.is_over = counted > budget.max_tokens
        """Whether that beginning alone is over the budget."""

    def whole(self, document: Document, tier: Tier, reason: str) -> tuple[FittedPart, ...]:
        """Account for a payload that is shown in full."""
        entries: list[FittedPart] = []
        for number, units in _by_part(document, range(len(document.rows))).items():
            part = document.parts[number]
            before = sum(map(self._tokens, part.sources))
            after = before if tier == "verbatim" else self._count(_shown_text(document, units))
            entries.append(FittedPart(part.path, before, after, tier, reason))
        return (*entries, *self._omitted())

    def extract(
        self, document: Document, shown: Collection[int], cut: tuple[int, str] | None
    ) -> tuple[FittedPart, ...]:
        """Account for a selection; `cut` is a unit of which only this beginning is shown."""
        tallies = _tallies(document)
        chosen = _by_part(document, sorted(shown))
        begun = None if cut is None else document.rows[cut[0]][PART]
        entries: list[FittedPart] = []
        for number, tally in tallies.items():
            part, units = document.parts[number], chosen.get(number, [])
            beginning = cut[1] if cut is not None and begun == number else ""
            after = self._count(_shown_text(document, units) or beginning)
            tier, reason = _verdict(len(units), tally, pinned=part.pinned, begun=bool(beginning))
            entries.append(FittedPart(part.path, sum(map(self._tokens, part.sources)), after, tier, reason))
        return (*entries, *self._omitted())

    def _omitted(self) -> list[FittedPart]:
        sizes: dict[str, int] = {}
        for path, text in self._tree.omitted:
            sizes[path] = sizes.get(path, 0) + self._count(text)
        return [FittedPart(path, size, 0, "reference", "declared Omit()") for path, size in sizes.items()]

    def _tokens(self, source: object) -> int:
        if source is self._tree.root:
            behind = self._raw[_SAMPLE:]
            weight = self._weight + weigh(behind)
            return round(weight * self.tokens_per_cost) if behind else self._count(self._raw)
        return self._count(str(source) if isinstance(source, str | Conversation) else as_json(source))

    def _count(self, text: str) -> int:
        if not text:
            return 0
        return self._budget.counter(text) if len(text) <= _SAMPLE else round(weigh(text) * self.tokens_per_cost)


class _Tally(NamedTuple):
    """How many units of a part say something, and whether some of them are unread and may hold several."""

    saying: int
    unread: bool


def _tallies(document: Document) -> dict[int, _Tally]:
    """Count the units of every part but those that only say that nothing is there: that is no content."""
    kinds = Counter(map(itemgetter(PART, KIND), document.rows))
    saying = dict.fromkeys((part for part, _ in kinds), 0)
    for (part, kind), count in kinds.items():
        saying[part] += count if kind != "void" else 0
    return {part: _Tally(count, (part, "unread") in kinds) for part, count in saying.items()}


def _by_part(document: Document, units: Iterable[int]) -> dict[int, list[int]]:
    """Give those units that say something, by the number of their part."""
    rows = document.rows
    found: dict[int, list[int]] = {}
    for at in units:
        members = found.setdefault(rows[at][PART], [])
        if rows[at][KIND] != "void":
            members.append(at)
    return found


def _shown_text(document: Document, units: Collection[int]) -> str:
    return "\n".join(document.rows[at][TEXT] for at in units)


def _verdict(shown: int, tally: _Tally, *, pinned: bool, begun: bool) -> tuple[Tier, str]:
    if pinned:
        return "verbatim", "pinned"
    if not tally.saying:
        return "compact", "empty"
    if shown == tally.saying:
        return "compact", "all of it fits"
    if shown:
        return "extract", f"{shown} pieces of it fit" if tally.unread else f"{shown} of {tally.saying} pieces fit"
    return ("extract", "the beginning of one piece fits") if begun else ("reference", "nothing of it fits")
