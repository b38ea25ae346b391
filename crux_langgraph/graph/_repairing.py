"""Repair: sending the producing agent back with what is wrong, in bounds, when what it produced does not fit."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from langchain_core.messages import HumanMessage
from langgraph.types import Command
from pydantic_core import to_json

from crux_langgraph._contract import EndlessError, refuse_endless
from crux_langgraph._waiting import Way
from crux_langgraph.errors import InputError, RepairError
from crux_langgraph.graph._running import MESSAGES_KEY, RUN_KEY, last_said, notes_in
from crux_langgraph.instrumentation import repairing


class Repair(NamedTuple):
    """What happens when agent A's output is not a valid input: A is sent back, at most `max_attempts` times a turn.

    A gets the fields that do not fit as a human message. It is not sent back when it produced the same as before. After
    that `fallback`, the name of a node, runs in the target's place and is told as well; None raises `RepairError`.
    """

    max_attempts: int = 2
    fallback: str | None = None


class Attempts(NamedTuple):
    """What one handoff node remembers of a repair: how often it sent back, and what it was given, as digests."""

    said: str | None
    seen: tuple[str, ...]

    @classmethod
    def read(cls, state: Any, node: str) -> "Attempts":
        """Give what is remembered since the user last spoke."""
        said = last_said(state)
        note: Mapping[str, Any] = notes_in(state).get(node) or {}
        return cls(said, tuple(note.get("seen", ())) if note.get("said") == said else ())


class Sent(NamedTuple):
    """What did not fit: which node found it, who produced it, a stable name of this failure, and what its run says.

    By the name a replay writes the same message again.
    """

    node: str
    source: str
    key: str
    facts: Mapping[str, Any]


async def repair(way: Way, options: Repair, error: InputError, value: object, state: Any, sent: Sent) -> Any:
    """Give the `Command` that sends the producer back, or on to the fallback; or raise `RepairError`.

    Each time that the producer is sent back is a run, `handoff:repair`, beside that of the preparation that failed.
    """
    attempts = Attempts.read(state, sent.node)
    digest = _digest(value)
    repeated = digest in attempts.seen
    if not repeated and len(attempts.seen) < options.max_attempts:
        note = {"said": attempts.said, "seen": [*attempts.seen, digest]}
        told = _told(error, "Produce it again, with every field as described.")
        async with repairing(way, sent.facts, len(attempts.seen) + 1, lambda: _wrong(error)) as run:
            run.end(lambda: {"sent_back_to": sent.source})
        return _command(sent.node, note, f"{sent.key}-repair", told, sent.source)
    if options.fallback is not None:
        told = _told(error, "Take over from here.")
        return _command(sent.node, {}, f"{sent.key}-fallback", told, options.fallback)
    raise _given_up(error, len(attempts.seen), repeated=repeated) from None


def _digest(value: object) -> str:
    try:
        refuse_endless(value)
    except EndlessError as error:  # it has no text: one such is like the other
        return sha256(str(error).encode()).hexdigest()
    return sha256(to_json(value, fallback=repr, inf_nan_mode="constants")).hexdigest()


def _command(node: str, note: Mapping[str, Any], message_id: str, told: str, goto: str) -> Any:
    message = HumanMessage(told, id=message_id)
    return Command(update={MESSAGES_KEY: [message], RUN_KEY: {node: note}}, goto=goto)


def _wrong(error: InputError) -> Mapping[str, Any]:
    return {"found": error.found, "problems": list(map(str, error.problems))}


def _told(error: InputError, end: str) -> str:
    lines = [f"Handoff {error.handoff}: {error.found}.", *(f"- {problem}" for problem in error.problems), end]
    return "\n".join(lines)


def _given_up(error: InputError, attempts: int, *, repeated: bool) -> RepairError:
    again = ", and the same came again" if repeated else ""
    return RepairError(
        handoff=error.handoff,
        found=f"{error.found} (the producing agent was sent back {attempts} times{again})",
        fix="Mend the agent that produces it, or give Repair a fallback= node. Nothing was handed over.",
        problems=error.problems,
        original=error.original,
        attempts=attempts,
        repeated=repeated,
    )
