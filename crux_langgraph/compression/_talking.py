"""From messages to units: who speaks, what is said, which calls are made, and which result answers which call."""

from collections import deque
from typing import Any, Protocol, cast

from crux_langgraph.compression._scalars import key, scalar
from crux_langgraph.compression._turns import Call, Conversation, Turn
from crux_langgraph.compression._units import Document, Kind

_FEWEST_SPOKEN = 20
_LONGEST_SPOKEN = 400
_LONGEST_ARGUMENT = 200
_MOST_WAITING = 64


class Walking(Protocol):
    """What walks the contents of messages."""

    def held(self, text: str) -> Any:
        """Give what a text holds as JSON; None when it holds none."""
        ...

    def value(self, node: Any, label: str, part: int) -> None:
        """Walk a value under a label into a part."""
        ...

    def prose(self, text: str, label: str, part: int, kind: Kind) -> None:
        """Walk a text under a label into a part, as units of a kind."""
        ...


class Talk:
    """Fills a document with the messages of one conversation."""

    def __init__(self, document: Document, part: int, walker: Walking) -> None:
        self._document = document
        self._part = part
        self._walker = walker
        self._waiting: deque[tuple[str | None, int]] = deque(maxlen=_MOST_WAITING)

    def add(self, turns: Conversation, label: str) -> None:
        """Add all messages, each on a line of its own."""
        pinned = self._document.parts[self._part].pinned
        held = [None if pinned else self._walker.held(turn.content) for turn in turns]
        structured = any(turn.calls for turn in turns) or any(value is not None for value in held)
        spoken = not (pinned or structured) and _is_spoken(turns)
        self._document.structured |= structured
        self._document.spoken |= spoken
        for turn, value in zip(turns, held, strict=True):
            self._document.open(f"{label}{turn.name}:", from_user=turn.from_user)
            self._say(turn, value, "speech" if spoken else "prose")

    def _say(self, turn: Turn, held: Any, kind: Kind) -> None:
        document = self._document
        first = len(document.rows)
        if held is not None:
            self._walker.value(held, "", self._part)
        else:
            self._walker.prose(turn.content, "", self._part, kind)
        if turn.is_result:
            self._bind(turn, first)
        for call in turn.calls:
            self._waiting.append((call.id, len(document.rows)))
            self._call(call)
        if len(document.rows) == first:
            document.add("", "\n", "", self._part, "void")

    def _call(self, call: Call) -> None:
        """Add a call: short arguments beside its name, long ones below it."""
        args = _named(call.args)
        short = {name: value for name, value in args.items() if _is_short(value)}
        self._document.keys.update(args)
        shown = ", ".join(f"{key(name)}={scalar(value)}" if name else scalar(value) for name, value in short.items())
        self._document.add(f"-> {call.name}({shown})", "\n", "", self._part, "call")
        anchor = len(self._document.rows) - 1
        for name, value in args.items():
            if name not in short:
                self._walker.value(value, f"-> {call.name}({key(name)})", self._part)
        self._document.needs.update(dict.fromkeys(range(anchor + 1, len(self._document.rows)), anchor))

    def _bind(self, turn: Turn, first: int) -> None:
        """Tie a result to its call: the one with its id, else the first that is not answered yet."""
        matching = [entry for entry in self._waiting if turn.answers is not None and entry[0] == turn.answers]
        if not self._waiting or (turn.answers is not None and not matching and self._waiting[0][0] is not None):
            return
        entry = matching[0] if matching else self._waiting[0]
        self._waiting.remove(entry)
        document = self._document
        if first < len(document.rows):
            document.results[entry[1]] = first
        for at in range(first, len(document.rows)):
            document.needs[at] = entry[1]


def _is_spoken(turns: Conversation) -> bool:
    return len(turns) >= _FEWEST_SPOKEN and sum(len(turn.content) for turn in turns) < _LONGEST_SPOKEN * len(turns)


def _named(args: Any) -> dict[str, Any]:
    """Give arguments by name; what is no mapping has none."""
    if not isinstance(args, dict):
        return {"": args}
    return {str(name): value for name, value in cast("dict[Any, Any]", args).items()}


def _is_short(value: Any) -> bool:
    return (
        value is None or isinstance(value, int | float) or (isinstance(value, str) and len(value) <= _LONGEST_ARGUMENT)
    )
