"""The parts of a payload and the units that selection keeps or leaves."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

Kind = Literal["scalar", "row", "call", "prose", "speech", "void", "unread"]
"""What a unit is: it decides how much facts and how much words count in it. A void unit says that nothing is there.

An unread one stands for the units that are made of it when it is read, and is never shown.
"""


class Unit(NamedTuple):
    """The smallest thing that is shown or not.

    `label` (say `address.`) opens its first unit on every line of output, `glue` parts the unit from the one before
    when that is shown too. `line` is the index of the message it belongs to.
    """

    text: str
    glue: str
    label: str
    line: int
    part: int
    kind: Kind


Row = tuple[str, str, str, int, int, Kind]
"""A unit's fields. Thousands are kept that are never asked for; the garbage collector lets go of plain tuples at once."""

TEXT: Final = 0
GLUE: Final = 1
LABEL: Final = 2
LINE: Final = 3
PART: Final = 4
KIND: Final = 5
"""Where in a row these fields stand."""

Reading = tuple[Callable[..., None], tuple[Any, ...]]
"""How an unread unit is read: a method of a walker, and its arguments."""


class Units(dict[int, Unit]):
    """The units by their place, each made when it is asked for."""

    def __init__(self, rows: list[Row]) -> None:
        super().__init__()
        self._rows = rows

    def __missing__(self, at: int) -> Unit:
        unit = self[at] = Unit(*self._rows[at])
        return unit


class Line(NamedTuple):
    """What a message opens with; everything that belongs to no message is on lines without a head."""

    head: str
    from_user: bool = False


@dataclass(slots=True)
class Part:
    """A field of the payload, or all of it: the receipt has one entry for each."""

    path: str
    sources: list[object]
    """What stands at the path: more than one value where it leads through a list."""
    pinned: bool = False
    weight: float = 1.0
    order: Literal["first", "last"] | None = None


@dataclass(slots=True)
class Document:
    """A payload cut into units, in its own order."""

    parts: list[Part] = field(default_factory=list[Part])
    lines: list[Line] = field(default_factory=list[Line])
    rows: list[Row] = field(default_factory=list[Row])
    units: Units = field(init=False)
    needs: dict[int, int] = field(default_factory=dict[int, int])
    """The unit without which another is not shown: a tool's result needs the call that it answers."""
    results: dict[int, int] = field(default_factory=dict[int, int])
    """The first unit of the result that a call got, by the call's unit."""
    keys: set[str] = field(default_factory=set[str])
    """The names of fields in data: they say nothing that the next record does not say again."""
    unread: dict[int, Reading] = field(default_factory=dict[int, Reading])
    """How each unread unit is read."""
    line: int = -1
    """The line to which is added."""
    structured: bool = False
    """Whether any of it is data and not prose."""
    spoken: bool = False
    """Whether it is a transcript of people talking."""

    def __post_init__(self) -> None:
        self.units = Units(self.rows)

    def open(self, head: str, *, from_user: bool = False) -> None:
        """Begin a line: what is added from now on belongs to it."""
        self.line = len(self.lines)
        self.lines.append(Line(head, from_user))

    def add(self, text: str, glue: str, label: str, part: int, kind: Kind) -> None:
        """Append a unit to the current line."""
        self.rows.append((text, glue, label, self.line, part, kind))

    def defer(self, text: str, part: int, reading: Reading) -> None:
        """Append to the current line what is not read yet; of `text` it is seen whether it is worth that."""
        self.unread[len(self.rows)] = reading
        self.rows.append((text, "", "", self.line, part, "unread"))


def pinned_units(document: Document) -> list[int]:
    """Give the units that are always shown."""
    pinned = {number for number, part in enumerate(document.parts) if part.pinned}
    return [at for at, row in enumerate(document.rows) if row[PART] in pinned] if pinned else []
