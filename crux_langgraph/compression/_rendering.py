"""From the units that are shown to text: in document order, with `…` where something is left out."""

from collections.abc import Collection, Iterable, Sequence
from itertools import accumulate, chain, islice
from operator import itemgetter

from crux_langgraph.compression._speech import tidy
from crux_langgraph.compression._units import GLUE, KIND, TEXT, Document, Row, Unit

GAP = "…"


class Renderer:
    """Renders any choice of a document's units."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._voids = _running_voids(document.rows)
        self._tidied: dict[int, str] = {}
        self._texts: dict[tuple[int, ...], str] = {}

    def whole(self) -> str:
        """Render everything, also what says that nothing is there."""
        return self._joined(range(len(self._document.rows)))

    def chosen(self, shown: Collection[int]) -> str:
        """Render some units, with what they need to be understood. The same choice is often asked for again."""
        closed = tuple(self.closed(shown))
        text = self._texts.get(closed)
        if text is None:
            text = self._texts[closed] = self._joined(closed)
        return text

    def closed(self, shown: Collection[int]) -> list[int]:
        """Add the calls whose results are shown, and put all in the order of the document."""
        needs = self._document.needs
        return sorted({*shown, *(needs[at] for at in shown if at in needs)}) if needs else sorted(shown)

    def _joined(self, shown: Sequence[int]) -> str:
        out: list[str] = []
        units, size = self._document.units, len(self._document.rows)
        stubs = self._stubs(shown)
        last: Unit | None = None
        start = 0
        for at in sorted({*shown, *stubs}) if stubs else shown:
            unit = units[at]
            skipped = start < at and self._skips(start, at)
            out.append(self._opening(unit, last, skipped=skipped))
            out.append(GAP if at in stubs else unit.text if unit.kind != "speech" else self._tidy(at))
            last, start = unit, at + 1
        if last is not None and start - 1 not in stubs and self._skips(start, size):
            out.append(f"{self._before_gap(last)}{GAP}")
        return "".join(out)

    def _opening(self, unit: Unit, last: Unit | None, *, skipped: bool) -> str:
        """Give what stands between two shown units: glue, or a new line with its head and label."""
        lines = self._document.lines
        head = lines[unit.line].head
        if last is None:
            return self._fresh(unit, skipped=skipped, head=head)
        same_line = last.line == unit.line
        if unit.kind == "speech" and lines[last.line].head == head:
            return f" {GAP} " if skipped else " "
        if same_line and last.label == unit.label:
            if not skipped:
                return unit.glue
            return f"\n{GAP} " if unit.kind == "row" else f"{self._before_gap(last)}{GAP} "
        return "\n" + self._fresh(unit, skipped=skipped, head="" if same_line else head)

    def _before_gap(self, last: Unit) -> str:
        # Behind what is pinned the mark starts a line: beside it, it reads as if the pin were cut.
        return "\n" if self._document.parts[last.part].pinned else " "

    def _fresh(self, unit: Unit, *, skipped: bool, head: str) -> str:
        return f"{GAP} " * skipped + (f"{head} " if head else "") + unit.label

    def _tidy(self, at: int) -> str:
        if at not in self._tidied:
            self._tidied[at] = tidy(self._document.units[at].text)
        return self._tidied[at]

    def _skips(self, start: int, stop: int) -> bool:
        """Whether anything that says something stands from `start` to before `stop`."""
        return self._voids[stop] - self._voids[start] < stop - start

    def _stubs(self, shown: Sequence[int]) -> set[int]:
        """Give the first unit of each result of which nothing is shown although its call is."""
        results, units = self._document.results, self._document.units
        if not results:
            return set()
        lines = {units[at].line for at in shown}
        firsts = (results[at] for at in shown if at in results)
        return {first for first in firsts if units[first].line not in lines and units[first].kind != "void"}


def unlabelled(rows: Iterable[Row]) -> str:
    """Give units as they are rendered, with what parts neighbours but without heads and labels."""
    shown = ((row[GLUE], row[TEXT]) if row[KIND] != "speech" else (" ", tidy(row[TEXT])) for row in rows)
    return "".join(islice(chain.from_iterable(shown), 1, None))


def _running_voids(rows: Sequence[Row]) -> list[int]:
    """Count the void units before each position, so that a gap is known without looking into it."""
    kinds = list(map(itemgetter(KIND), rows))
    if "void" not in kinds:
        return [0] * (len(rows) + 1)
    return list(accumulate((kind == "void" for kind in kinds), initial=0))
