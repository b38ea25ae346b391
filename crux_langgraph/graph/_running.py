"""What the handoff nodes of one graph remember of its current run, in a channel of their own that no state declares.

It says whether a record in the state was made since the user last spoke: a path of hops, and the attempts of a repair,
begin anew with each turn. It is kept over interrupts and over a kill, and ends with the run.
"""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, cast

from langgraph.channels import BinaryOperatorAggregate

from crux_langgraph.graph._shape import as_mapping

MESSAGES_KEY = "messages"

RUN_KEY = "handoff_run"
"""By handoff node: what it remembers, an empty mapping when nothing."""

_OURS = "ho-"
"""How the ids of messages begin that a handoff node wrote."""


class _UntilEnd(BinaryOperatorAggregate[Any]):
    """Keeps merged values until the graph has nothing more to do, which LangGraph tells each channel by `finish`."""

    def finish(self) -> bool:
        """Forget all; True when there was something."""
        held = self.is_available() and bool(self.value)
        if held:
            self.value = _nothing()  # and not no value at all, for which LangGraph would read back the thread's history
        return held


def _nothing() -> dict[str, Any]:
    return {}


def _merge(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    return {**left, **right}


RunNotes = Annotated[dict[str, Any], _UntilEnd(cast("type[Any]", Any), _merge)]
"""The channel. LangGraph adds it to a graph when a node's own schema names it."""


def needs_notes(state_keys: Collection[str], *, repairs: bool) -> bool:
    """Say whether a handoff node must remember: to repair, or where no message of the user's tells one turn from another."""
    return repairs or MESSAGES_KEY not in state_keys


def notes_in(state: object) -> Mapping[str, Any]:
    """Give what the handoff nodes of this run remember, by node; empty when none of them has, or none needs to."""
    notes: object = as_mapping(state).get(RUN_KEY)
    return cast("Mapping[str, Any]", notes) if isinstance(notes, Mapping) else {}


def last_said(state: object) -> str | None:
    """Give the id of the user's last message; None when the state has none. Messages of handoff nodes do not count."""
    messages: object = as_mapping(state).get(MESSAGES_KEY)
    if not isinstance(messages, list):
        return None
    for message in reversed(cast("list[Any]", messages)):
        found = getattr(message, "id", None)
        if getattr(message, "type", None) == "human" and not str(found).startswith(_OURS):
            return found
    return None
