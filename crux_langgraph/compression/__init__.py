"""Counting, framing and rendering the text that a receiving agent is given. Pure: no model, no network, no framework."""

from crux_langgraph.compression._counting import (
    Counter,
    counter_fault,
    estimate_tokens,
    model_counter,
    tiktoken_counter,
)
from crux_langgraph.compression._fitted import CUT, Fitted, FittedPart, Tier
from crux_langgraph.compression._fitting import fit
from crux_langgraph.compression._framing import Frame, new_marker
from crux_langgraph.errors import DoesNotFitError

__all__ = [
    "CUT",
    "Counter",
    "DoesNotFitError",
    "Fitted",
    "FittedPart",
    "Frame",
    "Tier",
    "counter_fault",
    "estimate_tokens",
    "fit",
    "model_counter",
    "new_marker",
    "tiktoken_counter",
]
