"""The run of one crossing: what came in, what went out, and the facts that LangSmith filters by."""

import sys
from typing import Any, Literal

from pydantic import BaseModel

from crux_langgraph._contract import Contract
from crux_langgraph._payload import Payload
from crux_langgraph._receipt import Receipt
from crux_langgraph._rendering import Rendered
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

    _large_input: Any = None
    """What came in, where it is too large to be written and counted for the run alone."""
    _input_text: bytes | None = None
    """Its JSON text, where it was written."""
    _large_output: Any = None
    _payload: Payload[Any]

    def __init__(self, contract: Contract[Any], given: BaseModel, max_tokens: int | None, *, passes_on: bool) -> None:
        """Take the input, checked by its contract. With a budget everything of it is counted, however large it is.

        Where a handoff `passes_on` its input as it is, what goes out is as large as that.
        """
        self._contract = contract
        self._given = given
        self._is_budgeted = max_tokens is not None
        self._passes_on = passes_on

    def input(self) -> Facts | Sized:
        """Give what came in."""
        shown = self._contract.shown(self._given)
        if not self._is_small(shown):
            self._large_input = shown
            return {"input": shown}
        text = json_text(shown)
        self._input_text = json_bytes(shown) if text is None else text
        return {"input": shown} if text is None else Sized({"input": shown}, len(text) + _AROUND)

    def of(self, payload: Payload[Any]) -> End:
        """Give what went out, and the facts about both."""
        self._payload = payload
        return self._output, self._facts

    def _is_small(self, shown: Any) -> bool:
        return self._is_budgeted or rough_bytes(shown, ALL_MEASURED) <= ALL_MEASURED

    def _output(self) -> Facts | Sized:
        payload, texts = self._payload, self._payload.texts
        shown = texts.contract.shown(payload.data)
        is_small = self._large_input is None if self._passes_on else self._is_small(shown)
        if not is_small:
            self._large_output = shown
        account = _account(texts.rendered) if self._is_budgeted else {}
        if account or payload.summary is not None:
            # The payload last: it may be large, and what stands before it keeps its room.
            view = {**account, "payload": shown}
            return view if payload.summary is None else {**view, "summary": payload.summary}
        if texts.contract.private or not is_small:
            return {"payload": shown}
        whole = texts.whole  # the same with more white space, and written anyway
        return Sized({"payload": shown}, len(whole) * (1 if whole.isascii() else _MOST_UTF8) + _AROUND)

    def _facts(self) -> Facts:
        payload, receipt = self._payload, self._payload.receipt
        taken, taken_tokens = self._of_input(receipt)
        is_large = self._large_output is not None
        given = rough_bytes(self._large_output, sys.maxsize) if is_large else receipt.context_bytes
        facts: dict[str, Any] = {
            "crux_payload_id": payload.id,
            "crux_model_calls": receipt.model_calls,
            "crux_input_bytes": taken,
            "crux_output_bytes": given,
        }
        before, after = taken, given
        if taken_tokens is not None:
            facts["crux_input_tokens"] = taken_tokens
        if not is_large:
            tokens = facts["crux_output_tokens"] = receipt.context_tokens
            facts["crux_tier"] = receipt.tier
            if taken_tokens is not None:
                before, after = taken_tokens, tokens
        facts["crux_ratio"] = round(after / (before or 1), 4)
        return facts

    def _of_input(self, receipt: Receipt) -> tuple[int | None, int | None]:
        """Give the bytes of what came in and, where all of it is counted, its tokens."""
        if self._large_input is not None:
            return rough_bytes(self._large_input, sys.maxsize), None
        if self._input_text is not None and not self._contract.private:
            return receipt.know_input(self._input_text)
        return receipt.input_bytes, receipt.input_tokens


_AROUND = len('{"payload":}')
_MOST_UTF8 = 4


def _account(rendered: Rendered) -> dict[str, Any]:
    """Give what became of each field, and the text for the receiver where that is not all of it."""
    account: dict[str, Any] = {PARTS_KEY: [part._asdict() for part in rendered.parts]} if rendered.parts else {}
    if rendered.tier in CUT:
        account[CONTEXT_KEY] = rendered.context
    return account
