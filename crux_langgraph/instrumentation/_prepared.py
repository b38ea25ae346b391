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
from crux_langgraph.instrumentation._sizes import Sized, json_bytes, json_text, rough_bytes

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
        self._input = self._output = _UNSEEN

    def input(self) -> Facts | Sized:
        """Give what came in."""
        self._input = _Side(self._contract.shown(self._given))
        return self._input.view("input")

    def of(self, payload: Payload[Any]) -> End:
        """Give what went out, and the facts about both."""
        return partial(self._shown, payload), partial(self._facts, payload)

    def _shown(self, payload: Payload[Any]) -> Facts | Sized:
        self._output = _Side(payload.contract.shown(payload.data))
        account = dict(_account(payload)) if payload.rendering.max_tokens is not None else {}
        if not account and payload.summary is None:
            return self._output.view("payload")
        # The payload last: it may be large, and what stands before it keeps its room.
        shown = {**account, "payload": self._output.shown}
        return shown if payload.summary is None else {**shown, "summary": payload.summary}

    def _facts(self, payload: Payload[Any]) -> Facts:
        receipt, budgeted = payload.receipt, payload.rendering.max_tokens is not None
        facts: dict[str, Any] = {"crux_payload_id": payload.id, "crux_model_calls": receipt.model_calls}
        if budgeted or self._input.is_small:
            if self._input is not _UNSEEN and not self._contract.private:
                receipt.know_input(self._input.text)
            facts |= {"crux_input_bytes": receipt.input_bytes, "crux_input_tokens": receipt.input_tokens}
        else:
            facts["crux_input_bytes"] = self._input.rough_bytes
        if budgeted or self._output.is_small:
            facts |= {"crux_output_bytes": receipt.context_bytes, "crux_output_tokens": receipt.context_tokens}
            facts["crux_tier"] = receipt.tier
        else:
            facts["crux_output_bytes"] = self._output.rough_bytes
        facts["crux_ratio"] = _ratio(facts)
        return facts


class _Side:
    """What is shown of one side. Where that is small its JSON text is written once, for all who measure it."""

    def __init__(self, shown: Any) -> None:
        self.shown = shown
        self.is_small = rough_bytes(shown, ALL_MEASURED) <= ALL_MEASURED
        self._text = json_text(shown) if self.is_small else None

    def view(self, name: str) -> Facts | Sized:
        view = {name: self.shown}
        return view if self._text is None else Sized(view, len(self._text) + _AROUND)

    @property
    def text(self) -> str:
        return (json_bytes(self.shown) if self._text is None else self._text).decode()

    @property
    def rough_bytes(self) -> int:
        return rough_bytes(self.shown, sys.maxsize)


_UNSEEN = _Side(None)
_AROUND = len('{"payload":}')


def _account(payload: Payload[Any]) -> Iterator[tuple[str, Any]]:
    """Give what became of each field, and the text for the receiver where that is not all of it."""
    if payload.receipt.parts:
        yield PARTS_KEY, [part._asdict() for part in payload.receipt.parts]
    if payload.receipt.tier in CUT:
        yield CONTEXT_KEY, payload.context


def _ratio(facts: Mapping[str, Any]) -> float:
    """Give output to input: by tokens where both were counted, else by bytes."""
    unit = "tokens" if {"crux_input_tokens", "crux_output_tokens"} <= facts.keys() else "bytes"
    given, made = facts[f"crux_input_{unit}"], facts[f"crux_output_{unit}"]
    return round(int(made) / max(int(given), 1), 4)
