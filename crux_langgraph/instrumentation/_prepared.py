"""The run of one crossing: what came in, what went out, and the facts that LangSmith filters by."""

import sys
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Literal

from pydantic import BaseModel

from crux_langgraph._contract import Contract
from crux_langgraph._payload import Payload
from crux_langgraph.compression import CUT
from crux_langgraph.instrumentation._recording import End, Facts
from crux_langgraph.instrumentation._views import json_bytes, rough_bytes

Mode = Literal["transfer", "await"]
"""Whether control goes on to the target, or the source waits for what it asked for."""

PREPARE = "handoff:prepare"
PARTS_KEY, CONTEXT_KEY = "parts", "context"
"""Where the run's outputs say what became of each field, and what the receiver reads of them."""

ALL_MEASURED = 262_144
"""Bytes up to which everything is measured for the run alone; above, what would take longer than the crossing is not."""


def identity(handoff: str, from_agent: str | None, to_agent: str | None, mode: Mode) -> Facts:
    """Give what is known of a crossing before it begins."""
    named = {"crux_from_agent": from_agent, "crux_to_agent": to_agent}
    return {"crux_handoff_id": handoff, **{k: v for k, v in named.items() if v is not None}, "crux_mode": mode}


class Prepared:
    """What the run of one crossing shows: the input as it begins, then what was made of it. Nothing is made unasked."""

    def __init__(self, contract: Contract[Any], given: BaseModel) -> None:
        """Take the input, checked by its contract."""
        self._contract = contract
        self._given = given
        self._input: Any = None
        self._output: Any = None

    def input(self) -> Facts:
        """Give what came in."""
        self._input = self._contract.shown(self._given)
        return {"input": self._input}

    def ends(self, payload: Payload[Any]) -> End:
        """Give what went out, and the facts about both."""
        return partial(self._shown, payload), partial(self._facts, payload)

    def _shown(self, payload: Payload[Any]) -> Facts:
        self._output = payload.contract.shown(payload.data)
        # The payload last: it may be large, and what stands before it keeps its room.
        shown = dict(_account(payload)) if payload.rendering.max_tokens is not None else {}
        shown["payload"] = self._output
        if payload.summary is not None:
            shown["summary"] = payload.summary
        return shown

    def _facts(self, payload: Payload[Any]) -> Facts:
        receipt, budgeted = payload.receipt, payload.rendering.max_tokens is not None
        facts = {"crux_payload_id": payload.id, "crux_model_calls": receipt.model_calls}
        if budgeted or _is_small(self._input):
            if self._input is not None and not self._contract.private:
                receipt.know_input(json_bytes(self._input).decode())
            facts |= {"crux_input_bytes": receipt.input_bytes, "crux_input_tokens": receipt.input_tokens}
        else:
            facts["crux_input_bytes"] = rough_bytes(self._input, sys.maxsize)
        if budgeted or _is_small(self._output):
            facts |= {"crux_output_bytes": receipt.context_bytes, "crux_output_tokens": receipt.context_tokens}
            facts["crux_tier"] = receipt.tier
        else:
            facts["crux_output_bytes"] = rough_bytes(self._output, sys.maxsize)
        return {**facts, "crux_ratio": _ratio(facts)}


def _account(payload: Payload[Any]) -> Iterator[tuple[str, Any]]:
    """Give what became of each field, and the text for the receiver where that is not all of it."""
    if payload.receipt.parts:
        yield PARTS_KEY, [part._asdict() for part in payload.receipt.parts]
    if payload.receipt.tier in CUT:
        yield CONTEXT_KEY, payload.context


def _is_small(shown: Any) -> bool:
    return rough_bytes(shown, ALL_MEASURED) <= ALL_MEASURED


def _ratio(facts: Mapping[str, Any]) -> float:
    """Give output to input: by tokens where both were counted, else by bytes."""
    unit = "tokens" if {"crux_input_tokens", "crux_output_tokens"} <= facts.keys() else "bytes"
    given, made = facts[f"crux_input_{unit}"], facts[f"crux_output_{unit}"]
    return round(int(made) / max(int(given), 1), 4)
