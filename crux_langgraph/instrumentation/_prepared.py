"""The run of one crossing: what came in, what went out, and the facts that LangSmith filters by."""

import sys
from functools import cache, partial
from typing import Any, Literal

from pydantic import BaseModel

from crux_langgraph._contract import Contract
from crux_langgraph._payload import Payload
from crux_langgraph._receipt import Receipt
from crux_langgraph.instrumentation._recording import End, Facts
from crux_langgraph.instrumentation._views import rough_bytes

Mode = Literal["transfer", "await"]
"""Whether control goes on to the target, or the source waits for what it asked for."""

ALL_MEASURED = 262_144
"""Bytes up to which everything is measured for the run alone; above, what would take longer than the crossing is not."""


def identity(handoff: str, from_agent: str | None, to_agent: str | None, mode: Mode) -> Facts:
    """Give what is known of a crossing before it begins."""
    named = {"crux_from_agent": from_agent, "crux_to_agent": to_agent}
    return {"crux_handoff_id": handoff, **{k: v for k, v in named.items() if v is not None}, "crux_mode": mode}


class Prepared:
    """What the run of one crossing shows, each part made when it is first asked for."""

    def __init__(self, contract: Contract[Any], given: BaseModel) -> None:
        """Take the input, checked by its contract."""
        self._given = cache(partial(contract.shown, given))

    def input(self) -> Facts:
        """Give what came in."""
        return {"input": self._given()}

    def ends(self, payload: Payload[Any]) -> End:
        """Give what went out, and the facts about both."""
        shown = cache(partial(payload.contract.shown, payload.data))
        summary = {} if payload.summary is None else {"summary": payload.summary}
        return (
            lambda: {"payload": shown(), **summary},
            lambda: payload_facts(payload, self._given(), shown()),
        )


def payload_facts(payload: Payload[Any], given: Any, shown: Any) -> Facts:
    """Give sizes, tokens and tier of a payload; `given` is the masked input, `shown` the masked output.

    `output` is the context where the handoff has a budget or the data is small. Where it is large and nobody had it
    counted, bytes are estimated from the data, and tokens are left out.
    """
    budgeted = payload.rendering.max_tokens is not None
    facts = _input(payload.receipt, given, budgeted=budgeted) | _output(payload.receipt, shown, budgeted=budgeted)
    unit = "tokens" if {"crux_input_tokens", "crux_output_tokens"} <= facts.keys() else "bytes"
    return {
        "crux_payload_id": payload.id,
        **facts,
        "crux_ratio": round(facts[f"crux_output_{unit}"] / max(facts[f"crux_input_{unit}"], 1), 4),
        "crux_model_calls": payload.receipt.model_calls,
    }


def _input(receipt: Receipt, given: Any, *, budgeted: bool) -> dict[str, Any]:
    if budgeted or rough_bytes(given, ALL_MEASURED) <= ALL_MEASURED:
        return {"crux_input_bytes": receipt.input_bytes, "crux_input_tokens": receipt.input_tokens}
    return {"crux_input_bytes": rough_bytes(given, sys.maxsize)}


def _output(receipt: Receipt, shown: Any, *, budgeted: bool) -> dict[str, Any]:
    if budgeted or rough_bytes(shown, ALL_MEASURED) <= ALL_MEASURED:
        sizes = {"crux_output_bytes": receipt.context_bytes, "crux_output_tokens": receipt.context_tokens}
        return {**sizes, "crux_tier": receipt.tier}
    return {"crux_output_bytes": rough_bytes(shown, sys.maxsize)}
