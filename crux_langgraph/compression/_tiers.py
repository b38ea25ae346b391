"""The tiers of a fit, from the whole to what fits of it."""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, cast

from crux_langgraph.compression import _glancing
from crux_langgraph.compression._accounting import Account
from crux_langgraph.compression._budget import Budget
from crux_langgraph.compression._fitted import Fitted, Tier
from crux_langgraph.compression._glancing import Worth, worth_weighing
from crux_langgraph.compression._lumps import Dump
from crux_langgraph.compression._ranking import Ranking
from crux_langgraph.compression._relevance import Query
from crux_langgraph.compression._rendering import Renderer, unlabelled
from crux_langgraph.compression._selecting import Selection, Selector, with_manifest
from crux_langgraph.compression._sketching import sketch_of
from crux_langgraph.compression._tree import Marked, Tree
from crux_langgraph.compression._turns import Conversation
from crux_langgraph.compression._units import Document, pinned_units
from crux_langgraph.compression._walking import document_of
from crux_langgraph.errors import DoesNotFitError


class Fitting:
    """One fit: the tiers in order, and the first that fits."""

    def __init__(self, tree: Tree, budget: Budget, query: Query) -> None:
        self._tree = tree
        self._budget = budget
        self._query = query
        self._dump = Dump()
        self._raw = self._dump.text(tree.root) if not isinstance(tree.root, str | Conversation) else str(tree.root)
        self._account = Account(tree, budget, self._raw)

    def fit(self) -> Fitted:
        """Give the best tier that fits."""
        verbatim = self._verbatim()
        if verbatim is not None:
            parts = self._account.whole(self._whole, "verbatim", "everything fits as it is")
            return Fitted(verbatim, self._budget.count(verbatim), "verbatim", parts)
        compact = self._compact()
        if compact is not None:
            parts = self._account.whole(self._whole, "compact", "everything fits as labelled lines")
            return Fitted(compact, self._budget.count(compact), "compact", parts)
        return self._extract()

    @cached_property
    def _whole(self) -> Document:
        """The payload, all of it read."""
        return document_of(self._tree.root)

    @cached_property
    def _sketch(self) -> Document:
        """The payload, unread where it is long; what is chosen of it hangs on that, so no budget may decide this."""
        return sketch_of(self._tree.root, self._dump) if self._is_large else self._whole

    @cached_property
    def _asked(self) -> Query:
        return _without_echo(self._query, self._sketch, self._raw)

    @property
    def _is_large(self) -> bool:
        return len(self._raw) > _glancing.SMALLEST

    @cached_property
    def _worth(self) -> Worth:
        room = self._budget.max_tokens * self._account.characters_per_token
        return worth_weighing(self._sketch, self._asked, room, self._budget.max_tokens / self._account.tokens_per_cost)

    def _verbatim(self) -> str | None:
        """Give the payload as it is when that fits and escapes nothing that is pinned."""
        # Where this form does not fit, the indented one does not either: that has only more white space.
        if self._account.is_over or not self._budget.fits(self._raw):
            return None
        text = self._tree.text(indent=2)
        fits = self._budget.fits(text) and all(pin in text for pin in _pinned_texts(self._tree.root))
        return text if fits else None

    def _compact(self) -> str | None:
        """Give the payload as labelled lines when that fits. When what is weighed of it does not, none is written."""
        if not self._sketch.structured or self._is_over():
            return None
        compact = Renderer(self._whole).whole()
        return compact if self._budget.fits(compact) else None

    def _is_over(self) -> bool:
        """Whether what is weighed is too much by itself, without its labels."""
        document, units, _ = self._worth
        text = unlabelled(map(document.rows.__getitem__, units))
        return not self._budget.fits(text) if self._is_large else self._budget.is_plainly_over(text)

    def _extract(self) -> Fitted:
        self._check_pins()
        document = self._worth.document
        ranking = Ranking(self._worth, self._asked)
        selector = Selector(document, Renderer(document), ranking, self._budget)
        names = [part.path for part in document.parts if part.path] + [path for path, _ in self._tree.omitted]
        selection = selector.select(names, self._account.tokens_per_cost)
        parts = self._account.extract(document, selection.shown, _beginning(selection, document))
        left_out = [part.path for part in parts if part.tier == "reference"]
        text = with_manifest(selection.text, left_out, self._budget)
        tier: Tier = "extract" if any(part.tokens_after for part in parts) else "reference"
        return Fitted(text, self._budget.count(text), tier, parts)

    def _check_pins(self) -> None:
        """Raise when what must be shown does not fit."""
        sketch = self._sketch
        units = pinned_units(sketch)
        needed = self._budget.count(Renderer(sketch).chosen(units))
        if needed <= self._budget.max_tokens:
            return
        tokens: dict[str, int] = {}
        for at in units:
            unit = sketch.units[at]
            path = sketch.parts[unit.part].path
            tokens[path] = tokens.get(path, 0) + self._budget.counter(unit.text)
        raise DoesNotFitError(needed_tokens=needed, max_tokens=self._budget.max_tokens, pins=tuple(tokens.items()))


def _beginning(selection: Selection, document: Document) -> tuple[int, str] | None:
    if selection.cut is None:
        return None
    return selection.cut, document.units[selection.cut].text[:1]


def _without_echo(query: Query, document: Document, verbatim: str) -> Query:
    """Drop a task that is a turn of the conversation itself: it says nothing about the receiver."""
    words = query.task.split()
    if not words or not any(line.head for line in document.lines):
        return query
    pattern = re.compile(r"(?:\s|\\n)+".join(map(re.escape, words)))
    return Query("", query.focus, query.receiver) if pattern.search(verbatim) else query


def _pinned_texts(node: Any, *, pinned: bool = False) -> Iterator[str]:
    """Give every string of a tree that must stand in the text byte for byte."""
    if isinstance(node, Marked):
        yield from _pinned_texts(node.value, pinned=pinned or node.marks.pin)
    elif isinstance(node, str):
        if pinned:
            yield node
    elif isinstance(node, Conversation):
        yield from (turn.content for turn in node if pinned)
    elif isinstance(node, dict | list):
        record = isinstance(node, dict)
        for item in cast("dict[str, Any]", node).values() if record else cast("list[Any]", node):
            yield from _pinned_texts(item, pinned=pinned)
