"""Counting, framing and rendering the text that a receiving agent is given. Pure: no model, no network, no framework."""

from crux_langgraph.compression._counting import Counter, counter_fault, estimate_tokens
from crux_langgraph.compression._framing import Frame, new_marker

__all__ = ["Counter", "Frame", "counter_fault", "estimate_tokens", "new_marker"]
