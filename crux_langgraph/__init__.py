"""Typed handoffs between the agents of a LangGraph graph: validated, transformed, budgeted, and readable afterwards."""

from crux_langgraph import errors
from crux_langgraph._context import Context
from crux_langgraph._delegate import Delegate, DelegateResult, RepairRequest, delegate
from crux_langgraph._handoff import Handoff, handoff
from crux_langgraph._payload import Payload, Receipt
from crux_langgraph.compression import estimate_tokens
from crux_langgraph.fields import Private
from crux_langgraph.graph import HandoffNode, Handoffs, HandoffState, add_handoff, check

__all__ = [
    "Context",
    "Delegate",
    "DelegateResult",
    "Handoff",
    "HandoffNode",
    "HandoffState",
    "Handoffs",
    "Payload",
    "Private",
    "Receipt",
    "RepairRequest",
    "add_handoff",
    "check",
    "delegate",
    "errors",
    "estimate_tokens",
    "handoff",
]
