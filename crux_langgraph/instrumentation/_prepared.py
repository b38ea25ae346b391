"""The run of one crossing: what came in, what went out, and the facts that LangSmith filters by."""

import sys
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel

from crux_langgraph._contract import Contract
from crux_langgraph._payload import Payload
from crux_langgraph._receipt import Receipt
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

    _input: "_Side | None" = None
    _output: "_Side | None" = None
    _payload: Payload[Any]

    def __init__(self, contract: Contract[Any], given: BaseModel, max_tokens: int | None) -> None:
        """Take the input, checked by its contract. With a budget everything of it is counted, however large it is."""
        self._contract = contract
        self._given = given
        self._is_budgeted = max_tokens is not None

    def input(self) -> Facts | Sized:
        """Give what came in."""
        side = self._input = _Side(self._contract.shown(self._given), is_measured=self._is_budgeted)
        if side.is_small:
            side.text = json_text(side.shown)
        return {"input": side.shown} if side.text is None else Sized({"input": side.shown}, len(side.text) + _AROUND)

    def of(self, payload: Payload[Any]) -> End:
        """Give what went out, and the facts about both."""
        self._payload = payload
        return self._shown, self._facts

    def _shown(self) -> Facts | Sized:
        payload = self._payload
        side = self._output = _Side(payload.contract.shown(payload.data), is_measured=self._is_budgeted)
        account = _account(payload) if self._is_budgeted else {}
        if account or payload.summary is not None:
            # The payload last: it may be large, and what stands before it keeps its room.
            shown = {**account, "payload": side.shown}
            return shown if payload.summary is None else {**shown, "summary": payload.summary}
        view = {"payload": side.shown}
        if payload.contract.private or not side.is_small:
            return view
        whole = payload.texts.whole  # the same with more white space, and written anyway
        return Sized(view, len(whole) * (1 if whole.isascii() else _MOST_UTF8) + _AROUND)

    def _facts(self) -> Facts:
        payload = self._payload
        facts: dict[str, Any] = {"crux_payload_id": payload.id, "crux_model_calls": payload.receipt.model_calls}
        facts |= self._of_input(payload.receipt)
        facts |= self._of_output(payload)
        facts["crux_ratio"] = _ratio(facts)
        return facts

    def _of_input(self, receipt: Receipt) -> Facts:
        side = self._input
        if side is not None and not side.is_small:
            return {"crux_input_bytes": rough_bytes(side.shown, sys.maxsize)}
        if side is not None and not self._contract.private:
            receipt.know_input(json_bytes(side.shown) if side.text is None else side.text)
        return {"crux_input_bytes": receipt.input_bytes, "crux_input_tokens": receipt.input_tokens}

    def _of_output(self, payload: Payload[Any]) -> Facts:
        side, receipt = self._output, payload.receipt
        if side is not None and not side.is_small:
            return {"crux_output_bytes": rough_bytes(side.shown, sys.maxsize)}
        return {
            "crux_output_bytes": receipt.context_bytes,
            "crux_output_tokens": receipt.context_tokens,
            "crux_tier": payload.texts.rendered.tier,
        }


class _Side:
    """What is shown of one side, and whether it may be written and counted for the run alone."""

    text: bytes | None = None
    """Its JSON text, where it was written."""

    def __init__(self, shown: Any, *, is_measured: bool) -> None:
        self.shown = shown
        self.is_small = is_measured or rough_bytes(shown, ALL_MEASURED) <= ALL_MEASURED


_AROUND = len('{"payload":}')
_MOST_UTF8 = 4


def _account(payload: Payload[Any]) -> dict[str, Any]:
    """Give what became of each field, and the text for the receiver where that is not all of it."""
    rendered = payload.texts.rendered
    account: dict[str, Any] = {PARTS_KEY: [part._asdict() for part in rendered.parts]} if rendered.parts else {}
    if rendered.tier in CUT:
        account[CONTEXT_KEY] = rendered.context
    return account


def _ratio(facts: Mapping[str, Any]) -> float:
    """Give output to input: by tokens where both were counted, else by bytes."""
    counted = "crux_input_tokens" in facts and "crux_output_tokens" in facts
    unit = "tokens" if counted else "bytes"
    ratio: float = round(facts[f"crux_output_{unit}"] / (facts[f"crux_input_{unit}"] or 1), 4)
    return ratio
