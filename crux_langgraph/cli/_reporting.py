"""The machine readable report of a demo: one JSON document."""

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage

from crux_langgraph import errors
from crux_langgraph.cli._delegating import Called
from crux_langgraph.cli._demo import Outcome
from crux_langgraph.cli._recall import held
from crux_langgraph.cli._triage import Triaged


def report(
    outcomes: Sequence[Outcome],
    *,
    graph: str,
    executor: str,
    max_tokens: int | None,
    called: Sequence[Called],
    triaged: Triaged | None,
) -> dict[str, Any]:
    """Give the report as JSON values: the graph (Mermaid), the settings, a summary, and all that happened in full."""
    failed = sum(outcome.error is not None for outcome in outcomes)
    return {
        "graph": graph,
        "executor": executor,
        "max_tokens": max_tokens,
        "summary": {"conversations": len(outcomes), "failed": failed},
        "conversations": [_conversation(outcome) for outcome in outcomes],
        "delegated": [_called(one) for one in called],
        "triaged": _triaged(triaged) if triaged else None,
    }


def _conversation(outcome: Outcome) -> dict[str, Any]:
    payload = outcome.payload
    return {
        "id": outcome.conversation.id,
        "messages": len(outcome.conversation.messages),
        "error": _error(outcome.error) if outcome.error else None,
        "tokens": _tokens(outcome),
        "needed": _needed(outcome),
        "payload": payload.to_envelope() if payload else None,
        "context": payload.context if payload else None,
        "prompt": [_message(message) for message in outcome.prompt],
        "answer": outcome.answer,
        "durations_s": outcome.durations_s,
    }


def _called(called: Called) -> dict[str, Any]:
    message = called.message
    return {"arguments": called.call["args"], "status": message.status, "content": message.text}


def _triaged(triaged: Triaged) -> dict[str, Any]:
    return {
        "calls": [{"tool": call["name"], "arguments": call["args"]} for call in triaged.calls],
        "answers": [_message(answer) for answer in triaged.answers],
        "received": {desk: payload.to_envelope() for desk, payload in triaged.received.items()},
    }


def _error(error: Exception) -> dict[str, Any]:
    layer = error.layer if isinstance(error, errors.HandoffError) else "model"
    return {"layer": layer, "type": type(error).__name__, "message": str(error)}


def _tokens(outcome: Outcome) -> dict[str, int | None]:
    if outcome.payload:
        return {"before": outcome.payload.receipt.input_tokens, "after": outcome.payload.receipt.context_tokens}
    needed = outcome.error.needed_tokens if isinstance(outcome.error, errors.BudgetError) else None
    return {"before": None, "after": needed}


def _needed(outcome: Outcome) -> dict[str, Any]:
    needed = outcome.conversation.needed
    return {"values": list(needed), "held": held(needed, outcome.payload.context if outcome.payload else "")}


def _message(message: BaseMessage) -> dict[str, str]:
    return {"type": message.type, "content": message.text}
