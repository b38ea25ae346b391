"""What works and is probably not meant: findings of level `warning`, which `check` tells and no build refuses.

Codes of findings:
    no-budget          an agent receives payloads of any size: the handoff has no `max_tokens`
    never-read         the receiving agent never reads what it is handed
    no-receiver        nothing runs after the handoff, so nobody receives what it sends
"""

from collections.abc import Iterator
from typing import Any

from crux_langgraph._payload import HANDOFFS_KEY
from crux_langgraph.errors import Finding
from crux_langgraph.graph._agents import Agent, agent_of
from crux_langgraph.graph._builder import Builder
from crux_langgraph.graph._placement import Placement


def advice(view: Builder, placement: Placement) -> Iterator[Finding]:
    """Give what is probably not meant about one placement."""
    receiver = agent_of(view, placement.target) if placement.target else None
    if receiver is not None:
        yield from _budget(placement, receiver)
        yield from _reading(placement, receiver)
    if placement.target is None and not placement.goes_by_command and not _leads_on(view, placement.name):
        yield _warning("no-receiver", placement, "no edge leads on from it; give target= the node that receives it.")


def _budget(placement: Placement, receiver: Agent) -> Iterator[Finding]:
    limited = any(
        _receives(one, placement) and getattr(one, "max_tokens", None) is not None for one in receiver.middleware
    )
    if placement.handoff.max_tokens is None and not limited:
        yield _warning(
            "no-budget",
            placement,
            f"the agent {placement.target!r} is sent payloads of any size; give the handoff max_tokens=.",
        )


def _reading(placement: Placement, receiver: Agent) -> Iterator[Finding]:
    if placement.write is not None:
        return
    contexts = [one for one in receiver.middleware if hasattr(one, "handoffs")]
    reads = any(_receives(one, placement) for one in contexts) if contexts else HANDOFFS_KEY in receiver.input_keys
    if not reads:
        yield _warning(
            "never-read",
            placement,
            f"the agent {placement.target!r} never reads it; give the agent HandoffContext of this handoff, from "
            "crux_langgraph.middleware, or the handoff write='messages'.",
        )


def _receives(middleware: Any, placement: Placement) -> bool:
    return any(one.id == placement.handoff.id for one in getattr(middleware, "handoffs", ()))


def _leads_on(view: Builder, node: str) -> bool:
    joined = any(node in sources for sources, _ in view.joins())
    return bool(view.plain_ends(node)) or joined or any(True for _ in view.branch_ends(node))


def _warning(code: str, placement: Placement, message: str) -> Finding:
    return Finding(code, placement.name, message, "warning")
