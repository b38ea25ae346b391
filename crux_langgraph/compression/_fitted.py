"""What a fit answers: the text, and an account of what became of every part."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Tier = Literal["verbatim", "compact", "summary", "extract", "reference"]
"""How much is shown: as it is, without loss in fewer tokens, written shorter by a model, in part, or only by name."""

CUT: frozenset[Tier] = frozenset({"summary", "extract", "reference"})
"""The tiers in which something is not shown in full."""


class FittedPart(NamedTuple):
    """What became of one field: its tokens before and after by the fit's counter, and why.

    `path` is dotted, with `[]` for the items of a list; it is empty for a payload without fields. The tokens before of
    a large part are estimated from a sample.
    """

    path: str
    tokens_before: int
    tokens_after: int
    tier: Tier
    reason: str


@dataclass(frozen=True, slots=True)
class Fitted:
    """A text within its budget. `tokens` counts it as it will be sent, with whatever is wrapped around it."""

    text: str
    tokens: int
    tier: Tier
    parts: tuple[FittedPart, ...]

    @property
    def omitted(self) -> tuple[str, ...]:
        """The paths that are not fully shown."""
        return tuple(part.path for part in self.parts if part.tier in CUT)
