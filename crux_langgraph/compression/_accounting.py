"""The account of a fit: for every part its tokens before and after, and why."""

from collections import Counter
from collections.abc import Collection, Iterable
from operator import itemgetter

from crux_langgraph.compression._budget import Budget
from crux_langgraph.compression._counting import weigh
from crux_langgraph.compression._fitted import FittedPart, Tier
from crux_langgraph.compression._tree import Tree, as_json
from crux_langgraph.compression._turns import Conversation
from crux_langgraph.compression._units import Document

_SAMPLE = 20_000
_LIKELY = (0.1, 3.0)


class Account:
    """Accounts for the parts of one payload, by one budget's counter."""

    def __init__(self, tree: Tree, document: Document, budget: Budget, raw: str) -> None:
        self._tree = tree
        self._document = document
        self._budget = budget
        self._raw = raw
        sample = raw[:_SAMPLE]
        counted = max(1, budget.counter(sample))
        ratio = counted / max(1.0, weigh(sample))
        self.tokens_per_cost = min(_LIKELY[1], max(_LIKELY[0], ratio))
        """Tokens by the counter for one token of the estimate, measured on the beginning of the payload."""
        self.characters_per_token = len(sample) / counted
        """Measured on the same beginning."""
        voids = Counter(row[4] for row in document.rows if row[5] == "void")
        units = Counter(map(itemgetter(4), document.rows))
        self._saying: dict[int, int] = {part: count - voids[part] for part, count in units.items()}
        """How many units every part has but those that only say that nothing is there: that is no content."""

    def whole(self, tier: Tier, reason: str) -> tuple[FittedPart, ...]:
        """Account for a payload that is shown in full."""
        entries: list[FittedPart] = []
        saying = self._by_part(range(len(self._document.rows)))
        for number in self._saying:
            part = self._document.parts[number]
            before = sum(map(self._tokens, part.sources))
            after = before if tier == "verbatim" else self._count(self._shown_text(saying.get(number, [])))
            entries.append(FittedPart(part.path, before, after, tier, reason))
        return (*entries, *self._omitted())

    def extract(self, shown: Collection[int], cut: tuple[int, str] | None) -> tuple[FittedPart, ...]:
        """Account for a selection; `cut` is a unit of which only this beginning is shown."""
        chosen = self._by_part(sorted(shown))
        return (*(self._extracted(number, chosen.get(number, []), cut) for number in self._saying), *self._omitted())

    def _by_part(self, units: Iterable[int]) -> dict[int, list[int]]:
        """Give those units that say something, by the number of their part."""
        rows = self._document.rows
        found: dict[int, list[int]] = {}
        for at in units:
            if rows[at][5] != "void":
                found.setdefault(rows[at][4], []).append(at)
        return found

    def _extracted(self, number: int, units: list[int], cut: tuple[int, str] | None) -> FittedPart:
        part = self._document.parts[number]
        saying = self._saying[number]
        beginning = cut[1] if cut is not None and self._document.units[cut[0]].part == number else ""
        after = self._count(self._shown_text(units) or beginning)
        tier, reason = _verdict(len(units), saying, pinned=part.pinned, begun=bool(beginning))
        return FittedPart(part.path, sum(map(self._tokens, part.sources)), after, tier, reason)

    def _omitted(self) -> list[FittedPart]:
        sizes: dict[str, int] = {}
        for path, text in self._tree.omitted:
            sizes[path] = sizes.get(path, 0) + self._count(text)
        return [FittedPart(path, size, 0, "reference", "declared Omit()") for path, size in sizes.items()]

    def _shown_text(self, units: Collection[int]) -> str:
        return "\n".join(self._document.units[at].text for at in units)

    def _tokens(self, source: object) -> int:
        if source is self._tree.root:
            return self._count(self._raw)
        return self._count(str(source) if isinstance(source, str | Conversation) else as_json(source))

    def _count(self, text: str) -> int:
        if not text:
            return 0
        return self._budget.counter(text) if len(text) <= _SAMPLE else round(weigh(text) * self.tokens_per_cost)


def _verdict(shown: int, saying: int, *, pinned: bool, begun: bool) -> tuple[Tier, str]:
    if pinned:
        return "verbatim", "pinned"
    if not saying:
        return "compact", "empty"
    if shown == saying:
        return "compact", "all of it fits"
    if shown:
        return "extract", f"{shown} of {saying} pieces fit"
    return ("extract", "the beginning of one piece fits") if begun else ("reference", "nothing of it fits")
