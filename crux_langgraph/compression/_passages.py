"""The prose of a payload apart from the rest: what a model may write shorter, and what none is given to rewrite."""

from typing import Any, NamedTuple, cast

from crux_langgraph.compression._tree import Marked, Tree, read
from crux_langgraph.compression._turns import Conversation

_LONG = 200
_TAKEN = object()


class Passage(NamedTuple):
    """A text that a model may write shorter, and where it stands: `pages[2].body`, empty for a payload that is a text."""

    path: str
    text: str


class Prose(NamedTuple):
    """The passages of a payload in document order, and the payload without them."""

    passages: tuple[Passage, ...]
    rest: Tree


def prose_of(value: object) -> Prose:
    """Take every string of more than 200 characters out of a payload, and its conversations, each as one text.

    `Fit(summarize=True)` takes shorter strings too, and `Fit(summarize=False)` none, of the field and of all in it
    that does not say otherwise. What is pinned, omitted or private is never taken.
    """
    tree = read(value)
    taking = _Taking()
    rest = taking.rest(tree.root, "", None)
    return Prose(tuple(taking.passages), Tree({} if rest is _TAKEN else rest, tree.omitted))


class _Taking:
    def __init__(self) -> None:
        self.passages: list[Passage] = []

    def rest(self, node: Any, path: str, wanted: bool | None) -> Any:
        """Give the node without its passages; `_TAKEN` when nothing is left of it."""
        if isinstance(node, Marked):
            return self._marked(node, path, wanted)
        if isinstance(node, str | Conversation):
            return self._text(node, path, wanted)
        if isinstance(node, dict):
            return self._record(cast("dict[str, Any]", node), path, wanted)
        return self._list(cast("list[Any]", node), path, wanted) if isinstance(node, list) else node

    def _marked(self, node: Marked, path: str, wanted: bool | None) -> Any:
        if node.marks.pin:
            return node
        own = node.marks.summarize
        left = self.rest(node.value, path, wanted if own is None else own)
        return left if left is _TAKEN else Marked(left, node.marks)

    def _text(self, node: str | Conversation, path: str, wanted: bool | None) -> Any:
        text = str(node)
        if not _is_passage(text, wanted):
            return node
        self.passages.append(Passage(path, text))
        return _TAKEN

    def _record(self, record: dict[str, Any], path: str, wanted: bool | None) -> Any:
        left = {name: self.rest(item, f"{path}.{name}" if path else name, wanted) for name, item in record.items()}
        kept = {name: item for name, item in left.items() if item is not _TAKEN}
        return kept or (_TAKEN if record else record)

    def _list(self, items: list[Any], path: str, wanted: bool | None) -> Any:
        if items and all(isinstance(item, str) and _is_passage(item, wanted) for item in items):
            return self._text("\n".join(items), path, wanted)
        left = [self.rest(item, f"{path}[{at}]", wanted) for at, item in enumerate(items)]
        kept = [item for item in left if item is not _TAKEN]
        return kept or (_TAKEN if items else items)


def _is_passage(text: str, wanted: bool | None) -> bool:
    return wanted is not False and bool(text.strip()) and (wanted is True or len(text) > _LONG)
