"""Handoffs: a checked crossing from one agent to the next, called by hand or set into a graph."""

from crux_langgraph._handoff._decorating import handoff
from crux_langgraph._handoff._handoff import Handoff

__all__ = ["Handoff", "handoff"]
