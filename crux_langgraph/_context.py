"""Context: a piece of text for a prompt, with a name and a priority."""

from dataclasses import dataclass

DEFAULT_PRIORITY = 80


@dataclass(frozen=True, slots=True)
class Context:
    """Text for a receiving agent's prompt.

    `id` says what it is (`handoff:<id>` for a payload), `priority` how much it matters beside other contexts (0-100,
    higher matters more), `text` is the exact string to inject, frame and fence included.
    """

    id: str
    text: str
    priority: int = DEFAULT_PRIORITY

    def __str__(self) -> str:
        return self.text
